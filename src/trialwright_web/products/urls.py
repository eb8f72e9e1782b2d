"""Routes of products, under ``/<study>/``, in the staff process and in the closed one."""

from django.urls import path

from trialwright_web.products import board, labels, site

app_name = "products"
urlpatterns = [
    path("products", board.board, name="board"),
    path("products/<str:participant>/<slug:slot>", board.slot_page, name="slot"),
    path("products/<str:participant>/<slug:slot>/labels.pdf", labels.new_labels, name="labels"),
    path("products/<str:participant>/<slug:slot>/<slug:act>", site.act, name="act"),
    path("emergency", board.emergency, name="emergency"),
]
