"""One product from collection to administration: where it stands, what was measured, every step in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.protocol.custody import Custody, Slot
from trialwright.trial.custody.events import CriterionResult, MeasuredValue
from trialwright.trial.custody.judging import release_results
from trialwright.trial.custody.state import Slots
from trialwright.trial.custody.views import MEASUREMENT, PRODUCT, SLOT, STEP
from trialwright_web.shell.acts import digest
from trialwright_web.shell.desk import Desk
from trialwright_web.shell.flags import flag_words
from trialwright_web.shell.stages import LABORATORY, Stage, empty_slot, stages
from trialwright_web.shell.templatetags.shell import in_language, unit_words
from trialwright_web.shell.words import Words

STEPS: Mapping[str, Words] = {
    "product_collected": _("Collected"),
    "product_received": _("Received by the laboratory"),
    "manufacture_step_recorded": _("Step of the manufacture"),
    "measurements_recorded": _("Measurements"),
    "out_of_specification_found": _("Out of specification"),
    "product_released": _("Released"),
    "manufacture_failed": _("Manufacture failed"),
    "batch_certified": _("Batch certified"),
    "syringe_handed_over": _("Handed over"),
    "mix_up_recorded": _("Mix-up of identifiers reported"),
    "excursion_recorded": _("Temperatures"),
    "product_administered": _("Administered"),
    "late_result_recorded": _("Late result"),
    "product_stored": _("Stored"),
    "product_destroyed": _("Destroyed"),
}
"""Kind of a step → words."""

CONTENTS: Mapping[str, Words] = {"product": _("the product"), "comparator": _("the comparator")}
EXCURSION = re.compile(r"(\S+) to (\S+) (\S+), (\d+) min")

BATCH_RECORD = ("what", "happened", "recorded_at", "actor", "role", "identifiers", "details")
"""Columns of a step that a batch record holds."""

VERDICTS: Mapping[str, Words] = {"yes": _("holds"), "no": _("does not hold"), "unknown": _("not known yet")}


@dataclass(frozen=True)
class Step:
    """One step of the chain of identity."""

    happened: str
    words: Words
    who: str
    role: str
    organisation: str
    identifiers: str
    details: str
    space: str = "closed"


@dataclass(frozen=True)
class Measured:
    """One measurement with its newest value."""

    name: str
    label: str
    value: str
    unit: str
    late: bool


@dataclass(frozen=True)
class Product:
    """A product as the closed space knows it.

    Attributes:
        label: identifier on the container.
        slot: as planned.
        slot_row: the slot's open row, empty where nothing happened.
        row: the laboratory's row; None before it was received.
        is_current: the slot's newest collection; an earlier one was repeated.
    """

    desk: Desk
    participant: str
    site: str
    label: str
    slot: Slot
    slot_row: Row
    row: Row | None
    build: Build
    custody: Custody

    @property
    def is_current(self) -> bool:
        return self.slot_row.get("label") == self.label

    @property
    def stages(self) -> tuple[Stage, ...]:
        return stages(self.slot_row, self.row or {"status": ""})

    @property
    def status(self) -> Words:
        return LABORATORY.get(self.state, self.state)

    @property
    def state(self) -> str:
        """Status of the laboratory's row; empty before it was received."""
        return str(self.row["status"]) if self.row else ""

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(flag_words(flag) for flag in str((self.row or {}).get("flags") or "").split())

    @property
    def address(self) -> str:
        return reverse("laboratory:product", args=(self.desk.study, self.participant, self.label))

    @property
    def facts(self) -> tuple[tuple[Words, Words], ...]:
        """Who and what; the head of every act's page."""
        return (
            (_("Label"), self.label),
            (_("Participant"), self.participant),
            (_("Injection"), in_language(self.slot.label)),
            (_("Status"), self.status),
        )

    def values(self) -> dict[str, MeasuredValue]:
        """Newest value of each measurement on record."""
        rows = self.desk.closed_rows.where(MEASUREMENT, participant=self.participant, label=self.label)
        return {str(r["measurement"]): MeasuredValue(text=str(r["value"]), unit=_or_none(r["unit"])) for r in rows}

    def measurements(self) -> Iterator[Measured]:
        """Every measurement of the study."""
        rows = {
            str(row["measurement"]): row
            for row in self.desk.closed_rows.where(MEASUREMENT, participant=self.participant, label=self.label)
        }
        for planned in self.custody.measurements:
            row = rows.get(planned.id)
            value = "" if row is None else code_words(self.build, planned.id, str(row["value"]))
            unit = str((row or {}).get("unit") or planned.unit or "")
            yield Measured(planned.id, in_language(planned.label), value, unit, bool(row and row["late"]))

    def results(self) -> tuple[CriterionResult, ...]:
        """Every release criterion, judged by the values on record."""
        return release_results(self.build, self.values())

    def criteria(self) -> Iterator[tuple[str, str, Words, str]]:
        """Text, verdict, the verdict in words, and what is missing, of every release criterion."""
        texts = {criterion.id: in_language(criterion.text) for criterion in self.custody.release}
        for result in self.results():
            missing = ", ".join(self.measurement_label(name) for name in result.missing)
            yield texts[result.criterion], result.verdict, VERDICTS[result.verdict], missing

    def measurement_label(self, name: str) -> str:
        """What a measurement is called."""
        found = next((one for one in self.custody.measurements if one.id == name.rpartition(".")[2]), None)
        return in_language(found.label) if found else name

    def steps(self) -> list[Step]:
        """The chain of identity, with the collection, which the site reported in the open space."""
        found = [
            self._step(row)
            for row in self.desk.closed_rows.where(STEP, participant=self.participant, label=self.label)
        ]
        if self.is_current and self.slot_row.get("collected_on"):
            found.append(
                Step(
                    str(self.slot_row["collected_on"]), STEPS["product_collected"], "", "", "", self.label, "", "open"
                )
            )
        return sorted(found, key=lambda step: step.happened)

    def _step(self, row: Row) -> Step:
        return Step(
            happened=str(row["happened"]),
            words=STEPS.get(str(row["what"]), str(row["what"])),
            who=str(row["actor"]),
            role=str(row["role"]),
            organisation=str(row["organisation"]),
            identifiers=str(row["identifiers"] or ""),
            details=self._details(str(row["what"]), str(row["details"] or "")),
        )

    def _details(self, what: str, details: str) -> str:
        """The rest of a step, with the study's names for what was measured; what people wrote stays theirs."""
        match what:
            case "measurements_recorded" | "late_result_recorded":
                return ", ".join(self._measured(one) for one in details.split(", "))
            case "syringe_handed_over":
                content, _to, person = details.partition(" to ")
                return f"{CONTENTS.get(content, content)} → {person}"
            case "product_administered":
                content, _space, dose = details.partition(" ")
                unit = self.custody.dose.unit if dose else ""
                return f"{CONTENTS.get(content, content)} {dose} {unit_words(unit)}".strip()
            case "excursion_recorded":
                found = EXCURSION.fullmatch(details)
                return f"{found[1]} – {found[2]} {unit_words(found[3])}, {found[4]} min" if found else details
            case "batch_certified":
                return f"SHA-256 {details[:16]}…"
        return details

    def _measured(self, said: str) -> str:
        """A measurement with its value and unit: ``viability 92 %`` as the record's view has it."""
        name, _space, rest = said.partition(" ")
        if name not in self.build.measurements:
            return said
        value, _space, unit = rest.partition(" ")
        return f"{self.measurement_label(name)}: {code_words(self.build, name, value)} {unit_words(unit)}".strip()

    def batch_record(self) -> dict[str, Any]:
        """What a certificate is signed over: identity, values, verdicts and every step, as plain data."""
        return {
            "study": self.desk.study,
            "participant": self.participant,
            "label": self.label,
            "slot": self.slot.id,
            "build": self.build.id,
            "values": {name: [value.text, value.unit or ""] for name, value in sorted(self.values().items())},
            "criteria": {result.criterion: result.verdict for result in self.results()},
            "steps": [
                [str(row[name] or "") for name in BATCH_RECORD]
                for row in self.desk.closed_rows.where(STEP, participant=self.participant, label=self.label)
            ],
        }

    def batch_hash(self) -> str:
        """SHA-256 (hex) of :meth:`batch_record`."""
        return digest(self.batch_record())


def product_of(desk: Desk, participant: str, label: str) -> Product:
    """The product that carries a label.

    Raises:
        Http404: no such participant at the desk, or none of their collections carries the label.
    """
    person = desk.participant(participant)
    site = str(person["site"])
    build = desk.build_at(site)
    custody = build.study.custody
    name = desk.trial.state().of(Slots, participant).labels.get(label)
    planned = next((slot for slot in custody.slots if slot.id == name), None) if custody else None
    if custody is None or planned is None:
        raise Http404
    slot_row = desk.rows.get(SLOT, (participant, planned.id)) or empty_slot(participant, planned.id)
    row = desk.closed_rows.get(PRODUCT, (participant, label))
    return Product(desk, participant, site, label, planned, slot_row, row, build, custody)


def code_words(build: Build, measurement: str, value: str) -> str:
    """A coded value in words; other values as they are."""
    codelist = build.measurements[measurement].item.codelist
    if codelist is None:
        return value
    codes = build.study.terminology[codelist].codes
    return next((in_language(code.label) for code in codes if code.code == value), value)


def _or_none(cell: object) -> str | None:
    return None if cell is None else str(cell)
