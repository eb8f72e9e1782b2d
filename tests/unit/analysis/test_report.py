"""The report: every number is traceable, blinded pages say so, an open report compares nothing."""

from __future__ import annotations

import ast
import io
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from docx import Document
from lxml import etree
from pypdf import PdfReader

import trialwright.analysis
from trialwright.analysis import (
    AnalysisPlan,
    Kind,
    NotUnblinded,
    as_docx,
    as_html,
    as_pdf,
    cut_of,
    material_at_cut,
    report_of,
    results_json,
    write_report,
)
from trialwright.analysis.content import LeftOut, ReportFigure, ReportTable
from trialwright.analysis.flow import flow_of
from trialwright.analysis.frozen import frozen_code
from trialwright.analysis.material import code_digest
from trialwright.analysis.words import NORWEGIAN, Words
from trialwright.exports.adam import adam_package
from trialwright.exports.adam.columns import DAY_ZERO
from trialwright.exports.datasets import Dataset, Variable
from trialwright.protocol.analysis import IntercurrentEvent
from trialwright.protocol.roles import Role
from trialwright.trial.allocation.commands import DiscloseForDataCut
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright.trial.closure.views import MILESTONE
from trialwright.trial.command import Actor
from trialwright.trial.event import Space

MARK = "OPPDIKTET TILDELING"
FOLDER = Path(trialwright.analysis.__file__).parent


def piece(report, name):
    return next(each.content for each in report.pieces if each.content.id == name)


def line(table, label):
    return next(each for each in table.lines if each.label.startswith(label))


# --- what is shown ---------------------------------------------------------------------------------------------


def test_every_output_of_the_plan_is_shown_in_its_order(final):
    planned = [output.id for output in final.material.plan.study.analysis.outputs]
    assert [each.content.id for each in final.pieces if each.planned] == planned
    assert not [each.content for each in final.pieces if isinstance(each.content, LeftOut)]


def test_every_model_has_a_result_or_a_reason(final):
    assert [result.item for result in final.results] == [m.id for m in final.material.plan.study.analysis.models]
    assert all((result.value is None) == (result.failed is not None) for result in final.results)
    shown = piece(final, "every_model")
    assert {item for each in shown.lines for item in each.items} == {result.item for result in final.results}


def test_the_flow_adds_up(final, lived):
    flow = flow_of(final.material)
    steps = [dict(branch.steps) for branch in flow.branches]
    assert flow.randomised == len(list(lived.open.rows.where(RANDOMISATION))) == 6
    assert sum(step["Randomised"] for step in steps) == 6
    for step in steps:
        ended = step["Left the study"] + step["Completed"] + step.get("Still in the study", 0)
        assert ended == step["Randomised"] >= max(step["Treated in period 1"], step["Treated in period 2"])


def test_groups_of_the_baseline_table_add_up_to_all(final):
    table = piece(final, "demographics")
    one, other, everybody = (int(re.search(r"n = (\d+)", head)[1]) for head in table.columns[1:])
    assert one + other == everybody == 6
    for label in ("Female", "Male"):
        first, second, whole = (int(cell.split()[0]) for cell in line(table, label).cells)
        assert first + second == whole


def test_numbers_of_adverse_events_are_those_of_the_data_set(final):
    table, events = piece(final, "adverse_events"), final.material.plan.frames["ADAE"]
    shown = [int(re.search(r"\[(\d+)\]", cell)[1]) if "[" in cell else 0 for cell in line(table, "Any event").cells]
    counts = Counter(
        arm if emergent == "Y" else "before" for arm, emergent in zip(events["TRTA"], events["TRTEMFL"], strict=True)
    )
    comparison = final.material.plan.comparison
    assert shown == [counts["before"], counts[comparison.one], counts[comparison.other]]
    assert sum(shown) == len(events) > 0


def test_serious_events_are_all_listed(final):
    serious = final.material.plan.frames["ADAE"]
    assert len(piece(final, "serious_events").lines) == (serious["AESER"] == "Y").sum()


def test_the_individual_lines_figure_counts_those_with_both_periods(final):
    item = next(item for item in final.material.plan.items if item.model.id == "crossover_mixed")
    rows = final.material.plan.rows(item)
    both = (rows.groupby("USUBJID")["APERIOD"].nunique() == 2).sum()
    assert f"n = {both}." in piece(final, "primary_figure").alt


def test_a_spinal_change_is_listed_only_where_something_changed(final):
    table = piece(final, "spinal_changes")
    assert all(each.cells[2] == "Abnormal" for each in table.lines)


def test_guesses_are_counted_by_the_treatment_of_their_period(final):
    table = piece(final, "blinding_table")
    assert len(table.columns) == 3
    assert sum(int(cell.split()[0]) for each in table.lines for cell in each.cells) > 0


def test_a_model_leaves_out_what_its_estimands_strategy_leaves_out(final):
    material = final.material
    first, *others = material.plan.study.analysis.estimands
    event = {"id": "relapse", "label": {"en": "Relapse"}, "strategy": "hypothetical", "begins": "relapse.start"}
    changed = first.model_copy(update={"intercurrent": (IntercurrentEvent.model_validate(event),)})
    analysis = material.plan.study.analysis.model_copy(update={"estimands": (changed, *others)})
    study = material.plan.study.model_copy(update={"analysis": analysis})
    before = material.plan.rows(material.plan.items[0])
    person = before["USUBJID"].iloc[0]
    day = (DAY_ZERO + timedelta(days=int(before["ADT"].iloc[0]) - 1)).isoformat()
    names = ("USUBJID", "CESEQ", "CECAT", "CESTDTC")
    relapse = Dataset("CE", "", "EVENTS", "", tuple(Variable(n, n) for n in names), [(person, 1, "RELAPSE", day)])
    rest = tuple(each for each in material.sdtm.package.datasets if each.name != "CE")
    tabulated = replace(material.sdtm.package, datasets=(*rest, relapse))

    plan = AnalysisPlan(study, adam_package(tabulated, study, material.reading.open))

    after = plan.rows(plan.items[0])
    assert plan.items[0].estimand == changed
    assert set(before["USUBJID"]) - set(after["USUBJID"]) == {person}
    other = next(item for item in plan.items if item.estimand.intercurrent != changed.intercurrent)
    same = next(item for item in material.plan.items if item.model.id == other.model.id)
    assert len(plan.rows(other)) == len(material.plan.rows(same))


# --- where it comes from ----------------------------------------------------------------------------------------


def test_every_number_carries_snapshot_code_and_plan_item(final, lived):
    data = json.loads(results_json(final))
    root = lived.open.ledger("smart-ms/open").head().root.hex()
    assert data["source"]["root"] == root
    planned = {model.id for model in final.material.plan.study.analysis.models}
    for each in (*data["results"], *data["order"], *data["pieces"]):
        assert each["snapshot"] == root
        assert re.fullmatch(r"[0-9a-f]{64}", each["code"])
        assert each["software"]
    assert {result["plan_item"] for result in data["results"]} == planned
    assert all(each["plan_item"] or each["models"] or each["id"] == "data_notes" for each in data["pieces"])


class Record:
    """Views of a record in which these digests were frozen, in this order."""

    def __init__(self, *digests):
        self.digests = digests

    def where(self, table):
        assert table.name == MILESTONE.name
        yield {"what": "study_locked", "step": 90, "details": "7 events, root 00"}
        for step, digest in reversed(list(enumerate(self.digests, start=9))):
            yield {"what": "analysis_code_frozen", "step": step, "details": digest[:12]}


@pytest.mark.parametrize(
    ("frozen", "rehearsed", "state"),
    [
        ((), False, "not_frozen"),
        (("b" * 64, "a" * 64), False, "same"),
        (("a" * 64, "b" * 64), False, "differs"),
        (("b" * 64,), True, "rehearsed"),
    ],
)
def test_the_code_that_runs_is_held_against_what_the_record_froze_last(final, frozen, rehearsed, state):
    code = frozen_code(Record(*frozen), "a" * 64, rehearsed=rehearsed)
    assert code.state == state
    assert code.differs == (state == "differs")
    material = replace(final.material)
    material.__dict__["frozen_code"] = code  # as the record would say
    report = replace(final, material=material)
    page = as_html(report)
    assert code.sentence(material.words) in page
    assert ("THE PROGRAMS DIFFER" in page.split("<h2")[0]) == (state == "differs")
    assert json.loads(results_json(report))["frozen_code"]["state"] == state


def test_the_frozen_code_is_read_from_the_record_itself(final, lived):
    (row,) = (row for row in lived.open.rows.where(MILESTONE) if row["what"] == "analysis_code_frozen")
    assert final.material.frozen_code.recorded == row["details"]
    assert re.fullmatch("[0-9a-f]{12}", row["details"])
    assert final.material.frozen_code.running == code_digest()


def test_the_page_names_snapshot_and_plan_item_under_each_part(final):
    page = etree.HTML(as_html(final))
    sections = page.findall(".//section[@class]")
    for section in sections:
        if "piece" in section.get("class"):
            origin = "".join(section.find("p[@class='origin']").itertext())
            assert final.material.source["root"][:16] in origin
    assert page.findall(".//tr[@data-plan-item]")


def test_the_same_record_gives_the_same_bytes(final, lived):
    again = report_of(final.material)
    assert as_html(again) == as_html(final)
    assert results_json(again) == results_json(final)
    assert as_docx(again) == as_docx(final)


def test_files_are_what_the_report_says_they_are(final, tmp_path):
    written = write_report(final, tmp_path, pdf=False)
    assert set(written) == {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    for path in (tmp_path / "figures").iterdir():
        assert etree.parse(path).getroot().tag.endswith("svg")


# --- for everybody ---------------------------------------------------------------------------------------------


def test_headings_captions_and_alternative_texts_are_there(final):
    page = etree.HTML(as_html(final))
    levels = [int(each.tag[1]) for each in page.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(table.find("caption") is not None for table in page.iter("table"))
    assert all(len(image.get("alt")) > 20 for image in page.iter("img"))
    assert all(head.get("scope") for head in page.iter("th"))
    assert page.get("lang") == "en"
    ids = [each.get("id") for each in page.iter() if each.get("id")]
    assert len(ids) == len(set(ids))


def test_every_word_of_the_report_is_there_in_norwegian():
    said = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("words", "Remark"):
                said |= {
                    arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
    said |= set(re.findall(r'say\("([^"]+)"', (FOLDER / "report.html.jinja").read_text(encoding="utf-8")))
    assert len(said) > 60
    assert said - set(NORWEGIAN) == set()


@pytest.mark.parametrize("english", NORWEGIAN)
def test_a_translation_has_the_same_places(english):
    places = re.compile(r"\{\w+\}")
    assert sorted(places.findall(english)) == sorted(places.findall(NORWEGIAN[english]))


def test_numbers_are_written_as_the_language_writes_them():
    assert Words("nb").interval(-0.3634, -2.05, 1.3) == "−0,36 (−2,05 til 1,30)"
    assert Words("en").interval(-0.3634, -2.05, 1.3) == "−0.36 (−2.05 to 1.30)"
    assert Words("en").estimate("rate_ratio", 1.9, 0.0581, 60.6) == "1.90 (0.0581 to 60.6)"
    assert Words("en").p(0.00004) == "< 0.001"
    assert Words("en").number(-0.0001, 2) == "0.00"
    assert Words("en").number(float("nan")) == "–"


# --- blinded -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pdf(blinded):
    """The blinded report as PDF, read back."""
    return PdfReader(io.BytesIO(as_pdf(as_html(blinded))))


def test_a_dummy_allocation_is_marked_on_every_page_table_and_document(blinded, pdf):
    assert blinded.material.kind is Kind.BLINDED
    assert len(pdf.pages) > 4
    assert all(MARK in " ".join(page.extract_text().split()) for page in pdf.pages)
    tables = etree.HTML(as_html(blinded)).iter("table")
    assert all(MARK in "".join(table.find("caption").itertext()) for table in tables)
    assert MARK in Document(io.BytesIO(as_docx(blinded))).sections[0].header.paragraphs[0].text
    assert MARK in json.loads(results_json(blinded))["mark"]


def test_a_dummy_allocation_is_not_the_real_one(blinded, final):
    real = final.material.plan.frames["ADSL"].set_index("USUBJID")["TRTSEQP"].dropna()
    dummy = blinded.material.plan.frames["ADSL"].set_index("USUBJID")["TRTSEQP"].dropna()
    assert set(real.index) == set(dummy.index)
    assert blinded.material.reading.closed is None


def test_the_pdf_is_tagged_numbered_and_names_its_snapshot(blinded, pdf):
    assert "/StructTreeRoot" in pdf.trailer["/Root"]
    assert pdf.trailer["/Root"]["/Lang"] == "nb"
    for number, page in enumerate(pdf.pages, start=1):
        text = " ".join(page.extract_text().split())
        assert f"{number} / {len(pdf.pages)}" in text
        assert blinded.material.source["root"][:16] in text


# --- to the committee --------------------------------------------------------------------------------------------


def test_an_open_report_holds_no_number_and_no_word_by_arm(pooled):
    identity = pooled.material.plan.study.identity
    names = {name for each in (*identity.arms, *identity.sequences) for name in (each.id, *each.label.values())}
    names -= set(pooled.material.package.title.split())  # the study is named after the cells
    seen = as_html(pooled) + results_json(pooled)
    assert len(names) > 6
    assert not [name for name in names if re.search(rf"\b{re.escape(name)}\b", seen)]
    assert pooled.results == pooled.order == ()
    assert not pooled.headline()
    assert isinstance(piece(pooled, "forest"), LeftOut)


def test_an_open_report_counts_everybody_together(pooled, final):
    assert piece(pooled, "demographics").columns[1:] == ("All (n = 6)",)
    assert [len(branch.steps) > 0 for branch in flow_of(pooled.material).branches] == [True]
    table = piece(pooled, "primary_table")
    item = final.material.plan.items[0]
    assert line(table, "Month 6").cells[0] == str(len(final.material.plan.rows(item)))
    assert isinstance(table, ReportTable)
    assert isinstance(piece(pooled, "primary_figure"), ReportFigure)


def test_an_open_report_never_looks_at_the_closed_space(pooled):
    assert pooled.material.reading.closed is None


def at_cut(lived, name, *, closed=True, labels=None):
    trial = lived.done.trial
    return material_at_cut(
        lived.study, trial.builds, cut_of(lived.open.rows, name), trial.facts(Space.OPEN), trial.facts(Space.CLOSED),
        closed_rows=lived.closed.rows if closed else None, labels=labels,
    )  # fmt: skip


def statistician(trial):
    fact = next(f for f in trial.facts(Space.CLOSED) if f.role == "independent_statistician")
    return Actor(fact.actor, Role.INDEPENDENT_STATISTICIAN, fact.organisation, fact.site)


def test_a_cut_that_was_not_made_is_refused(lived):
    with pytest.raises(NotUnblinded, match="no data cut 'never'"):
        at_cut(lived, "never")


def test_a_closed_report_is_refused_until_the_allocations_are_joined_to_its_cut(lived):
    people = tuple(str(row["participant"]) for row in lived.open.rows.where(RANDOMISATION))
    with pytest.raises(NotUnblinded, match="no allocation was joined to the data cut final"):
        at_cut(lived, "final")
    give = lived.done.trial.dispatch
    who = statistician(lived.done.trial)
    give(
        DiscloseForDataCut(cut="final", participants=people[1:]), by=who, request_id="join-1", reason="closed report"
    )
    with pytest.raises(NotUnblinded, match="allocations of 1 participants were joined"):
        at_cut(lived, "final")
    give(DiscloseForDataCut(cut="final", participants=people), by=who, request_id="join-2", reason="closed report")
    with pytest.raises(NotUnblinded, match="have no allocation in what was given"):
        at_cut(lived, "final", labels={people[0]: "cells_first"})
    material = at_cut(lived, "final")
    assert material.kind is Kind.CLOSED_TO_COMMITTEE
    assert "CLOSED REPORT" in material.mark
    assert material.source["data_cut"] == "final"


def test_a_report_of_a_cut_reads_the_record_as_it_stood(lived, pooled):
    cut = cut_of(lived.open.rows, "final")
    material = at_cut(lived, "final", closed=False)
    assert material.kind is Kind.OPEN_TO_COMMITTEE
    assert material.source["root"] == cut.root
    assert int(material.source["entries"]) == cut.size < lived.open.ledger("smart-ms/open").head().size
    now, then = pooled.material.plan.frames["ADEFF"], material.plan.frames["ADEFF"]
    keys = ["USUBJID", "PARAMCD", "AVISITN"]
    assert sorted(map(tuple, then[keys].to_numpy())) == sorted(map(tuple, now[keys].to_numpy()))
