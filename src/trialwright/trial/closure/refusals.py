"""Why a command of closure is refused, by name."""

from __future__ import annotations

from trialwright.foundation.errors import Refusal


class TextMissing(Refusal):
    """A description without words, or a name that is none."""

    code = "closure.text_missing"


class AlreadyClassified(Refusal):
    """The deviation was judged before."""

    code = "closure.already_classified"


class NameTaken(Refusal):
    """A data cut of that name exists."""

    code = "closure.name_taken"


class NotReady(Refusal):
    """Something is still open that has to be settled first."""

    code = "closure.not_ready"


class NotFrozen(Refusal):
    """The act belongs to a frozen study, or to one that is not."""

    code = "closure.not_frozen"


class NotLocked(Refusal):
    """The act belongs to a locked study, or to one that is not."""

    code = "closure.not_locked"


class BlindReviewIncomplete(Refusal):
    """The review does not say of everybody who counts in which population, or is not there."""

    code = "closure.blind_review_incomplete"


class NotWhatWasShown(Refusal):
    """The signature is over something else."""

    code = "closure.not_what_was_shown"


class SecondPersonMissing(Refusal):
    """The act needs two people: nobody proposed it, or the same person did."""

    code = "closure.second_person_missing"


class PlanNotSigned(Refusal):
    """The analysis plan is not signed or the code not frozen, or it is too late for it."""

    code = "closure.plan_not_signed"


class AlreadyUnblinded(Refusal):
    """The study was unblinded before."""

    code = "closure.already_unblinded"


class NotUnblinded(Refusal):
    """A blinded study is unblinded before it is closed."""

    code = "closure.not_unblinded"


class AllocationsUnavailable(Refusal):
    """This process cannot open allocations."""

    code = "closure.allocations_unavailable"


class NotClosed(Refusal):
    """The study is not closed yet, or is closed or archived already."""

    code = "closure.not_closed"


class StudyIsArchived(Refusal):
    """The record was handed to the archive; what is in there must stay what it was."""

    code = "closure.study_archived"


class ReasonMissing(Refusal):
    """The act asks for a reason."""

    code = "closure.reason_missing"
