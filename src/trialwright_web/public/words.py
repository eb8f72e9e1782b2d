"""The words of the public pages for what a build names by codes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from trialwright.finder import Waits
from trialwright.protocol.study import PublicStatus

STATUS = {
    PublicStatus.PLANNED: _("Not open yet"),
    PublicStatus.RECRUITING: _("Recruiting"),
    PublicStatus.ACTIVE_NOT_RECRUITING: _("Under way, takes no new participants"),
    PublicStatus.COMPLETED: _("Completed"),
    PublicStatus.TERMINATED: _("Stopped early"),
    PublicStatus.WITHDRAWN: _("Withdrawn before it began"),
}
CLOSED = {
    PublicStatus.PLANNED: _("This trial is not open yet."),
    PublicStatus.ACTIVE_NOT_RECRUITING: _("This trial takes no new participants."),
    PublicStatus.COMPLETED: _("This trial is over. Nobody can join it any more."),
    PublicStatus.TERMINATED: _("This trial is over. Nobody can join it any more."),
    PublicStatus.WITHDRAWN: _("This trial never began. Nobody can join it."),
}
"""Why nobody can join now; nothing for a trial that recruits."""
TONE = {PublicStatus.RECRUITING: "good", PublicStatus.PLANNED: "info", PublicStatus.TERMINATED: "warn"}

PHASES = {
    "I": _("Phase 1: tried in people for the first time"),
    "I/II": _("Phase 1 and 2: is it safe, and does it do anything?"),
    "II": _("Phase 2: is it safe, and is there a first sign of effect?"),
    "II/III": _("Phase 2 and 3: does it work, and better than something else?"),
    "III": _("Phase 3: does it work, and better than something else?"),
    "IV": _("Phase 4: already approved, watched in everyday use"),
}
SHORT_PHASES = {
    "I": _("Phase 1"),
    "I/II": _("Phase 1/2"),
    "II": _("Phase 2"),
    "II/III": _("Phase 2/3"),
    "III": _("Phase 3"),
    "IV": _("Phase 4"),
}
COUNTRIES = {
    "AT": _("Austria"),
    "BE": _("Belgium"),
    "CH": _("Switzerland"),
    "CZ": _("Czechia"),
    "DE": _("Germany"),
    "DK": _("Denmark"),
    "ES": _("Spain"),
    "FI": _("Finland"),
    "FR": _("France"),
    "GB": _("United Kingdom"),
    "IE": _("Ireland"),
    "IS": _("Iceland"),
    "IT": _("Italy"),
    "NL": _("Netherlands"),
    "NO": _("Norway"),
    "PL": _("Poland"),
    "PT": _("Portugal"),
    "SE": _("Sweden"),
    "US": _("United States"),
}
CONTENTS = {
    "consent": _("talk and consent"),
    "collection": _("cells or tissue are taken from you"),
    "administration": _("the study treatment is given"),
    "demography": _("questions about you"),
    "history": _("questions about your health"),
    "medication": _("questions about your medicines"),
    "vital_signs": _("blood pressure, pulse, weight"),
    "laboratory": _("blood tests"),
    "serology": _("blood tests for infections"),
    "neurological": _("neurological examination"),
    "functional_test": _("tests of walking, hands or thinking"),
    "questionnaire": _("questions about how you are"),
    "electrophysiology": _("measurement of nerve signals"),
    "ophthalmology": _("examination of your eyes"),
    "imaging": _("pictures, for example MRI"),
    "biomarker": _("blood for research"),
    "relapse": _("questions about relapses"),
    "procedure": _("safety check and procedure"),
    "exposure": _("the study treatment is given"),
    "disposition": _("last questions"),
    "contact": _("a talk about how you are"),
    "other": _("other examinations"),
}
WAITS = {
    Waits.ANSWER: _("You have not answered yet."),
    Waits.KNOWLEDGE: _("You do not know this. Your doctor may."),
    Waits.TEST: _("A test at the hospital answers this."),
    Waits.DOCTOR: _("The study doctor decides this together with you."),
}
FITS = {True: _("Fits"), False: _("Does not fit"), None: _("Not known yet")}

PLACES = {
    "public_page": pgettext_lazy("register", "Earlier public page"),
    "clinicaltrials_gov": pgettext_lazy("register", "ClinicalTrials.gov"),
    "eudract": pgettext_lazy("register", "EudraCT"),
    "publication": pgettext_lazy("register", "Scientific article"),
    "ctis": pgettext_lazy("register", "EU portal"),
}
FIELDS = {
    "status": _("Status"),
    "start": _("Start"),
    "end": _("End"),
    "disease_duration_years": _("Years with the disease"),
    "enrolled": _("People who took part"),
    "comparator": _("What it was compared with"),
}
ADDRESSES = {
    "EU CT": "https://euclinicaltrials.eu/search-for-clinical-trials/?lang=en&EUCT={}",
    "ClinicalTrials.gov": "https://clinicaltrials.gov/study/{}",
    "EudraCT": "https://www.clinicaltrialsregister.eu/ctr-search/search?query={}",
    "ISRCTN": "https://www.isrctn.com/{}",
}
