"""The participant's own pages: consent, visits, questionnaires, leaving; and the staff's side of consent.

Two worlds share it: ``urls`` are the participant's routes in the public process, ``staff_urls`` those of the site's
staff (letters of access, questions to answer, countersignatures). Everything done goes through the one door.
"""
