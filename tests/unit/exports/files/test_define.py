"""Define-XML: valid by CDISC's schema, every reference leads somewhere, any text can stand in it."""

from __future__ import annotations

import dataclasses
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from trialwright.exports.datasets import Origin
from trialwright.exports.files import write_define

NAMES = {"odm": "http://www.cdisc.org/ns/odm/v1.3", "def": "http://www.cdisc.org/ns/def/v2.1"}


@pytest.fixture(scope="session")
def schema():
    """CDISC's own schema, as the package odmlib ships it."""
    return etree.XMLSchema(file=str(Path(str(files("odmlib"))) / "schemas/define/2.1/define2-1-0.xsd"))


def written(package, folder, **how):
    write_define(package, folder / "define.xml", **how)
    return etree.parse(folder / "define.xml")


def test_the_file_is_valid_by_the_schema_of_the_standard(package, tmp_path, schema):
    schema.assertValid(written(package, tmp_path, annotated_form="acrf.pdf"))


def test_the_schema_would_refuse_a_file_without_its_standards(package, tmp_path, schema):
    document = written(package, tmp_path)
    for class_ in document.iterfind(".//def:Class", NAMES):
        class_.set("Name", "NO SUCH CLASS")
    assert not schema.validate(document)


def test_every_reference_leads_somewhere(package, tmp_path):
    document = written(package, tmp_path, annotated_form="acrf.pdf")
    defined = {element.get("OID") for element in document.iter() if element.get("OID")}
    defined |= {element.get("ID") for element in document.iter() if element.get("ID")}
    for element in document.iter():
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2]
            refers = (plain.endswith("OID") and plain not in ("OID", "FileOID")) or plain in ("leafID",)
            if refers or plain == "ArchiveLocationID":
                assert value in defined, (element.tag, plain, value)


def test_value_level_metadata_say_which_rows_they_are_about(package, tmp_path):
    document = written(package, tmp_path)
    (check,) = document.iterfind(".//def:WhereClauseDef/odm:RangeCheck", NAMES)
    assert check.get(f"{{{NAMES['def']}}}ItemOID") == "IT.VS.VSTESTCD"
    assert check.findtext("odm:CheckValue", namespaces=NAMES) == "SYSBP"


def test_a_watermark_stands_in_the_description(package, tmp_path):
    document = written(dataclasses.replace(package, watermark="DUMMY ALLOCATION"), tmp_path)
    assert "DUMMY ALLOCATION" in document.find(".//odm:MetaDataVersion", NAMES).get("Description")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "]]>", "\x00\x0b bell\x07", "\u202ex", "\ud800 lone", "ÿ" * 100000]
)
def test_any_text_of_a_study_stands_as_text(package, tmp_path, schema, text):
    dataset = package.datasets[0]
    first = dataclasses.replace(dataset.variables[0], comment=text, origin=Origin("Assigned", "Sponsor"))
    dataset = dataclasses.replace(dataset, variables=(first, *dataset.variables[1:]), structure=text or "x")
    document = written(dataclasses.replace(package, title=text, datasets=(dataset,)), tmp_path)
    schema.assertValid(document)
    assert not document.findall(".//script")
