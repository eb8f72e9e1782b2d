"""Routes of capture, under ``/<study>/``."""

from django.urls import path

from trialwright_web.capture import (
    assess,
    calendar,
    enrolment,
    forget,
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
    imports,
    invite,
    matrix,
    participant,
    participant_acts,
    people,
    setup,
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
    path(f"{PERSON}forget-person/", forget.forget, name="forget"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar.ics", calendar.calendar_file, name="calendar_file"),
    path("enrolment/", enrolment.enrolment, name="enrolment"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<slug:name>/", imports.check, name="import_check"),
    path("imports/<slug:form>/empty.csv", imports.template, name="import_template"),
    path("people/", people.people, name="people"),
    path("people/delegate/", people.delegate, name="delegate"),
    path("people/invite/", invite.invite, name="invite"),
    path("people/training/", people.training, name="training"),
    path("people/revoke/", people.revoke, name="revoke"),
    path("people/appoint/", people.appoint, name="appoint"),
    path("people/end-appointment/", people.end_appointment, name="end_appointment"),
    path("setup/", setup.setup, name="setup"),
    path("setup/open/", setup.open_study, name="open_study"),
    path("setup/approval/", setup.study_approval, name="study_approval"),
    path("setup/sites/<slug:site>/<slug:act>/", setup.site_act, name="site_act"),
    path("setup/builds/<slug:build>/", setup.approve_build, name="approve_build"),
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
    path("blank-forms/", form_blank.blanks, name="blanks"),
    path("blank-forms/<slug:form>/", form_blank.blank, name="blank"),
    path("blank-forms/<slug:form>.pdf", form_blank.blank_pdf, name="blank_pdf"),
]
