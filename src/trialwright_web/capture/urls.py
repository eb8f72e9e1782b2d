"""Routes of capture, under ``/<study>/``."""

from django.urls import path

from trialwright_web.capture import (
    assess,
    calendar,
    enrolment,
    form_blank,
    form_conflict,
    form_files,
    form_margin,
    form_page,
    form_rules,
    form_signing,
    form_token,
    form_visits,
    home,
    matrix,
    participant,
    participant_acts,
)

# Names of visits and forms have no hyphen, so what stands beside them has one.
PERSON = "participants/<slug:participant>/"
VISIT = f"{PERSON}<slug:encounter>/"
FORM = f"{VISIT}<slug:form>/<int:repeat>/"

app_name = "capture"
urlpatterns = [
    path("", home.home, name="home"),
    path("participants/", matrix.participants, name="matrix"),
    path("new-participant/", participant_acts.screen, name="screen"),
    path(PERSON, participant.participant, name="participant"),
    path(f"{PERSON}assess-criteria/", assess.criteria, name="criteria"),
    path(f"{PERSON}record-act/<slug:act>/", participant_acts.act, name="act"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar.ics", calendar.calendar_file, name="calendar_file"),
    path("enrolment/", enrolment.enrolment, name="enrolment"),
    path(f"{PERSON}case-book/", form_signing.case_book, name="case_book"),
    path(f"{PERSON}new-visit/", form_visits.new_visit, name="new_visit"),
    path(VISIT, form_visits.visit, name="visit"),
    path(f"{VISIT}sign-visit/", form_signing.sign_visit, name="sign_visit"),
    path(FORM, form_page.form, name="form"),
    path(f"{FORM}compare/", form_conflict.compare, name="form_compare"),
    path(f"{FORM}sign/", form_signing.sign_form, name="sign_form"),
    path(f"{FORM}margin/<str:name>/", form_margin.margin, name="form_margin"),
    path(f"{FORM}files/", form_files.attach, name="attach"),
    path(f"{FORM}files/<slug:digest>/", form_files.attachment, name="attachment"),
    path("form-rules/<slug:build>/<slug:form>.js", form_rules.rules, name="form_rules"),
    path("form-token/", form_token.token, name="form_token"),
    path("blank-forms/<slug:form>/", form_blank.blank, name="blank"),
    path("blank-forms/<slug:form>.pdf", form_blank.blank_pdf, name="blank_pdf"),
]
