"""Routes of the site's staff about participants' own pages, under ``/<study>/`` of the staff process."""

from django.urls import path

from trialwright_web.participant import staff

app_name = "consents"
urlpatterns = [
    path("consents/", staff.consents, name="home"),
    path("consents/enquiries/<int:number>", staff.answered, name="answered"),
    path("consents/<str:participant>/letter", staff.letter, name="letter"),
    path("consents/<str:participant>/countersign", staff.countersign, name="countersign"),
    path("consents/<str:participant>/questions", staff.questions, name="questions"),
    path("consents/<str:participant>/paper", staff.paper, name="paper"),
    path("consents/<str:participant>/copy-<int:number>.pdf", staff.copy, name="copy"),
]
