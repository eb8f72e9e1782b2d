"""Routes of the site's staff about participants' own pages, under ``/<study>/`` of the staff process."""

from django.urls import path

from trialwright_web.participant import staff, staff_contacts

app_name = "consents"
urlpatterns = [
    path("consents/", staff.consents, name="home"),
    path("consents/enquiries/<int:number>", staff.answered, name="answered"),
    path("consents/<str:participant>/letter", staff.letter, name="letter"),
    path("consents/<str:participant>/countersign", staff.countersign, name="countersign"),
    path("consents/<str:participant>/questions", staff.questions, name="questions"),
    path("consents/<str:participant>/paper", staff.paper, name="paper"),
    path("consents/<str:participant>/copy-<int:number>.pdf", staff.copy, name="copy"),
    path("contacts/", staff_contacts.contacts, name="contacts"),
    path("contacts/key", staff_contacts.key_made, name="site_key"),
    path("contacts/key/file", staff_contacts.key_file, name="key_file"),
    path("contacts/open", staff_contacts.opening, name="open_contacts"),
    path("contacts/close", staff_contacts.closing, name="close_contacts"),
    path("contacts/new", staff_contacts.new_contact, name="new_contact"),
    path("contacts/waiting/<str:number>", staff_contacts.waiting_contact, name="waiting_contact"),
    path("contacts/waiting/<str:number>/attach", staff_contacts.attached, name="attach_contact"),
    path("contacts/participant/<str:participant>", staff_contacts.contact, name="contact"),
]
