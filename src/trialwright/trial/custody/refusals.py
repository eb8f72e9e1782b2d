"""Why a command of custody is refused, by name."""

from __future__ import annotations

from trialwright.foundation.errors import Refusal


class NoSuchSlot(Refusal):
    """The study makes no product, or has no such slot."""

    code = "custody.no_such_slot"


class GateNotPassed(Refusal):
    """A gate criterion does not hold or is unknown, or nobody passed the gate yet."""

    code = "custody.gate_not_passed"


class SlotCancelled(Refusal):
    """There will be no injection in this slot."""

    code = "custody.slot_cancelled"


class LabelNotUsable(Refusal):
    """The scanned label is not one of this study's, or is in use."""

    code = "custody.label_not_usable"


class LabelUnknown(Refusal):
    """No product of this participant carries the label, or the laboratory does not have it."""

    code = "custody.label_unknown"


class MeasurementNotReadable(Refusal):
    """A value that cannot be a value of the measurement."""

    code = "custody.measurement_not_readable"


class ReleaseCriteriaNotMet(Refusal):
    """A release criterion does not hold or is unknown."""

    code = "custody.release_criteria_not_met"


class AlreadyDecided(Refusal):
    """The product was released, failed or destroyed before."""

    code = "custody.already_decided"


class WithinSpecification(Refusal):
    """No release criterion fails."""

    code = "custody.within_specification"


class NotRequested(Refusal):
    """The treating physician did not ask for this product, or asks where nothing is offered."""

    code = "custody.not_requested"


class SamePerson(Refusal):
    """The act needs two people."""

    code = "custody.same_person"


class NotReleased(Refusal):
    """The product is not released, or the slot has no release decision."""

    code = "custody.not_released"


class NotCertified(Refusal):
    """The batch has no certificate."""

    code = "custody.not_certified"


class Expired(Refusal):
    """The time allowed from the release decision is over."""

    code = "custody.expired"


class IdentifiersDoNotMatch(Refusal):
    """Label and wristband, as scanned, do not belong together."""

    code = "custody.identifiers_do_not_match"


class ProductUnusable(Refusal):
    """The product failed, was destroyed, was given, or was judged unusable."""

    code = "custody.product_unusable"


class AllocationUnavailable(Refusal):
    """What the syringe must hold could not be looked up."""

    code = "custody.allocation_unavailable"


class ComparatorLotMissing(Refusal):
    """A comparator needs its lot, a product has none."""

    code = "custody.comparator_lot"


class AlreadyInjected(Refusal):
    """The slot's injection was given."""

    code = "custody.already_injected"


class ContentUnknown(Refusal):
    """What was given is neither the product nor the comparator, or contradicts its dose."""

    code = "custody.content_unknown"


class ReasonMissing(Refusal):
    """The act asks for a reason."""

    code = "custody.reason_missing"


class NotRandomised(Refusal):
    """The participant has no allocation."""

    code = "custody.not_randomised"


class StaysBlinded(Refusal):
    """The study keeps this role blinded, and the act would tell it the arm."""

    code = "custody.stays_blinded"


class NotWhatWasShown(Refusal):
    """The signature is over something else."""

    code = "custody.not_what_was_shown"
