"""What the closed chain does with a product; each a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from trialwright.foundation.errors import Refusal
from trialwright.foundation.tables import Row
from trialwright.protocol.roles import Role
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.command import Command
from trialwright.trial.custody.commands import (
    AdministerProduct,
    CertifyBatch,
    DestroyProduct,
    FailManufacture,
    HandOver,
    ReceiveProduct,
    RecordExcursion,
    RecordLateResult,
    RecordManufactureStep,
    RecordMeasurements,
    RecordMixUp,
    ReleaseOutOfSpecification,
    ReleaseProduct,
    ReportOutOfSpecification,
    StoreProduct,
)
from trialwright.trial.custody.events import COMPARATOR, PRODUCT, MeasuredValue
from trialwright.trial.custody.judging import dose_text, planned_dose
from trialwright.trial.setup.views import PERSON
from trialwright_web.laboratory.chain import Product
from trialwright_web.shell.acts import Act, Answers, Field, may_act
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.templatetags.shell import in_language, unit_words
from trialwright_web.shell.words import Words

MEASURED = "m."
"""Before the name of a measurement's field; its unit is the field ``u.`` and the name."""


class WrongProductPage(Refusal):
    """The label that was scanned is not that of the page."""

    code = "laboratory.wrong_product_page"


@dataclass(frozen=True)
class Offer:
    """An act that the desk may do; ``expected`` where it is what comes next."""

    title: Words
    address: str
    expected: bool


def offers(desk: Desk, product: Product) -> tuple[Offer, ...]:
    """Acts of the desk for a product, what is expected first."""
    expected = expected_act(product)
    found = []
    for name, (title, command, _page, when) in ACTS.items():
        if may_act(desk, command) and (name == expected or when(product)):
            address = reverse("laboratory:act", args=(desk.study, product.participant, product.label, name))
            found.append(Offer(title, address, name == expected))
    return tuple(sorted(found, key=lambda offer: not offer.expected))


def expected_act(product: Product) -> str | None:
    """What comes next for a product, whoever does it; None while it waits for the site or is done."""
    slot, row = product.slot_row, product.row
    if row is None:
        return "receive"
    if slot.get("injected_on") or product.state in ("failed", "destroyed") or not product.is_current:
        return None
    if row["released_at"] is None:
        verdicts = {result.verdict for result in product.results()}
        if "no" in verdicts:
            if slot.get("decision") != "ask_physician":
                return "out-of-specification"
            return "release-anyway" if slot.get("requested_by") else None
        return "release" if verdicts == {"yes"} else "measure"
    if row["certified_at"] is None:
        return "certify"
    return "administer" if slot.get("handed_over_at") else "hand-over"


# --- the acts ------------------------------------------------------------------------------------------------


def _receive(product: Product) -> Act:
    return Act(
        title=_("Receive the container"),
        command=ReceiveProduct,
        make=lambda answers: ReceiveProduct(
            participant=product.participant,
            label=_same_label(product, answers),
            wristband=answers.text("wristband").upper(),
            condition=answers.text("condition"),
        ),
        back=product.address,
        facts=product.facts,
        fields=(
            _label_field(),
            Field("wristband", _("Scan the participant's code on the accompanying sheet"), "scan"),
            Field("condition", _("Condition and temperature on arrival"), help=_("For example: intact, 6 °C")),
        ),
        happened=_("Received at (local time)"),
        button=_("Record the receipt"),
        done=_("The container is received."),
    )


def _step(product: Product) -> Act:
    return Act(
        title=_("Record a step of the manufacture"),
        command=RecordManufactureStep,
        make=lambda answers: RecordManufactureStep(
            participant=product.participant,
            label=product.label,
            step=answers.text("step"),
            details=answers.text("details"),
        ),
        back=product.address,
        facts=product.facts,
        fields=(
            Field("step", _("Step"), help=_("For example: passage 2")),
            Field("details", _("Details"), "long", required=False),
        ),
        happened=_("Done at (local time)"),
        button=_("Record the step"),
        done=_("The step is recorded."),
    )


def _measure(product: Product) -> Act:
    known = product.values()
    fields = tuple(field for name in product.build.measurements for field in _value_fields(product, name, known))
    return Act(
        title=_("Record measurements"),
        command=RecordMeasurements,
        make=lambda answers: RecordMeasurements(
            participant=product.participant, label=product.label, values=_new_values(product, answers, known)
        ),
        back=product.address,
        facts=product.facts,
        fields=fields,
        intro=_("Fill in what is known; the rest can follow. Only what is new or changed is recorded."),
        button=_("Record the measurements"),
        done=_("The measurements are recorded."),
    )


def _value_fields(product: Product, name: str, known: Mapping[str, MeasuredValue]) -> Iterator[Field]:
    item = product.build.measurements[name].item
    value = known[name].text if name in known else ""
    label = product.measurement_label(name)
    if item.codelist is not None:
        codes = product.build.study.terminology[item.codelist].codes
        choices: tuple[tuple[str, Words], ...] = (
            ("", "–"),
            *((code.code, in_language(code.label)) for code in codes),
        )
        yield Field(MEASURED + name, label, "select", choices, value, required=False)
    elif item.type == "boolean":
        yield Field(
            MEASURED + name,
            label,
            "select",
            (("", "–"), ("true", _("yes")), ("false", _("no"))),
            value,
            required=False,
        )
    else:
        yield Field(
            MEASURED + name, label, "number", value=value, unit=item.units[0] if item.units else "", required=False
        )


def _new_values(
    product: Product, answers: Answers, known: Mapping[str, MeasuredValue]
) -> Mapping[str, MeasuredValue]:
    found = {}
    for name, field in product.build.measurements.items():
        item = field.item
        text = answers.text(MEASURED + name)
        if item.codelist is None and item.type != "boolean":
            text = answers.decimal(MEASURED + name)
        if text and (name not in known or known[name].text != text):
            found[name] = MeasuredValue(text=text, unit=item.units[0] if item.units else None)
    return found


def _criteria_rows(product: Product) -> tuple[tuple[Words, ...], ...]:
    head = (_("Release criterion"), _("Verdict"), _("What is missing"))
    return (head, *((text, words, missing) for text, _verdict, words, missing in product.criteria()))


def _release(product: Product) -> Act:
    return Act(
        title=_("Release the product"),
        command=ReleaseProduct,
        make=lambda answers: ReleaseProduct(participant=product.participant, label=product.label),
        back=product.address,
        facts=(*product.facts, *_measured_facts(product)),
        rows=_criteria_rows(product),
        intro=_("By signing you release this product for the injection of its participant."),
        button=_("Sign the release"),
        done=_("The product is released. The site sees that the slot is ready."),
    )


def _out_of_specification(product: Product) -> Act:
    return Act(
        title=_("Report it out of specification"),
        command=ReportOutOfSpecification,
        make=lambda answers: ReportOutOfSpecification(participant=product.participant, label=product.label),
        back=product.address,
        facts=product.facts,
        rows=_criteria_rows(product),
        intro=_("The treating physician is asked whether to go on with this product. The slot waits for that."),
        button=_("Report it"),
        done=_("The treating physician is asked."),
    )


def _release_anyway(product: Product) -> Act:
    return Act(
        title=_("Release it although it is out of specification"),
        command=ReleaseOutOfSpecification,
        make=lambda answers: ReleaseOutOfSpecification(participant=product.participant, label=product.label),
        back=product.address,
        facts=(
            *product.facts,
            (_("Asked for by"), str(product.slot_row.get("requested_by") or "–")),
            *_measured_facts(product),
        ),
        rows=_criteria_rows(product),
        warning=_("Not every release criterion holds."),
        button=_("Sign the release"),
        danger=True,
        done=_("The product is released. The site sees that the slot is ready."),
    )


def _fail(product: Product) -> Act:
    return Act(
        title=_("Report a failed manufacture"),
        command=FailManufacture,
        make=lambda answers: FailManufacture(participant=product.participant, label=product.label),
        back=product.address,
        facts=product.facts,
        warning=in_language(product.custody.failed_manufacture.text),
        reason=_("Why there will be no product"),
        button=_("Report the failure"),
        danger=True,
        done=_("The failure is recorded. The study's one path follows, the same in every arm."),
    )


def _certify(product: Product) -> Act:
    record = product.batch_hash()
    return Act(
        title=_("Certify the batch"),
        command=CertifyBatch,
        make=lambda answers: CertifyBatch(
            participant=product.participant, label=product.label, batch_record=answers.text("shown")
        ),
        back=product.address,
        facts=(
            *product.facts,
            *_measured_facts(product),
            (_("Steps on record"), str(len(product.steps()))),
            (_("Batch record (SHA-256)"), record),
        ),
        rows=_criteria_rows(product),
        intro=_("You sign the batch record as it stands: identity, every value, every step."),
        shown=record,
        button=_("Sign the certificate"),
        done=_("The batch is certified."),
    )


def _hand_over(product: Product) -> Act:
    return Act(
        title=_("Hand over the covered syringe"),
        command=HandOver,
        make=lambda answers: HandOver(
            participant=product.participant,
            slot=product.slot.id,
            label=answers.text("label").upper(),
            wristband=answers.text("wristband").upper(),
            to=answers.text("to"),
            comparator_lot=answers.or_none("comparator_lot"),
        ),
        back=product.address,
        facts=product.facts,
        fields=(
            _label_field(),
            Field("wristband", _("Scan the participant's wristband"), "scan"),
            Field("to", _("Handed over to"), "select", _injectors(product)),
            Field(
                "comparator_lot",
                _("Lot of the comparator"),
                help=_("Only where the allocation says comparator; look it up first."),
                required=False,
            ),
        ),
        intro=_("Scan both identifiers. If they do not belong together, nothing is handed over."),
        button=_("Hand over"),
        done=_("The syringe is handed over."),
    )


def _administer(product: Product) -> Act:
    custody = product.custody
    book = product.desk.trial.state().of(CaseBook, product.participant)
    planned = planned_dose(product.build, custody.dose, book, product.slot.administration)
    dose = dose_text(planned) if planned is not None else ""
    return Act(
        title=_("Report the injection"),
        command=AdministerProduct,
        make=lambda answers: AdministerProduct(
            participant=product.participant,
            slot=product.slot.id,
            label=answers.text("label").upper(),
            wristband=answers.text("wristband").upper(),
            content=answers.text("content"),
            volume_ml=answers.decimal("volume_ml"),
            dose=answers.decimal("dose") or None,
        ),
        back=product.address,
        facts=(
            *product.facts,
            (
                _("Dose by the rule"),
                f"{dose} {unit_words(custody.dose.unit)}" if dose else now("no weight on record"),
            ),
        ),
        fields=(
            _label_field(),
            Field("wristband", _("Scan the participant's wristband"), "scan"),
            Field(
                "content",
                _("What was given"),
                "choice",
                ((PRODUCT, _("the product")), (COMPARATOR, _("the comparator"))),
            ),
            Field("volume_ml", _("Volume"), "number", unit="mL"),
            Field(
                "dose", _("Dose"), "number", unit=custody.dose.unit, help=_("Of the product only."), required=False
            ),
        ),
        happened=_("Given at (local time)"),
        intro=_("An injection is a fact and never refused. What was out of order is flagged and opens a deviation."),
        button=_("Record the injection"),
        done=_("The injection is recorded."),
    )


def _excursion(product: Product) -> Act:
    limits = product.custody.transport
    return Act(
        title=_("Record temperatures of storage or transport"),
        command=RecordExcursion,
        make=lambda answers: RecordExcursion(
            participant=product.participant,
            label=product.label,
            lowest=answers.decimal("lowest"),
            highest=answers.decimal("highest"),
            minutes=answers.whole("minutes"),
            usable=answers.ticked("usable"),
        ),
        back=product.address,
        facts=(*product.facts, (_("Allowed"), f"{limits.low} – {limits.high} {unit_words(limits.unit)}")),
        fields=(
            Field("lowest", _("Lowest"), "number", unit=limits.unit),
            Field("highest", _("Highest"), "number", unit=limits.unit),
            Field("minutes", _("For how long"), "number", unit="min"),
            Field("usable", _("The product may be used"), "choice", (("yes", _("yes")), ("no", _("no")))),
        ),
        happened=_("Ended at (local time)"),
        button=_("Record the temperatures"),
        done=_("The temperatures are recorded."),
    )


def _late_result(product: Product) -> Act:
    names = product.build.measurements
    return Act(
        title=_("Record a result that came after the release"),
        command=RecordLateResult,
        make=lambda answers: RecordLateResult(
            participant=product.participant,
            label=product.label,
            measurement=answers.text("measurement"),
            value=_late_value(product, answers),
        ),
        back=product.address,
        facts=product.facts,
        fields=(
            Field(
                "measurement",
                _("Measurement"),
                "select",
                tuple((name, product.measurement_label(name)) for name in names),
            ),
            Field(
                "value", _("Value"), help=now("A number in the measurement's unit, or a code: %s") % _codes(product)
            ),
        ),
        happened=_("Result of (local time)"),
        button=_("Record the result"),
        done=_("The result is recorded."),
    )


def _late_value(product: Product, answers: Answers) -> MeasuredValue:
    field = product.build.measurements.get(answers.text("measurement"))
    is_code = field is not None and field.item.codelist is not None
    text = answers.text("value").upper() if is_code else answers.decimal("value")
    unit = field.item.units[0] if field is not None and field.item.units else None
    return MeasuredValue(text=text, unit=unit)


def _codes(product: Product) -> str:
    found = dict.fromkeys(code for field in product.build.measurements.values() for code in field.codes)
    return ", ".join(found) or "–"


def _store(product: Product) -> Act:
    return Act(
        title=_("Record where it is stored"),
        command=StoreProduct,
        make=lambda answers: StoreProduct(
            participant=product.participant,
            label=product.label,
            place=answers.text("place"),
            quantity=answers.text("quantity"),
        ),
        back=product.address,
        facts=product.facts,
        fields=(
            Field("place", _("Place"), help=_("For example: liquid nitrogen, tank 1")),
            Field("quantity", _("Quantity"), help=_("For example: 2 bags")),
        ),
        happened=_("Stored at (local time)"),
        button=_("Record the storage"),
        done=_("The storage is recorded."),
    )


def _destroy(product: Product) -> Act:
    return Act(
        title=_("Record the destruction"),
        command=DestroyProduct,
        make=lambda answers: DestroyProduct(
            participant=product.participant, label=product.label, how=answers.text("how")
        ),
        back=product.address,
        facts=product.facts,
        fields=(Field("how", _("How it was destroyed")),),
        reason=_("Why it was destroyed"),
        happened=_("Destroyed at (local time)"),
        button=_("Record the destruction"),
        danger=True,
        done=_("The destruction is recorded."),
    )


def _mix_up(product: Product) -> Act:
    return Act(
        title=_("Report a mix-up of identifiers"),
        command=RecordMixUp,
        make=lambda answers: RecordMixUp(
            participant=product.participant,
            slot=product.slot.id,
            label=product.label,
            found_label=answers.text("found_label").upper(),
            found_wristband=answers.text("found_wristband").upper(),
            what=answers.text("what"),
        ),
        back=product.address,
        facts=product.facts,
        fields=(
            Field("found_label", _("Label as found"), "scan"),
            Field("found_wristband", _("Participant's code as found"), "scan"),
            Field("what", _("What happened"), "long"),
        ),
        happened=_("Found at (local time)"),
        button=_("Report the mix-up"),
        danger=True,
        done=_("The mix-up is recorded."),
    )


# --- what several acts need ----------------------------------------------------------------------------------


def _label_field() -> Field:
    return Field("label", _("Scan the label"), "scan")


def _same_label(product: Product, answers: Answers) -> str:
    """The scanned label, which must be that of the page: somebody looks at one product and holds another."""
    scanned = answers.text("label").upper()
    if scanned != product.label:
        raise WrongProductPage(
            now("the label you scanned is %(scanned)s; this page is about %(label)s")
            % {"scanned": scanned[:64], "label": product.label},
            remedy=now("stop, compare the container with this page, and scan again"),
        )
    return scanned


def _injectors(product: Product) -> tuple[tuple[str, Words], ...]:
    """Who gives injections at the participant's site."""
    people: list[Row] = list(product.desk.rows.where(PERSON, role=Role.INJECTING_PHYSICIAN.value, site=product.site))
    return tuple((str(row["person"]), str(row["person"])) for row in people if row["until"] is None)


def _measured_facts(product: Product) -> tuple[tuple[Words, Words], ...]:
    return tuple(
        (one.label, f"{one.value or '–'} {unit_words(one.unit) if one.value else ''}")
        for one in product.measurements()
    )


def _before_decision(product: Product) -> bool:
    return (
        product.row is not None
        and product.state not in ("failed", "destroyed")
        and not product.slot_row.get("injected_on")
    )


def _is_received(product: Product) -> bool:
    return product.row is not None and product.state != "destroyed"


def _is_released(product: Product) -> bool:
    return product.row is not None and product.row["released_at"] is not None


def _never(product: Product) -> bool:
    return False


def _always(product: Product) -> bool:
    return True


def _under_way(product: Product) -> bool:
    return _before_decision(product) and not _is_released(product)


ACTS: Mapping[str, tuple[Words, type[Command], Callable[[Product], Act], Callable[[Product], bool]]] = {
    "receive": (_("Receive"), ReceiveProduct, _receive, _never),
    "step": (_("Manufacture step"), RecordManufactureStep, _step, _under_way),
    "measure": (_("Measurements"), RecordMeasurements, _measure, _under_way),
    "release": (_("Release"), ReleaseProduct, _release, _never),
    "out-of-specification": (_("Out of specification"), ReportOutOfSpecification, _out_of_specification, _never),
    "release-anyway": (_("Release out of specification"), ReleaseOutOfSpecification, _release_anyway, _never),
    "certify": (_("Certify the batch"), CertifyBatch, _certify, _never),
    "hand-over": (_("Hand over"), HandOver, _hand_over, _never),
    "administer": (_("Report the injection"), AdministerProduct, _administer, _always),
    "excursion": (_("Temperatures"), RecordExcursion, _excursion, _is_received),
    "late-result": (_("Late result"), RecordLateResult, _late_result, _is_released),
    "store": (_("Store"), StoreProduct, _store, _is_received),
    "destroy": (_("Destroy"), DestroyProduct, _destroy, _is_received),
    "fail": (_("Failed manufacture"), FailManufacture, _fail, _before_decision),
    "mix-up": (_("Mix-up"), RecordMixUp, _mix_up, _always),
}
"""Part of the address → name in lists, command, page, and when it is offered though it is not what comes next."""
