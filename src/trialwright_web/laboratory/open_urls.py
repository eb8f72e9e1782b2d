"""Routes of an open study's allocations, under ``/<study>/`` in the staff process: it has no closed one to go to.

For a blinded study nobody has a desk there who reaches them: these roles know the arm and work in the closed process.
"""

from django.urls import path

from trialwright_web.laboratory import allocations, lists, unblinding

app_name = "laboratory"
urlpatterns = [
    path("laboratory/allocations", allocations.allocations, name="allocations"),
    path("laboratory/allocations/join/<str:cut>", allocations.join, name="join"),
    path("laboratory/list", lists.bring, name="list"),
    path("laboratory/list/file", lists.brought, name="list_brought"),
    path("laboratory/list/sign", lists.sign_list, name="sign_list"),
    path("laboratory/unblinding", unblinding.unblinding, name="unblinding"),
    path("laboratory/unblinding/sign", unblinding.unblind, name="unblind"),
]
