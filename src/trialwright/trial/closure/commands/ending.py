"""The way to the end: data cut, freeze, blind review, lock, unlock, plan, unblinding, close, archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from trialwright.ledger import canonical
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.state import Randomised
from trialwright.trial.closure.events import (
    AllocationsDisclosed,
    AnalysisCodeFrozen,
    AnalysisPlanSigned,
    BlindReviewSigned,
    DataCutMade,
    Disclosed,
    PopulationDecision,
    SecondPersonAsked,
    StudyArchived,
    StudyClosed,
    StudyFrozen,
    StudyLocked,
    StudyUnblinded,
    StudyUnlocked,
)
from trialwright.trial.closure.readiness import closed_obstacles, data_obstacles, participants, safety_obstacles
from trialwright.trial.closure.refusals import (
    AllocationsUnavailable,
    AlreadyUnblinded,
    BlindReviewIncomplete,
    NameTaken,
    NotClosed,
    NotFrozen,
    NotLocked,
    NotReady,
    NotUnblinded,
    NotWhatWasShown,
    PlanNotSigned,
    SecondPersonMissing,
    StudyIsArchived,
)
from trialwright.trial.closure.state import UNBLIND, UNLOCK, Disclosure, Ending
from trialwright.trial.closure.wording import in_years, name, need_reason, sha256_hex, words
from trialwright.trial.command import Command, Context, Decide, Permission, may
from trialwright.trial.event import Event, Space, encode
from trialwright.trial.state import State

KEEP_YEARS = 25
"""Retention of trial records (Regulation (EU) 536/2014, Article 58)."""

SHOWN_OBSTACLES = 5


@dataclass(frozen=True, kw_only=True)
class MakeDataCut(Command):
    """Give the open ledger as it stands a name. By data management or the independent statistician.

    Refused: a name that is taken or none.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.DATA_MANAGER, Role.INDEPENDENT_STATISTICIAN, after_lock=True, checkpoint=True
    )
    cut: str


@dataclass(frozen=True, kw_only=True)
class FreezeStudy(Command):
    """End data entry. By data management.

    Refused: open queries; forms of visits held that are not filled, complete or signed; items not verified that are
    to be (all named); frozen already.
    """

    PERMISSION: ClassVar[Permission] = may(Role.DATA_MANAGER)


@dataclass(frozen=True, kw_only=True)
class SignBlindReview(Command):
    """Say who counts in which population, before anybody knows the arms. By sponsor, data management or medical
    monitor, signed over :func:`shown_review`.

    Refused: not frozen; a randomised participant or a population left out; unknown ones; another hash signed.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.SPONSOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR, signs="blind_review"
    )
    decisions: tuple[PopulationDecision, ...]


@dataclass(frozen=True, kw_only=True)
class LockStudy(Command):
    """Make the data final. By sponsor or data management, signed over the open ledger's root.

    Refused: not frozen; no blind review since; serious events still followed, submissions missing, deviations not
    classified, breaches not notified (named); something was written since it was shown.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.DATA_MANAGER, signs="lock_study")


@dataclass(frozen=True, kw_only=True)
class ProposeUnlock(Command):
    """Ask for the study to be opened again, with the reason. By sponsor or data management, signed.

    The first of two people. Refused: not locked; archived; no reason.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.DATA_MANAGER, signs="propose_unlock", after_lock=True)


@dataclass(frozen=True, kw_only=True)
class UnlockStudy(Command):
    """Open a locked study again, with the reason. By sponsor or data management, signed. The second of two people.

    Refused: not locked; archived; nobody proposed it, or the same person did; no reason.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.DATA_MANAGER, signs="unlock_study", after_lock=True)


@dataclass(frozen=True, kw_only=True)
class SignAnalysisPlan(Command):
    """Sign the final analysis plan, over its hash. By sponsor or independent statistician.

    Refused: after unblinding; another hash signed.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.SPONSOR, Role.INDEPENDENT_STATISTICIAN, signs="analysis_plan", after_lock=True
    )
    version: str
    plan: str
    """SHA-256 (hex)."""


@dataclass(frozen=True, kw_only=True)
class FreezeAnalysisCode(Command):
    """Fix the programs of the analysis by their hash. By sponsor or independent statistician.

    Refused: after unblinding.
    """

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, Role.INDEPENDENT_STATISTICIAN, after_lock=True)
    code: str
    """SHA-256 (hex)."""


@dataclass(frozen=True, kw_only=True)
class ProposeUnblinding(Command):
    """Ask for the final unblinding. By sponsor or data management, signed. The first of two.

    Refused: not locked; plan not signed or code not frozen; unblinded already.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.SPONSOR, Role.DATA_MANAGER, signs="propose_unblinding", after_lock=True
    )


@dataclass(frozen=True, kw_only=True)
class UnblindStudy(Command):
    """Disclose all allocations. By the independent statistician, signed, in the closed space. The second of two.

    The open record learns that it happened; the allocations stay in the closed one. Refused: not locked; plan not
    signed or code not frozen; nobody proposed it, or the same person did; closed deviations not classified.
    """

    PERMISSION: ClassVar[Permission] = may(
        Role.INDEPENDENT_STATISTICIAN, space=Space.CLOSED, signs="unblind_study", after_lock=True
    )


@dataclass(frozen=True, kw_only=True)
class CloseStudy(Command):
    """End the trial. By the sponsor, signed. Refused: not locked; a blinded study that was not unblinded; closed."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, signs="close_study", after_lock=True)
    early: bool = False


@dataclass(frozen=True, kw_only=True)
class ArchiveStudy(Command):
    """Report that the record was handed to the archive. By the sponsor. Refused: not closed; archived already."""

    PERMISSION: ClassVar[Permission] = may(Role.SPONSOR, after_lock=True)
    place: str


def make_data_cut(command: MakeDataCut, state: State, context: Context) -> Iterable[Event]:
    cut = name(command.cut)
    if cut in state.of(Ending).cuts:
        raise NameTaken(f"there is a data cut {cut!r}", remedy="choose another name", cut=cut)
    size, root = context.open_head()
    yield DataCutMade(cut=cut, size=size, root=root)


def freeze_study(command: FreezeStudy, state: State, context: Context) -> Iterable[Event]:
    if state.of(Ending).frozen:
        raise NotFrozen("the study is frozen already", remedy="go on with the blind review")
    _need_none("frozen", data_obstacles(state, context))
    yield StudyFrozen()


def sign_blind_review(command: SignBlindReview, state: State, context: Context) -> Iterable[Event]:
    ending = state.of(Ending)
    if not ending.frozen or ending.locked:
        raise NotFrozen(
            "the study is not frozen" if not ending.frozen else "the study is locked",
            remedy="the blind review stands between freeze and lock",
        )
    _need_complete(command.decisions, state, context)
    shown = shown_review(command.decisions)
    _need_shown(shown, "the hash of these decisions", context)
    yield BlindReviewSigned(decisions=command.decisions, shown=shown)


def lock_study(command: LockStudy, state: State, context: Context) -> Iterable[Event]:
    ending = state.of(Ending)
    if not ending.frozen:
        raise NotFrozen("the study is not frozen", remedy="give FreezeStudy first")
    if not ending.reviewed:
        raise BlindReviewIncomplete(
            "no blind review was signed since the freeze", remedy="give SignBlindReview first"
        )
    _need_none("locked", data_obstacles(state, context))
    _need_none("locked", safety_obstacles(state, context))
    _need_none("locked", (f"{breach} is not notified" for breach in ending.breaches))
    size, root = context.open_head()
    _need_shown(root, "the open ledger's root", context)
    yield StudyLocked(size=size, root=root)


def propose_unlock(command: ProposeUnlock, state: State, context: Context) -> Iterable[Event]:
    _need_locked(state.of(Ending))
    _need_not_archived(state.of(Ending))
    need_reason(context, "opening a locked study")
    yield SecondPersonAsked(act=UNLOCK)


def unlock_study(command: UnlockStudy, state: State, context: Context) -> Iterable[Event]:
    ending = state.of(Ending)
    _need_locked(ending)
    _need_not_archived(ending)
    need_reason(context, "opening a locked study")
    first = _other_person(UNLOCK, ending, context)
    yield StudyUnlocked(second=first, after_unblinding=ending.unblinded)


def sign_analysis_plan(command: SignAnalysisPlan, state: State, context: Context) -> Iterable[Event]:
    _before_unblinding(state)
    plan = sha256_hex(command.plan)
    _need_shown(plan, "the plan's hash", context)
    yield AnalysisPlanSigned(version=words(command.version), plan=plan, shown=plan)


def freeze_analysis_code(command: FreezeAnalysisCode, state: State, context: Context) -> Iterable[Event]:
    _before_unblinding(state)
    yield AnalysisCodeFrozen(code=sha256_hex(command.code))


def propose_unblinding(command: ProposeUnblinding, state: State, context: Context) -> Iterable[Event]:
    _before_unblinding(state)
    _need_plan(state.of(Ending))
    yield SecondPersonAsked(act=UNBLIND)


def unblind_study(command: UnblindStudy, state: State, context: Context) -> Iterable[Event]:
    _before_unblinding(state)
    ending = state.of(Ending)
    if state.of(Disclosure).done:
        raise AlreadyUnblinded("the allocations were disclosed", remedy="read the closed views")
    _need_plan(ending)
    first = _other_person(UNBLIND, ending, context)
    _need_none("unblinded", closed_obstacles(state, context))
    if context.allocations is None:
        raise AllocationsUnavailable(
            "this process cannot open allocations", remedy="start it with the dispensing or the unblinding key"
        )
    disclosed = tuple(
        Disclosed(participant=participant, label=context.allocations.label(participant))
        for _, participant in participants(state, context)
        if state.of(Randomised, participant).done
    )
    yield AllocationsDisclosed(allocations=disclosed)
    yield StudyUnblinded(second=first, participants=len(disclosed))


def close_study(command: CloseStudy, state: State, context: Context) -> Iterable[Event]:
    ending = state.of(Ending)
    _need_locked(ending)
    if ending.closed:
        raise NotClosed("the study is closed already", remedy="archive it")
    if context.build.study.identity.blinding.kind == "blinded" and not ending.unblinded:
        raise NotUnblinded("the study was not unblinded", remedy="two people unblind it first")
    yield StudyClosed(date=context.happened_on, early=command.early)


def archive_study(command: ArchiveStudy, state: State, context: Context) -> Iterable[Event]:
    ending = state.of(Ending)
    if not ending.closed or ending.archived:
        raise NotClosed(
            "the study is archived already" if ending.archived else "the study is not closed",
            remedy="close it first; archive it once",
        )
    custody = context.build.study.custody
    years = max(KEEP_YEARS, custody.traceability_years if custody else 0)
    size, root = context.open_head()
    yield StudyArchived(
        place=words(command.place), size=size, root=root, keep_until=in_years(context.happened_on, years)
    )


def shown_review(decisions: tuple[PopulationDecision, ...]) -> str:
    """SHA-256 (hex) of the decisions as they are shown for signing."""
    return sha256(canonical(encode(BlindReviewSigned(decisions=decisions, shown="")))).hexdigest()


def _need_complete(decisions: tuple[PopulationDecision, ...], state: State, context: Context) -> None:
    """Exactly one decision for every randomised participant and every population of the analysis plan."""
    populations = [population.id for population in context.build.study.analysis.populations]
    everybody = [p for _, p in participants(state, context) if state.of(Randomised, p).done]
    wanted = {(participant, population) for participant in everybody for population in populations}
    given = [(decision.participant, decision.population) for decision in decisions]
    wrong = sorted(wanted - set(given)) or sorted(set(given) - wanted)
    if wrong or len(given) != len(wanted):
        participant, population = wrong[0] if wrong else next(pair for pair in given if given.count(pair) > 1)
        raise BlindReviewIncomplete(
            f"{participant} has not exactly one decision for the population {population}",
            remedy="decide for every randomised participant and every population, once",
            participant=participant,
            population=population,
        )
    unexplained = [d for d in decisions if not d.included and not d.why.strip()]
    if unexplained:
        raise BlindReviewIncomplete(
            f"{unexplained[0].participant} is left out of {unexplained[0].population} without a reason",
            remedy="say why",
            participant=unexplained[0].participant,
        )


def _need_shown(now: str, what: str, context: Context) -> None:
    """The signature covers exactly what stands there now."""
    assert context.signature is not None  # the permission demands it
    if context.signature.shown != now:
        raise NotWhatWasShown(
            f"the signature is not over {what}", remedy="look at what stands there now, then sign", shown=now
        )


def _need_none(what: str, obstacles: Iterator[str]) -> None:
    found = list(obstacles)
    if found:
        more = f" and {len(found) - SHOWN_OBSTACLES} more" if len(found) > SHOWN_OBSTACLES else ""
        raise NotReady(
            f"the study cannot be {what}: {'; '.join(found[:SHOWN_OBSTACLES])}{more}",
            remedy="settle them; the task lists name all",
            obstacles=len(found),
        )


def _need_locked(ending: Ending) -> None:
    if not ending.locked:
        raise NotLocked("the study is not locked", remedy="lock it first, or just go on")


def _need_not_archived(ending: Ending) -> None:
    if ending.archived:
        raise StudyIsArchived(
            "the record was archived", remedy="what comes to light now is a new study or a note to the archive"
        )


def _need_plan(ending: Ending) -> None:
    _need_locked(ending)
    if not ending.plan or not ending.code:
        raise PlanNotSigned(
            "the analysis plan is not signed" if not ending.plan else "the analysis code is not frozen",
            remedy="SignAnalysisPlan and FreezeAnalysisCode come before anybody knows the arms",
        )


def _before_unblinding(state: State) -> None:
    if state.of(Ending).unblinded:
        raise AlreadyUnblinded("the study was unblinded before", remedy="what was decided blind stays as it was")


def _other_person(act: str, ending: Ending, context: Context) -> str:
    first = ending.proposed.get(act)
    if first is None or first == context.actor.person:
        raise SecondPersonMissing(
            f"nobody proposed to {act}" if first is None else f"{first} proposed it and cannot confirm it",
            remedy="two people do this: one proposes, another confirms",
            act=act,
        )
    return first


DECISIONS: Mapping[type[Command], Decide] = {
    MakeDataCut: make_data_cut,
    FreezeStudy: freeze_study,
    SignBlindReview: sign_blind_review,
    LockStudy: lock_study,
    ProposeUnlock: propose_unlock,
    UnlockStudy: unlock_study,
    SignAnalysisPlan: sign_analysis_plan,
    FreezeAnalysisCode: freeze_analysis_code,
    ProposeUnblinding: propose_unblinding,
    UnblindStudy: unblind_study,
    CloseStudy: close_study,
    ArchiveStudy: archive_study,
}
