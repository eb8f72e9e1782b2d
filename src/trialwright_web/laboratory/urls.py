"""Routes of the laboratory, under ``/<study>/``; in the closed process only."""

from django.urls import path

from trialwright_web.laboratory import (
    allocations,
    board,
    deviations,
    emergency,
    envelopes,
    lists,
    looks,
    product,
    unblinding,
)

app_name = "laboratory"
urlpatterns = [
    path("laboratory", board.board, name="board"),
    path("laboratory/products/<str:participant>/<str:label>", product.product_page, name="product"),
    path("laboratory/products/<str:participant>/<str:label>/labels.pdf", product.labels, name="labels"),
    path("laboratory/products/<str:participant>/<str:label>/batch-record", product.batch_record, name="batch_record"),
    path("laboratory/products/<str:participant>/<str:label>/<slug:act>", product.act, name="act"),
    path("laboratory/look/<str:participant>", looks.look, name="look"),
    path("laboratory/deviations", deviations.deviations, name="deviations"),
    path("laboratory/deviations/<str:participant>/<str:deviation>", deviations.classify, name="classify"),
    path("laboratory/allocations", allocations.allocations, name="allocations"),
    path("laboratory/allocations/join/<str:cut>", allocations.join, name="join"),
    path("laboratory/allocations/envelope", envelopes.envelope, name="envelope"),
    path("laboratory/allocations/envelope_opener.py", envelopes.opener, name="opener"),
    path("laboratory/list", lists.bring, name="list"),
    path("laboratory/list/file", lists.brought, name="list_brought"),
    path("laboratory/list/sign", lists.sign_list, name="sign_list"),
    path("laboratory/unblinding", unblinding.unblinding, name="unblinding"),
    path("laboratory/unblinding/sign", unblinding.unblind, name="unblind"),
    path("laboratory/emergency", emergency.emergency, name="emergency"),
    path("laboratory/emergency/envelope", emergency.opened_envelope, name="opened_envelope"),
]
