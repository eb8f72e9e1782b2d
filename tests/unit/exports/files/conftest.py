"""A small package that uses every part of the model, with texts that files find hard."""

from __future__ import annotations

import pytest

from trialwright.exports.datasets import (
    CodeList,
    Condition,
    Dataset,
    Dictionary,
    Method,
    Origin,
    Package,
    Source,
    Standard,
    Term,
    ValueLevel,
    Variable,
)

TEXTS = ("Tromsø", 'a "quoted" <b> & c', "=1+1", "\u202eright to left", "two\nlines", "42")


def _package(rows=None, texts=TEXTS):
    collected = Origin("Collected", "Investigator", collected_at=(Source("vital_signs", "systolic"),))
    assigned = Origin("Assigned", "Sponsor")
    level = ValueLevel(
        where=(Condition("VSTESTCD", ("SYSBP",)),), label="Systolic blood pressure", type="float", length=5,
        significant_digits=1, origin=collected, method="VSSTRESN",
    )  # fmt: skip
    variables = (
        Variable("STUDYID", "Study Identifier", length=8, origin=assigned, role="Identifier", key=1, mandatory=True),
        Variable("USUBJID", "Unique Subject Identifier", length=20, origin=assigned, role="Identifier", key=2,
                 mandatory=True),
        Variable("VSSEQ", "Sequence Number", "integer", length=3, origin=assigned, role="Identifier", mandatory=True),
        Variable("VSTESTCD", "Vital Signs Test Short Name", length=8, origin=assigned, role="Topic", key=3,
                 codelist="VSTESTCD"),
        Variable("VSORRES", "Result or Finding in Original Units", length=40, role="Result Qualifier",
                 values=(level,), comment="As entered."),
        Variable("VSSTRESN", "Numeric Result in Standard Units", "float", length=8, significant_digits=2,
                 origin=Origin("Derived", "Sponsor"), method="VSSTRESN"),
        Variable("VSDTC", "Date of Measurements", "partialDatetime", origin=collected, role="Timing", key=4),
        Variable("VSDECOD", "Dictionary Term", length=40, origin=assigned, codelist="MEDDRA"),
    )  # fmt: skip
    if rows is None:
        rows = [
            ("S1", f"S1-0{n}", n, "SYSBP", text, None if n == 2 else n / 3, "2026-03", None)
            for n, text in enumerate(texts, start=1)
        ]
    dataset = Dataset(
        "VS", "Vital Signs", "FINDINGS", "One record per participant per test", variables, rows,
        comment="From the form of vital signs.",
    )  # fmt: skip
    return Package(
        study="S1", title="A study of «nothing»", protocol="S1", purpose="Tabulation",
        standards=(
            Standard("SDTMIG", "SDTMIG", "IG", "3.4"),
            Standard("CT", "CDISC/NCI", "CT", "2024-03-29", "SDTM"),
        ),
        datasets=(dataset,),
        codelists=(
            CodeList("VSTESTCD", "Vital Signs Test Code", (Term("SYSBP", "Systolic Blood Pressure", "C25298"),
                     Term("OWN", "Our own", extended=True)), code="C66741", standard="CT"),
        ),
        dictionaries=(Dictionary("MEDDRA", "Dictionary", "MedDRA", "27.0"),),
        methods=(Method("VSSTRESN", "Standard result", "Converted to the standard unit.", expression="value"),),
        created="2026-05-04T03:02:01Z",
        source={"ledger": "s1/open", "size": "12", "root": "ab" * 32, "software": "0.1.0"},
    )  # fmt: skip


@pytest.fixture
def package():
    return _package()


@pytest.fixture(scope="session")
def make_package():
    """``make_package(rows=…)`` or ``make_package(texts=…)``."""
    return _package
