"""The way to the end: data cut, freeze, blind review, lock, unlock by two, plan, unblinding, close, archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.closure.commands import (
    ArchiveStudy,
    CloseStudy,
    FreezeAnalysisCode,
    FreezeStudy,
    LockStudy,
    MakeDataCut,
    ProposeUnblinding,
    ProposeUnlock,
    SignAnalysisPlan,
    SignBlindReview,
    UnlockStudy,
    shown_review,
)
from trialwright.trial.closure.events import PopulationDecision
from trialwright.trial.closure.state import UNBLIND, UNLOCK, Ending
from trialwright.trial.closure.views import DATA_CUT, DEVIATION, MILESTONE, POPULATION
from trialwright.trial.command import Command
from trialwright.trial.tasks import UNDER_WAY, Kind, tasks
from trialwright_web.shell.acts import Act, Answers, Field, act_page, may_act
from trialwright_web.shell.desk import Desk, Request, at_desk
from trialwright_web.shell.deviations import about_words
from trialwright_web.shell.pages import render_page
from trialwright_web.shell.templatetags.shell import in_language
from trialwright_web.shell.words import Words

READERS = (
    Role.SPONSOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.MONITOR, Role.INDEPENDENT_STATISTICIAN,
    Role.INSPECTOR,
)  # fmt: skip

WAITING: Mapping[Kind, Words] = {
    Kind.COUNTERSIGN_CONSENT: _("consents to countersign"),
    Kind.CONSENT_AGAIN: _("consents to renew"),
    Kind.SIGN_OFF_ELIGIBILITY: _("eligibility to sign off"),
    Kind.END_SCREENING: _("screenings to end"),
    Kind.VISIT_DUE: _("visits due"),
    Kind.VISIT_OVERDUE: _("visits overdue"),
    Kind.VISIT_MISSED: _("missed visits to record"),
    Kind.COMPLETE_FORM: _("forms to complete"),
    Kind.SIGN_FORM: _("forms to sign"),
    Kind.ANSWER_QUERY: _("queries to answer"),
    Kind.SETTLE_QUERY: _("queries to settle"),
    Kind.VERIFY_ITEMS: _("forms to verify"),
    Kind.CLASSIFY_DEVIATION: _("deviations to classify"),
    Kind.MEET_CLOCK: _("safety clocks running"),
    Kind.NOTIFY_BREACH: _("breaches to notify"),
    Kind.SIGN_CASE_BOOK: _("case books to sign"),
}
"""What stands in the way, in words."""

MILESTONES: Mapping[str, Words] = {
    "study_created": _("Study created"),
    "build_approved": _("Version approved"),
    "study_opened": _("Study opened"),
    "data_cut_made": _("Data cut"),
    "study_frozen": _("Frozen"),
    "blind_review_signed": _("Blind review signed"),
    "study_locked": _("Locked"),
    "second_person_asked": _("Second person asked"),
    "study_unlocked": _("Unlocked"),
    "analysis_plan_signed": _("Analysis plan signed"),
    "analysis_code_frozen": _("Analysis programs frozen"),
    "study_unblinded": _("Unblinded"),
    "study_closed": _("Closed"),
    "study_archived": _("Archived"),
}


@at_desk(*READERS)
@require_GET
def closure(request: Request, desk: Desk) -> HttpResponse:
    """How near the end is, what stands in the way, and the acts."""
    ending = desk.trial.state().of(Ending)
    expected = expected_acts(ending)
    offers = [
        (act_words(desk, name, words), reverse("monitor:closure_act", args=(desk.study, name)), name in expected)
        for name, (words, command, _page, when) in ACTS.items()
        if may_act(desk, command) and (name in expected or when(ending))
    ]
    context = {
        "steps": steps(ending, is_open=desk.trial.one_space),
        "offers": sorted(offers, key=lambda offer: not offer[2]),
        "obstacles": _obstacles(desk),
        "under_way": sum(row["status"] in UNDER_WAY for row in desk.participants()),
        "everybody": sum(1 for _ in desk.participants()),
        "milestones": [
            (_milestone(desk, str(row["what"])), _in_words(desk, row)) for row in desk.rows.where(MILESTONE)
        ],
        "cuts": list(desk.rows.where(DATA_CUT)),
        "populations": _populations(desk),
        "zone": desk.zone(),
    }
    return render_page(request, "monitor/closure.html", context)


def act_words(desk: Desk, name: str, words: Words) -> Words:
    """What an act is called in this study: where nothing is blinded, nobody unblinds."""
    return _("Propose to put the allocations on record") if _discloses(desk, name, "propose-unblinding") else words


def _milestone(desk: Desk, what: str) -> Words:
    return _("Allocations on record") if _discloses(desk, what, "study_unblinded") else MILESTONES.get(what, what)


def _in_words(desk: Desk, row: Row) -> dict[str, Any]:
    """A milestone whose details say in words what the second person was asked for."""
    name = {UNBLIND: "propose-unblinding", UNLOCK: "propose-unlock"}.get(str(row["details"] or ""))
    asked = row["what"] == "second_person_asked" and name is not None
    return {**row, "details": act_words(desk, name, ACTS[name][0])} if asked and name else dict(row)


def _discloses(desk: Desk, what: str, one: str) -> bool:
    return desk.trial.one_space and what == one


def steps(ending: Ending, *, is_open: bool) -> tuple[tuple[Words, bool], ...]:
    """The way to the end, and what of it is done."""
    return (
        (_("Frozen"), ending.frozen),
        (_("Reviewed blind"), ending.reviewed),
        (_("Locked"), ending.locked),
        (_("Plan signed"), bool(ending.plan)),
        (_("Programs frozen"), bool(ending.code)),
        (_("Allocations on record") if is_open else _("Unblinded"), ending.unblinded),
        (_("Closed"), ending.closed),
        (_("Archived"), ending.archived),
    )


def expected_acts(ending: Ending) -> tuple[str, ...]:
    """What comes next, whoever does it."""
    if not ending.frozen:
        return ("freeze",)
    if not ending.reviewed:
        return ("review",)
    if not ending.locked:
        return ("lock",)
    if not ending.plan or not ending.code:
        return tuple(name for name, done in (("plan", ending.plan), ("code", ending.code)) if not done)
    if not ending.unblinded:
        return () if UNBLIND in ending.proposed else ("propose-unblinding",)
    if not ending.closed:
        return ("close",)
    return () if ending.archived else ("archive",)


def _obstacles(desk: Desk) -> list[tuple[Words, int]]:
    """Tasks that anybody has, by kind; a frozen and locked study has none."""
    found = Counter(task.kind for task in tasks(desk.rows, desk.builds, desk.today))
    return [(words, found[kind]) for kind, words in WAITING.items() if found[kind]]


def _populations(desk: Desk) -> list[tuple[str, int, int]]:
    """Population, how many count in it, how many do not."""
    rows = list(desk.rows.where(POPULATION))
    return [
        (
            in_language(population.label),
            sum(bool(row["included"]) for row in rows if row["population"] == population.id),
            sum(not row["included"] for row in rows if row["population"] == population.id),
        )
        for population in desk.build.study.analysis.populations
        if rows
    ]


@at_desk(Role.SPONSOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR, Role.INDEPENDENT_STATISTICIAN)
@require_http_methods(["GET", "POST"])
def act(request: Request, desk: Desk, act: str) -> HttpResponse:
    """One act of the study's end."""
    if act not in ACTS:
        raise Http404
    return act_page(request, desk, ACTS[act][2](desk))


# --- the acts ------------------------------------------------------------------------------------------------


def _head(desk: Desk) -> tuple[tuple[tuple[Words, Words], ...], str]:
    """Facts about the open record, and its root."""
    size, root = desk.trial.open_head()
    return ((_("Events in the open record"), str(size)), (_("Root of the open record"), root)), root


def _back(desk: Desk) -> str:
    return reverse("monitor:closure", args=(desk.study,))


def _waiting_rows(desk: Desk) -> tuple[tuple[Words, ...], ...]:
    rows = tuple((words, str(number)) for words, number in _obstacles(desk))
    return ((_("Still waiting"), _("Number")), *rows) if rows else ()


def _cut(desk: Desk) -> Act:
    facts, _root = _head(desk)
    return Act(
        title=_("Make a data cut"),
        command=MakeDataCut,
        make=lambda answers: MakeDataCut(cut=answers.text("cut")),
        back=_back(desk),
        facts=facts,
        fields=(
            Field("cut", _("Name"), help=_("Lower-case letters, digits and underscores, for example dmc_2028_03")),
        ),
        intro=_("The open record as it stands gets a name; reports cite it."),
        button=_("Make the cut"),
        done=_("The data cut is made."),
    )


def _freeze(desk: Desk) -> Act:
    return Act(
        title=_("Freeze the data"),
        command=FreezeStudy,
        make=lambda answers: FreezeStudy(),
        back=_back(desk),
        rows=_waiting_rows(desk),
        intro=_("Data entry ends. It is refused, with what is missing, while something is open."),
        button=_("Freeze the data"),
        done=_("The data are frozen."),
    )


def _review(desk: Desk) -> Act:
    people = sorted(str(row["participant"]) for row in desk.rows.where(RANDOMISATION))
    populations = desk.build.study.analysis.populations
    fields = tuple(
        field
        for person in people
        for one in populations
        for field in (
            Field(
                f"in.{person}.{one.id}", f"{person}: {in_language(one.label)}", "tick", value="yes", required=False
            ),
            Field(f"why.{person}.{one.id}", f"{person}: {in_language(one.label)}", required=False),
        )
    )

    def make(answers: Answers) -> Command:
        return SignBlindReview(
            decisions=tuple(
                PopulationDecision(
                    participant=person,
                    population=one.id,
                    included=answers.ticked(f"in.{person}.{one.id}"),
                    why=answers.text(f"why.{person}.{one.id}"),
                )
                for person in people
                for one in populations
            )
        )

    def over(command: Command) -> str:
        assert isinstance(command, SignBlindReview)
        return shown_review(command.decisions)

    def context() -> dict[str, Any]:
        deviations = {
            person: [
                (about_words(desk.build_at(str(desk.participant(person)["site"])), row), row["important"])
                for row in desk.rows.where(DEVIATION, participant=person)
            ]
            for person in people
        }
        return {"populations": [in_language(one.label) for one in populations], "people": people, "of": deviations}

    return Act(
        title=_("Sign the blind review"),
        command=SignBlindReview,
        make=make,
        back=_back(desk),
        fields=fields,
        intro=_(
            "Who counts in which population, decided before anybody knows the arms. Say why where somebody does not."
        ),
        signs_over=over,
        button=_("Sign the review"),
        done=_("The blind review is signed."),
        template="monitor/review.html",
        context=context,
    )


def _lock(desk: Desk) -> Act:
    facts, root = _head(desk)
    return Act(
        title=_("Lock the study"),
        command=LockStudy,
        make=lambda answers: LockStudy(),
        back=_back(desk),
        facts=facts,
        rows=_waiting_rows(desk),
        intro=_("The data become final. You sign the root of the open record as it stands."),
        shown=root,
        button=_("Sign and lock"),
        danger=True,
        done=_("The study is locked."),
    )


def _propose_unlock(desk: Desk) -> Act:
    facts, root = _head(desk)
    return Act(
        title=_("Propose to unlock the study"),
        command=ProposeUnlock,
        make=lambda answers: ProposeUnlock(),
        back=_back(desk),
        facts=facts,
        reason=_("Why the study has to be opened again"),
        shown=root,
        button=_("Sign the proposal"),
        danger=True,
        done=_("A second person can unlock now."),
    )


def _unlock(desk: Desk) -> Act:
    facts, root = _head(desk)
    first = desk.trial.state().of(Ending).proposed.get(UNLOCK, "–")
    return Act(
        title=_("Unlock the study"),
        command=UnlockStudy,
        make=lambda answers: UnlockStudy(),
        back=_back(desk),
        facts=(*facts, (_("Proposed by"), first)),
        reason=_("Why the study has to be opened again"),
        shown=root,
        button=_("Sign and unlock"),
        danger=True,
        done=_("The study is open again."),
    )


def _plan(desk: Desk) -> Act:
    def over(command: Command) -> str:
        assert isinstance(command, SignAnalysisPlan)
        return command.plan

    return Act(
        title=_("Sign the analysis plan"),
        command=SignAnalysisPlan,
        make=lambda answers: SignAnalysisPlan(version=answers.text("version"), plan=answers.text("plan").lower()),
        back=_back(desk),
        fields=(
            Field("version", _("Version")),
            Field("plan", _("SHA-256 of the plan's file"), help=_("Made with: sha256sum plan.pdf")),
        ),
        signs_over=over,
        button=_("Sign the plan"),
        done=_("The plan is signed."),
    )


def _code(desk: Desk) -> Act:
    return Act(
        title=_("Freeze the analysis programs"),
        command=FreezeAnalysisCode,
        make=lambda answers: FreezeAnalysisCode(code=answers.text("code").lower()),
        back=_back(desk),
        fields=(Field("code", _("SHA-256 of the programs"), help=_("Made with: sha256sum programs.tar")),),
        button=_("Freeze the programs"),
        done=_("The programs are frozen."),
    )


def _propose_unblinding(desk: Desk) -> Act:
    facts, root = _head(desk)
    return Act(
        title=act_words(desk, "propose-unblinding", _("Propose the final unblinding")),
        command=ProposeUnblinding,
        make=lambda answers: ProposeUnblinding(),
        back=_back(desk),
        facts=facts,
        intro=_("The independent statistician signs as second person.")
        if desk.trial.one_space
        else _("The independent statistician signs as second person, in the closed process."),
        shown=root,
        button=_("Sign the proposal"),
        danger=True,
        done=_("The independent statistician can sign now."),
    )


def _close(desk: Desk) -> Act:
    facts, root = _head(desk)
    return Act(
        title=_("Close the study"),
        command=CloseStudy,
        make=lambda answers: CloseStudy(early=answers.ticked("early")),
        back=_back(desk),
        facts=facts,
        fields=(Field("early", _("It ends earlier than planned"), "tick", required=False),),
        shown=root,
        button=_("Sign and close"),
        danger=True,
        done=_("The study is closed."),
    )


def _archive(desk: Desk) -> Act:
    return Act(
        title=_("Record the hand-over to the archive"),
        command=ArchiveStudy,
        make=lambda answers: ArchiveStudy(place=answers.text("place")),
        back=_back(desk),
        fields=(Field("place", _("Where the record is kept")),),
        happened=_("Handed over at (local time)"),
        button=_("Record it"),
        done=_("The study is archived."),
    )


def _always(ending: Ending) -> bool:
    return not ending.archived


def _when_locked(ending: Ending) -> bool:
    return ending.locked and not ending.archived


def _before_unblinding(ending: Ending) -> bool:
    return not ending.unblinded


def _never(ending: Ending) -> bool:
    return False


def _unlock_proposed(ending: Ending) -> bool:
    return UNLOCK in ending.proposed and not ending.archived


ACTS: Mapping[str, tuple[Words, type[Command], Callable[[Desk], Act], Callable[[Ending], bool]]] = {
    "freeze": (_("Freeze the data"), FreezeStudy, _freeze, _never),
    "review": (_("Blind review"), SignBlindReview, _review, _never),
    "lock": (_("Lock the study"), LockStudy, _lock, _never),
    "plan": (_("Sign the analysis plan"), SignAnalysisPlan, _plan, _before_unblinding),
    "code": (_("Freeze the analysis programs"), FreezeAnalysisCode, _code, _before_unblinding),
    "propose-unblinding": (_("Propose the final unblinding"), ProposeUnblinding, _propose_unblinding, _never),
    "close": (_("Close the study"), CloseStudy, _close, _never),
    "archive": (_("Archive"), ArchiveStudy, _archive, _never),
    "cut": (_("Make a data cut"), MakeDataCut, _cut, _always),
    "propose-unlock": (_("Propose to unlock"), ProposeUnlock, _propose_unlock, _when_locked),
    "unlock": (_("Unlock"), UnlockStudy, _unlock, _unlock_proposed),
}
"""Part of the address → words, command, page, and when it is offered though it is not what comes next."""
