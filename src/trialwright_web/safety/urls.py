"""Routes of safety, under ``/<study>/``."""

from django.urls import path

from trialwright_web.safety import acts, board, coding, event, suspected

app_name = "safety"
urlpatterns = [
    path("safety", board.board, name="board"),
    path("safety/new", acts.report, name="report"),
    path("safety/<str:participant>/<slug:event>", event.event_page, name="event"),
    path("safety/<str:participant>/<slug:event>/code", coding.code, name="code"),
    path("safety/<str:participant>/<slug:event>/unblind", suspected.unblind, name="unblind"),
    path("safety/<str:participant>/<slug:event>/expedited", suspected.expedited, name="expedited"),
    path("safety/<str:participant>/<slug:event>/<slug:act>", acts.act, name="act"),
]
