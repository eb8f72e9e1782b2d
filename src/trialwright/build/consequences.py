"""What each kind of change means for data, participants and approvals: one table, read from top to bottom.

Sources for approval: Regulation (EU) 536/2014, Article 2(2)(13): a modification is substantial when it is likely to
have a substantial impact on the safety or rights of the participants or on the reliability of the data. For renewed
consent: Article 29 and ICH E6(R3) section 2.8.2: when information becomes available that may be relevant to their
willingness to continue. The table errs on the side of asking: what it does not know is substantial.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

from trialwright.build.changes import Change, Kind


class DataEffect(Enum):
    """What happens to values that are stored already."""

    NONE = "none"
    ADDS = "adds"  # compatible: what is new is missing for those who came before
    RECHECK = "recheck"  # compatible: stored values stay and are judged or computed anew
    INCOMPATIBLE = "incompatible"  # stored values do not fit, or are no longer shown


class Approval(Enum):
    """What must be approved before a site may work under the change."""

    NONE = "none"
    NOTIFY = "notify"  # recorded and told, no approval to wait for
    SUBSTANTIAL = "substantial"


@dataclass(frozen=True)
class Consequence:
    """What one change means, in plain words."""

    data: DataEffect
    reconsent: bool
    approval: Approval
    why: str


_NONE, _ADDS, _RECHECK, _INCOMPATIBLE = DataEffect
_NO, _TELL, _ASK = Approval

_ANY: tuple[Kind, ...] = ("added", "removed", "changed")
_NEW: tuple[Kind, ...] = ("added",)
_GONE: tuple[Kind, ...] = ("removed",)
_OTHER: tuple[Kind, ...] = ("changed",)

Entry = tuple[tuple[Kind, ...], str, Consequence]


def _means(data: DataEffect, approval: Approval, why: str, *, reconsent: bool = False) -> Consequence:
    return Consequence(data, reconsent, approval, why)


CONSEQUENCES: tuple[Entry, ...] = (
    # Exports
    (_ANY, "study.yaml:summary*", _means(_NONE, _NO, "what the trial summary of the exports says")),
    (_ANY, "study.yaml:arms/*/exposure*", _means(_NONE, _NO, "how what is given is exported")),
    (_ANY, "custody.yaml:measurements/*/sdtm*", _means(_NONE, _NO, "where the measurement goes in exports")),
    (_ANY, "custody.yaml:*specimen*", _means(_NONE, _NO, "how specimens are exported")),
    (_ANY, "forms/*.yaml:sdtm*", _means(_NONE, _NO, "where the form goes in exports")),
    # Remarks
    (_ANY, "*:*note", _means(_NONE, _NO, "only a remark")),
    (_ANY, "*:*source", _means(_NONE, _NO, "only where a fact comes from")),
    (_ANY, "schedule.yaml:encounters/order of members", _means(_NONE, _TELL, "the order in which visits are listed")),
    (_ANY, "*:*order of members", _means(_NONE, _NO, "the order in which things are listed")),
    # study.yaml
    (_ANY, "study.yaml:version", _means(_NONE, _NO, "the number of the version")),
    (_ANY, "study.yaml:amendment*", _means(_NONE, _NO, "the description of the amendment")),
    (_ANY, "study.yaml:trialwright", _means(_NONE, _NO, "the format of the files")),
    (_ANY, "study.yaml:id", _means(_INCOMPATIBLE, _ASK, "another study")),
    (_ANY, "study.yaml:design", _means(_INCOMPATIBLE, _ASK, "another design", reconsent=True)),
    (_NEW, "study.yaml:sites/*", _means(_NONE, _ASK, "a new site needs its own approval")),
    (
        _GONE,
        "study.yaml:sites/*",
        _means(_RECHECK, _ASK, "participants of a closed site must be cared for elsewhere"),
    ),
    (_ANY, "study.yaml:sites/*/timezone*", _means(_RECHECK, _TELL, "local dates, and so windows, are counted anew")),
    (_ANY, "study.yaml:sites/*", _means(_NONE, _TELL, "how a site is described")),
    (_ANY, "study.yaml:arms/*/revealing_words", _means(_NONE, _NO, "words that the checker looks for")),
    (_ANY, "study.yaml:arms*", _means(_NONE, _ASK, "what participants may be given changes", reconsent=True)),
    (_ANY, "study.yaml:periods*", _means(_NONE, _ASK, "the order of treatments changes", reconsent=True)),
    (_ANY, "study.yaml:sequences*", _means(_NONE, _ASK, "the order of treatments changes", reconsent=True)),
    (_ANY, "study.yaml:epochs*", _means(_NONE, _TELL, "how parts of the study are named")),
    (_ANY, "study.yaml:blinding*", _means(_NONE, _ASK, "who may know the allocation changes")),
    (_ANY, "study.yaml:source_verification*", _means(_NONE, _TELL, "which values are verified")),
    (_ANY, "study.yaml:roles*", _means(_NONE, _TELL, "who works in the study changes")),
    (_ANY, "study.yaml:conflicts*", _means(_NONE, _TELL, "who may act for the same participant changes")),
    (_ANY, "study.yaml:sponsor*", _means(_NONE, _ASK, "who is responsible changes", reconsent=True)),
    (_ANY, "study.yaml:planned_participants", _means(_NONE, _ASK, "the size of the study changes")),
    (_ANY, "study.yaml:title*", _means(_NONE, _ASK, "the title is what was approved")),
    (_ANY, "study.yaml:objective*", _means(_NONE, _ASK, "the purpose changes", reconsent=True)),
    (_ANY, "study.yaml:phase", _means(_NONE, _ASK, "the phase is what was approved")),
    (_ANY, "study.yaml:condition*", _means(_NONE, _ASK, "the condition studied is what was approved")),
    (_ANY, "study.yaml:languages*", _means(_NONE, _TELL, "in which languages people can read")),
    (_ANY, "study.yaml:further_languages*", _means(_NONE, _TELL, "in which languages people can read")),
    (_ANY, "study.yaml:public_status", _means(_NONE, _TELL, "what registers say")),
    (_ANY, "study.yaml:registers*", _means(_NONE, _NO, "what registers say")),
    (_ANY, "study.yaml:identifiers*", _means(_NONE, _NO, "numbers in registers")),
    (_ANY, "study.yaml:other_trials*", _means(_NONE, _NO, "other trials to consider")),
    (_ANY, "study.yaml:acronym", _means(_NONE, _TELL, "the short name")),
    # eligibility.yaml
    (_ANY, "eligibility.yaml:criteria/*/plain*", _means(_NONE, _TELL, "the wording for patients")),
    (_ANY, "eligibility.yaml:criteria*", _means(_NONE, _ASK, "who may join changes; nobody is judged again")),
    (_ANY, "eligibility.yaml:facts/*/label*", _means(_NONE, _TELL, "what staff read when they assess")),
    (_ANY, "eligibility.yaml:facts/*/question*", _means(_NONE, _NO, "the wording of the pre-screener")),
    (_ANY, "eligibility.yaml:facts/*/hint*", _means(_NONE, _NO, "the wording of the pre-screener")),
    (_ANY, "eligibility.yaml:facts/*/cost", _means(_NONE, _NO, "the order of questions")),
    (_ANY, "eligibility.yaml:facts*", _means(_NONE, _TELL, "how eligibility is read from data")),
    (_ANY, "eligibility.yaml:encounter", _means(_NONE, _TELL, "where eligibility is assessed")),
    (_ANY, "eligibility.yaml:rescreening", _means(_NONE, _TELL, "how often people may be screened")),
    # schedule.yaml
    (_NEW, "schedule.yaml:encounters/*/when", _means(_RECHECK, _TELL, "a visit takes place under a condition")),
    (_ANY, "schedule.yaml:encounters/*/preparation*", _means(_NONE, _TELL, "what participants do before a visit")),
    (_ANY, "schedule.yaml:encounters/*/label*", _means(_NONE, _NO, "the name of a visit")),
    (_ANY, "schedule.yaml:encounters/*/window*", _means(_RECHECK, _TELL, "which days count as in time")),
    (_ANY, "schedule.yaml:encounters/*/offset*", _means(_RECHECK, _ASK, "when a visit is due")),
    (_ANY, "schedule.yaml:encounters/*/anchor", _means(_RECHECK, _ASK, "what a visit is counted from")),
    (_ANY, "schedule.yaml:encounters/*/after", _means(_RECHECK, _TELL, "the order of visits")),
    (_ANY, "schedule.yaml:encounters/*/remote", _means(_NONE, _TELL, "whether people must travel")),
    (_ANY, "schedule.yaml:encounters/*/when", _means(_RECHECK, _TELL, "when a visit takes place")),
    (_ANY, "schedule.yaml:encounters/*/epoch", _means(_NONE, _TELL, "the part of the study a visit belongs to")),
    (_ANY, "schedule.yaml:encounters/*/period", _means(_RECHECK, _ASK, "the treatment its data are assigned to")),
    (
        _ANY,
        "schedule.yaml:encounters/*/forms",
        _means(_ADDS, _ASK, "what is done at a visit changes", reconsent=True),
    ),
    (
        _ANY,
        "schedule.yaml:encounters/*/acts*",
        _means(_NONE, _ASK, "what is done at a visit changes", reconsent=True),
    ),
    (_NEW, "schedule.yaml:encounters/*", _means(_ADDS, _ASK, "one more visit is asked of people", reconsent=True)),
    (_GONE, "schedule.yaml:encounters/*", _means(_RECHECK, _ASK, "visits that took place become unscheduled")),
    (_ANY, "schedule.yaml:encounters*", _means(_RECHECK, _ASK, "the schedule changes")),
    (_ANY, "schedule.yaml:unscheduled_forms", _means(_NONE, _TELL, "what may be filled at unscheduled visits")),
    (_ANY, "schedule.yaml:log_forms", _means(_NONE, _TELL, "what may be filled outside visits")),
    # forms/*.yaml
    (_NEW, "forms/*.yaml:", _means(_ADDS, _TELL, "a new form; whether it asks more of people, the schedule says")),
    (_GONE, "forms/*.yaml:", _means(_INCOMPATIBLE, _ASK, "its values stay in the record but are no longer shown")),
    (_ANY, "forms/*.yaml:items/*/type", _means(_INCOMPATIBLE, _ASK, "stored values are of another kind")),
    (_ANY, "forms/*.yaml:items/*/codelist", _means(_INCOMPATIBLE, _ASK, "stored codes are of another list")),
    (_ANY, "forms/*.yaml:items/*/units", _means(_INCOMPATIBLE, _ASK, "stored values may be in a unit that is gone")),
    (_ANY, "forms/*.yaml:items/*/decimals", _means(_RECHECK, _TELL, "how precisely values are entered")),
    (_ANY, "forms/*.yaml:items/*/range*", _means(_RECHECK, _TELL, "which values are asked about")),
    (_ANY, "forms/*.yaml:items/*/possible*", _means(_RECHECK, _TELL, "which values are asked about")),
    (_ANY, "forms/*.yaml:items/*/required", _means(_RECHECK, _TELL, "when a form is complete")),
    (_ANY, "forms/*.yaml:items/*/when", _means(_RECHECK, _TELL, "when the item is asked")),
    (_ANY, "forms/*.yaml:items/*/derive*", _means(_RECHECK, _ASK, "stored values are computed anew")),
    (_NEW, "forms/*.yaml:items/*/outcomes/*", _means(_NONE, _TELL, "one more outcome can be chosen")),
    (_NEW, "forms/*.yaml:items/*/outcomes", _means(_NONE, _TELL, "outcomes can be chosen")),
    (_GONE, "forms/*.yaml:items/*/outcomes*", _means(_INCOMPATIBLE, _ASK, "a stored outcome is no longer known")),
    (_ANY, "forms/*.yaml:items/*/outcomes/*/label*", _means(_NONE, _TELL, "the wording of an outcome")),
    (_ANY, "forms/*.yaml:items/*/outcomes*", _means(_RECHECK, _ASK, "what an outcome counts as")),
    (_ANY, "forms/*.yaml:items/*/missing", _means(_RECHECK, _TELL, "why a value may be missing")),
    (
        _ANY,
        "forms/*.yaml:items/*/label*",
        _means(_NONE, _TELL, "the wording of a question; its meaning must be the same"),
    ),
    (_ANY, "forms/*.yaml:items/*/help*", _means(_NONE, _NO, "a hint on the screen")),
    (_ANY, "forms/*.yaml:items/*/group", _means(_NONE, _NO, "where the item stands on the page")),
    (_ANY, "forms/*.yaml:items/*/sdtm*", _means(_NONE, _NO, "where the item goes in exports")),
    (_ANY, "forms/*.yaml:items/*/origin", _means(_NONE, _TELL, "where the value comes from")),
    (_ANY, "forms/*.yaml:items/*/privacy", _means(_RECHECK, _TELL, "how the value is protected")),
    (_ANY, "forms/*.yaml:items/*/critical", _means(_NONE, _TELL, "which values are verified")),
    (_NEW, "forms/*.yaml:items/*", _means(_ADDS, _TELL, "a new item; missing for those who came before")),
    (
        _GONE,
        "forms/*.yaml:items/*",
        _means(_INCOMPATIBLE, _ASK, "its values stay in the record but are no longer shown"),
    ),
    (_ANY, "forms/*.yaml:checks*", _means(_RECHECK, _TELL, "queries may open or close")),
    (_ANY, "forms/*.yaml:groups/*/repeats", _means(_INCOMPATIBLE, _TELL, "one row becomes several, or several one")),
    (_ANY, "forms/*.yaml:groups*", _means(_NONE, _NO, "where items stand on the page")),
    (_ANY, "forms/*.yaml:repeats", _means(_INCOMPATIBLE, _TELL, "one form becomes several, or several one")),
    (
        _ANY,
        "forms/*.yaml:space",
        _means(_INCOMPATIBLE, _ASK, "data would move between the open and the closed space"),
    ),
    (_ANY, "forms/*.yaml:filled_by", _means(_NONE, _TELL, "who enters data")),
    (_ANY, "forms/*.yaml:signed_by", _means(_RECHECK, _TELL, "who answers for the data")),
    (_ANY, "forms/*.yaml:participant_reported", _means(_NONE, _ASK, "who reports", reconsent=True)),
    (_ANY, "forms/*.yaml:title*", _means(_NONE, _NO, "the name of a form")),
    (_ANY, "forms/*.yaml:kind", _means(_NONE, _NO, "how the form is exported")),
    # terminology/*.yaml
    (_NEW, "terminology/*.yaml:", _means(_NONE, _NO, "a new code list")),
    (_GONE, "terminology/*.yaml:", _means(_INCOMPATIBLE, _ASK, "stored codes lose their meaning")),
    (_NEW, "terminology/*.yaml:codes/*/cdisc", _means(_NONE, _NO, "how a code is exported")),
    (_ANY, "terminology/*.yaml:codes/*/cdisc", _means(_NONE, _NO, "how a code is exported")),
    (
        _ANY,
        "terminology/*.yaml:codes/*/label*",
        _means(_NONE, _TELL, "the wording of a choice; its meaning must be the same"),
    ),
    (_NEW, "terminology/*.yaml:codes/*", _means(_NONE, _TELL, "one more choice")),
    (_GONE, "terminology/*.yaml:codes/*", _means(_INCOMPATIBLE, _ASK, "a stored code is no longer known")),
    (_ANY, "terminology/*.yaml:label*", _means(_NONE, _NO, "the name of a code list")),
    (_ANY, "terminology/*.yaml:cdisc", _means(_NONE, _NO, "how a code list is exported")),
    # randomisation.yaml
    (_ANY, "randomisation.yaml:strata/*/label*", _means(_NONE, _NO, "the name of a factor")),
    (_ANY, "randomisation.yaml:within_days_of_sign_off", _means(_NONE, _TELL, "how long a sign-off holds")),
    (_ANY, "randomisation.yaml:*", _means(_NONE, _ASK, "a new list must be sealed; allocations made so far stand")),
    # custody.yaml
    (_NEW, "custody.yaml:", _means(_ADDS, _ASK, "a product is made from the participant", reconsent=True)),
    (_GONE, "custody.yaml:", _means(_INCOMPATIBLE, _ASK, "products in hand lose their rules", reconsent=True)),
    (_ANY, "custody.yaml:measurements/*/label*", _means(_NONE, _NO, "the name of a measurement")),
    (_NEW, "custody.yaml:measurements/*", _means(_ADDS, _ASK, "one more measurement before release")),
    (_ANY, "custody.yaml:measurements/*/possible*", _means(_RECHECK, _TELL, "which values are asked about")),
    (_ANY, "custody.yaml:measurements*", _means(_INCOMPATIBLE, _ASK, "stored measurements may not fit")),
    (_ANY, "custody.yaml:release*", _means(_NONE, _ASK, "when a product may be given; decisions made so far stand")),
    (_ANY, "custody.yaml:gates*", _means(_NONE, _ASK, "when people may be punctured")),
    (_ANY, "custody.yaml:dose*", _means(_NONE, _ASK, "how much is given", reconsent=True)),
    (_ANY, "custody.yaml:given_in*", _means(_NONE, _ASK, "what is given in an arm", reconsent=True)),
    (_ANY, "custody.yaml:slots*", _means(_RECHECK, _ASK, "when something is taken and given", reconsent=True)),
    (_ANY, "custody.yaml:failed_manufacture*", _means(_NONE, _ASK, "what happens when it fails", reconsent=True)),
    (_ANY, "custody.yaml:product*", _means(_NONE, _TELL, "the neutral name of the product")),
    (_ANY, "custody.yaml:identifier", _means(_RECHECK, _TELL, "labels in use may no longer scan")),
    (_ANY, "custody.yaml:manufacture_days", _means(_NONE, _TELL, "how long manufacture is planned to take")),
    (_ANY, "custody.yaml:expiry_hours", _means(_RECHECK, _ASK, "how long a released product may be given")),
    (_ANY, "custody.yaml:transport*", _means(_RECHECK, _ASK, "what counts as an excursion")),
    (_ANY, "custody.yaml:traceability_years", _means(_NONE, _ASK, "how long cells can be traced")),
    # safety.yaml
    (
        _ANY,
        "safety.yaml:reference*",
        _means(_RECHECK, _ASK, "what is expected; later events are judged by the new text"),
    ),
    (_ANY, "safety.yaml:clocks/*/label*", _means(_NONE, _NO, "the name of a clock")),
    (_ANY, "safety.yaml:clocks*", _means(_NONE, _ASK, "when who must know")),
    (_ANY, "safety.yaml:agents/*/label*", _means(_NONE, _NO, "the name of an agent")),
    (_NEW, "safety.yaml:agents/*", _means(_ADDS, _ASK, "causality is judged for one more agent")),
    (_ANY, "safety.yaml:agents*", _means(_INCOMPATIBLE, _ASK, "stored judgements are of an agent that is gone")),
    (_ANY, "safety.yaml:grading", _means(_INCOMPATIBLE, _ASK, "stored grades are of another scale")),
    (_ANY, "safety.yaml:dictionary", _means(_RECHECK, _TELL, "events are coded anew")),
    (_ANY, "safety.yaml:special_interest*", _means(_RECHECK, _ASK, "which events are looked at closely")),
    (_ANY, "safety.yaml:collect_from", _means(_NONE, _ASK, "from when events are collected")),
    (_ANY, "safety.yaml:follow_up_days", _means(_NONE, _ASK, "how long events are collected", reconsent=True)),
    # consent and public texts
    (_NEW, "consent/*.md:", _means(_NONE, _TELL, "consent in one more language; its text must be approved")),
    (_GONE, "consent/*.md:", _means(_NONE, _ASK, "consent in this language is gone")),
    (_ANY, "consent/*.md:head/status", _means(_NONE, _NO, "the state of the text's review")),
    (_ANY, "consent/*.md:head/reviewed_text", _means(_NONE, _NO, "the state of the text's review")),
    (_ANY, "consent/*.md:head/title", _means(_NONE, _TELL, "the title of the text")),
    (_ANY, "consent/*.md:head/teach_back*", _means(_NONE, _TELL, "questions that teach and never bar")),
    (_ANY, "consent/*.md:*", _means(_NONE, _ASK, "what people agreed to has changed", reconsent=True)),
    (_ANY, "public/*.md:*", _means(_NONE, _TELL, "the public page; recruitment texts need a favourable opinion")),
    # analysis.yaml and simulation.yaml
    (_ANY, "analysis.yaml:outputs*", _means(_NONE, _NO, "how results are shown")),
    (_ANY, "analysis.yaml:*/label*", _means(_NONE, _NO, "the name of a part of the plan")),
    (_ANY, "analysis.yaml:models*", _means(_NONE, _TELL, "how results are computed; before unblinding only")),
    (_ANY, "analysis.yaml:*", _means(_NONE, _ASK, "what the study concludes from its data")),
    (_ANY, "simulation.yaml:*", _means(_NONE, _NO, "what was assumed before the study")),
)
"""The table. The first entry that matches counts."""

UNCLASSIFIED = _means(_RECHECK, _ASK, "nobody has said what this change means, so it is taken to matter")


def consequence(change: Change) -> Consequence:
    """What a change means, by the first entry of the table that matches."""
    for kinds, pattern, found in CONSEQUENCES:
        if change.kind in kinds and fnmatchcase(change.place, pattern):
            return _by_content(change, found)
    return UNCLASSIFIED


def _by_content(change: Change, found: Consequence) -> Consequence:
    """Two lists whose meaning depends on what was put in or taken out."""
    old, new = change.old or [], change.new or []
    if not (isinstance(old, list) and isinstance(new, list)):
        return found
    if change.path[-1:] == ("units",) and set(old) <= set(new):
        if new[:1] == old[:1]:
            return _means(_NONE, _TELL, "values can be entered in one more unit")
        return _means(_RECHECK, _ASK, "ranges, expressions and exports count in another unit")
    if change.path[:1] == ("encounters",) and change.path[-1:] == ("forms",):
        if set(new) == set(old):
            return _means(_NONE, _NO, "the order of forms at a visit")
        if set(new) < set(old):
            return _means(_INCOMPATIBLE, _ASK, "a form filled so far is no longer asked for")
    return found
