"""Routes of monitor, under ``/<study>/``."""

from django.urls import path

from trialwright_web.monitor import breaches, closure, deviations, queries, screening, sites, verification

app_name = "monitor"
urlpatterns = [
    path("queries", queries.queries, name="queries"),
    path("queries/new", queries.ask, name="ask"),
    path("queries/<str:participant>/<str:query>/<slug:act>", queries.act, name="query"),
    path("verification", verification.overview, name="verification"),
    path("verification/<str:participant>", verification.participant_page, name="verify_participant"),
    path(
        "verification/<str:participant>/<str:encounter>/<str:form>/<int:repeat>",
        verification.form_page,
        name="verify_form",
    ),
    path("deviations", deviations.deviations, name="deviations"),
    path("deviations/new", deviations.report, name="report_deviation"),
    path("deviations/<str:participant>/<str:deviation>", deviations.classify, name="classify"),
    path("breaches/new", breaches.report, name="report_breach"),
    path("breaches/<str:breach>", breaches.notify, name="notify_breach"),
    path("measures/new", breaches.measure, name="measure"),
    path("sites", sites.sites, name="sites"),
    path("screening-log", screening.screening, name="screening"),
    path("closure", closure.closure, name="closure"),
    path("closure/<slug:act>", closure.act, name="closure_act"),
]
