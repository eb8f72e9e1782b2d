"""Routes of the participant, under ``/me/``."""

from django.urls import path

from trialwright_web.participant import consenting, contact, copies, entry, leaving, questionnaires, visits

app_name = "participant"
urlpatterns = [
    path("", entry.home, name="home"),
    path("enter", entry.enter_page, name="enter"),
    path("password", entry.password, name="password"),
    path("leave", entry.leave, name="leave"),
    path("contact/<slug:study>/", contact.contact, name="contact"),
    path("consent/", consenting.start, name="consent"),
    path("consent/changes", consenting.changes, name="changes"),
    path("consent/read/<int:page>", consenting.read, name="read"),
    path("consent/check/<int:number>", consenting.check, name="check"),
    path("consent/questions", consenting.questions, name="questions"),
    path("consent/sign", consenting.sign, name="sign"),
    path("consent/no", consenting.decline, name="decline"),
    path("consent/copy-<int:number>.pdf", copies.copy, name="copy"),
    path("visits/", visits.visits, name="visits"),
    path("visits.ics", visits.calendar, name="calendar"),
    path("questionnaires/", questionnaires.listed, name="questionnaires"),
    path("questionnaires/<slug:encounter>/<slug:form>/<int:step>", questionnaires.step, name="question"),
    path("questionnaires/<slug:encounter>/<slug:form>/check", questionnaires.review, name="review"),
    path("stop/", leaving.stop, name="stop"),
]
