"""Routes of the public pages."""

from django.urls import path

from trialwright_web.public import machines, screening, views

app_name = "public"
urlpatterns = [
    path("", views.trials, name="trials"),
    path("trials/<slug:study>/", views.trial, name="trial"),
    path("trials/<slug:study>/join", screening.join, name="join"),
    path("trials/<slug:study>/join/answers", screening.answers, name="answers"),
    path("trials/<slug:study>/join/<slug:build>.js", screening.script, name="script"),
    path("trials/<slug:study>/checklist", screening.checklist, name="checklist"),
    path("robots.txt", machines.robots, name="robots"),
    path("sitemap.xml", machines.sitemap_xml, name="sitemap"),
]
