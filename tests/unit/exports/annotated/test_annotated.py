"""Annotated forms: every item is there, with where it goes, and can be pointed at."""

from __future__ import annotations

import dataclasses

import pytest
from lxml import html
from pypdf import PdfReader

from trialwright.exports.annotated import NOT_SUBMITTED, form_pages, sdtm_annotations, write_form_pages
from trialwright.protocol.mapping import Mapping, target_of


@pytest.fixture(scope="module")
def page(build):
    return html.fromstring(form_pages(build, language="en"))


def shown(page, form, item):
    (row,) = page.xpath("//tr[@id=$anchor]", anchor=f"{form}.{item}")
    return [" ".join(cell.text_content().split()) for cell in row.iter("td")]


def of(build, form, item):
    declared = build.study.forms[form]
    return sdtm_annotations(declared, next(one for one in declared.items() if one.id == item))


def test_a_finding_is_annotated_with_its_test_and_unit(build):
    assert of(build, "vital_signs", "systolic") == (
        'VSORRES when VSTESTCD = "SYSBP"',
        'VSORRESU when VSTESTCD = "SYSBP"',
    )


def test_every_item_says_where_it_goes_or_why_nowhere(build):
    for form in build.study.forms.values():
        for item in form.items():
            lines, target = sdtm_annotations(form, item), target_of(form, item)
            if target is None:
                assert lines[0].startswith(NOT_SUBMITTED)
                assert (item.sdtm.not_submitted or "") in lines[0] if item.sdtm else True
            elif target.supplemental:
                assert lines == (f'QVAL in SUPP{target.domain} when QNAM = "{target.variable}"',)
            else:
                assert lines[0].split()[0] == target.variable


def test_what_is_not_submitted_says_why(build):
    form = build.study.forms["vital_signs"]
    item = form.items()[1]
    kept = item.model_copy(update={"sdtm": Mapping(not_submitted="Operational only.")})
    assert sdtm_annotations(form, kept) == ("[NOT SUBMITTED] Operational only.",)
    assert sdtm_annotations(form, item.model_copy(update={"sdtm": None})) == (NOT_SUBMITTED,)


def test_all_kinds_of_annotation_occur_in_the_study(build):
    found = [
        line for form in build.study.forms.values() for item in form.items() for line in sdtm_annotations(form, item)
    ]
    for wanted in ("QVAL in SUPP", "ORRES when", "ORRESU when", "TERM = "):
        assert any(wanted in line for line in found), wanted


def test_every_item_stands_on_the_page_with_its_annotations(build, page):
    for form in build.study.forms.values():
        for item in form.items():
            question, answer, notes = shown(page, form.id, item.id)
            assert " ".join(item.label["en"].split()) in question
            for line in sdtm_annotations(form, item):
                assert " ".join(line.split()) in notes
            assert answer


def test_a_code_list_shows_its_labels_and_codes(build, page):
    answer = shown(page, "vital_signs", "position")[1]
    for code in build.study.terminology["position"].codes:
        assert f"{code.label['en']} ({code.code})" in answer


def test_limits_and_checks_are_shown(page):
    answer = shown(page, "vital_signs", "systolic")[1]
    assert "Expected: 90 to 150" in answer
    assert "Possible: 40 to 300" in answer
    assert "Check: systolic > diastolic" in answer


def test_the_language_is_the_one_asked_for(build):
    page = html.fromstring(form_pages(build, language="nb"))
    assert "Systolisk blodtrykk" in shown(page, "vital_signs", "systolic")[0]
    assert page.get("lang") == "nb"


def test_the_same_build_gives_the_same_page(build):
    assert form_pages(build) == form_pages(build)


def test_a_label_is_text_and_never_markup(build, short):
    form = short.forms["vital_signs"]
    group = form.groups[0]
    nasty = '</style><script>alert("1")</script><img src=x onerror=alert(1)>'
    item = group.items[1].model_copy(update={"label": {"en": nasty}, "help": {"en": nasty}})
    changed = form.model_copy(
        update={"title": {"en": nasty}, "groups": (group.model_copy(update={"items": (item,)}), *form.groups[1:])}
    )
    identity = short.identity.model_copy(update={"acronym": nasty + "\\", "title": {"en": nasty}})
    study = short.model_copy(update={"forms": {"vital_signs": changed}, "identity": identity})
    page = html.fromstring(form_pages(dataclasses.replace(build, study=study)))
    assert not page.xpath("//script | //img")
    assert not [element for element in page.iter() if any(name.startswith("on") for name in element.attrib)]
    assert nasty in shown(page, "vital_signs", item.id)[0]


def test_the_pdf_has_a_destination_for_each_item_and_the_page_as_its_text(build, short, tmp_path):
    made = dataclasses.replace(build, study=short)
    html_path, pdf_path = write_form_pages(made, tmp_path / "new", language="en")
    assert html_path.read_text(encoding="utf-8") == form_pages(made, language="en")
    with PdfReader(pdf_path) as reader:
        wanted = {f"{form.id}.{item.id}" for form in short.forms.values() for item in form.items()}
        assert wanted <= set(reader.named_destinations)
        text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
        assert 'VSORRES when VSTESTCD = "SYSBP"' in text
        assert reader.trailer["/Root"]["/Lang"] == "en"


def test_the_destinations_are_those_that_define_xml_refers_to(build, short, tmp_path):
    """An origin in Define-XML names ``form.item`` as destination in the annotated forms."""
    page = html.fromstring(form_pages(dataclasses.replace(build, study=short)))
    ids = page.xpath("//tr/@id")
    assert ids == [f"{form.id}.{item.id}" for form in short.forms.values() for item in form.items()]
    assert len(set(page.xpath("//@id"))) == len(page.xpath("//@id"))
