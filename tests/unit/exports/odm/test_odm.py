"""ODM: valid, complete, the same in both versions, and the same study when read back."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections import Counter

import pytest
from lxml import etree

from trialwright.exports.odm import (
    OdmUnreadable,
    dangling_references,
    metadata_of,
    read_odm,
    read_odm_values,
    reading_record,
    study_of_builds,
    write_odm,
)
from trialwright.exports.sdtm import StillBlinded
from trialwright.foundation.errors import InvalidValue
from trialwright.trial.capture.views import FORM, ITEM, VISIT
from trialwright.trial.closure.views import ALLOCATION

FILES = ("snapshot.xml", "transactions.xml")
KINDS = ("plain", "eventful")


def parse(path):
    return etree.parse(str(path), etree.XMLParser(huge_tree=True))


def place_of(value):
    return (
        value.participant, value.event, value.event_key, value.form, value.form_key, value.group, value.group_key,
        value.item,
    )  # fmt: skip


def content_of(value):
    return value.value, value.unit, tuple(sorted(value.flags.items()))


# --- valid ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_valid_by_the_schema_of_its_version(written, version, schema, kind, file):
    schema[version].assertValid(parse(written[kind, version][0] / file))


def test_the_schema_refuses_a_file_without_a_required_attribute(written, version, schema):
    tree = parse(written["plain", version][0] / "snapshot.xml")
    del next(tree.iterfind(".//{*}ItemDef")).attrib["DataType"]
    assert not schema[version].validate(tree)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_leads_somewhere(written, version, kind, file):
    assert dangling_references(written[kind, version][0] / file) == ()


@pytest.mark.parametrize(
    "tag", ["CodeList", "ItemDef", "ItemGroupDef", "StudyEventDef", "User", "Location", "MethodDef"]
)
def test_a_reference_that_leads_nowhere_is_found(written, version, tmp_path, tag):
    tree = parse(written["plain", version][0] / "transactions.xml")
    gone = {
        "ItemDef": "I.vital_signs.systolic",
        "CodeList": "CL.position",
        "MethodDef": "MT.edss.computed_score",
    }.get(tag)
    found = [one for one in tree.iterfind(f".//{{*}}{tag}") if gone is None or one.get("OID") == gone]
    for one in found:
        one.getparent().remove(one)
    tree.write(str(tmp_path / "odm.xml"))
    assert any(found[0].get("OID") in what for what in dangling_references(tmp_path / "odm.xml"))


# --- the same study -------------------------------------------------------------------------------------------


def test_the_metadata_come_back_as_they_were(written, eventful, version):
    assert read_odm(written["eventful", version][0] / "snapshot.xml") == study_of_builds(eventful.builds)


@pytest.mark.parametrize("name", ["smart-ms", "ocrelizumab-sc", "frexalimab-sc-iv"])
def test_what_comes_back_is_what_the_study_declares(name, version, tmp_path, study_of):
    """Read beside the study itself, by other means than the writer's."""
    build = study_of(name)
    read = _through_a_file(build, version, tmp_path)
    forms = {form: one for form, one in read.forms.items() if not form.startswith("_")}
    assert list(forms) == list(build.study.forms)
    for form in build.study.forms.values():
        found = forms[form.id]
        assert (dict(found.title), found.kind, found.repeats) == (form.title, form.kind, form.repeats)
        assert [(g.id, g.repeats) for g in found.groups] == [(g.id, g.repeats) for g in form.groups]
        items = [item for group in found.groups for item in group.items]
        assert [_declared(item) for item in form.items()] == [_read(item) for item in items]
        assert Counter(c.expression for c in form.checks) == Counter(c.expression for i in items for c in i.checks)
    lists = {one: found for one, found in read.codelists.items() if not one.startswith("_")}
    assert {
        one.id: [(code.code, code.label, code.cdisc) for code in one.codes]
        for one in build.study.terminology.values()
    } == {one.id: [(c.value, dict(c.label), c.standard) for c in one.codes] for one in lists.values()}
    events = [event for event in read.events if not event.id.startswith("_")]
    assert [(e.id, e.when, tuple(dict.fromkeys(e.forms))) for e in build.study.schedule.encounters] == [
        (e.id, e.when, e.forms[1:]) for e in events
    ]


def _declared(item):
    def bounds(found):
        return None if found is None else (found.low, found.high)

    units = (item.units or ("1",)) if item.type == "quantity" else ()
    return (
        item.id, item.label, item.help, item.type, units, item.decimals, item.codelist, bounds(item.range),
        bounds(item.possible), item.required, item.when, item.derive is not None,
        [(one.code, one.label) for one in item.outcomes], item.origin,
    )  # fmt: skip


def _read(item):
    def bounds(impossible):
        found = {one.comparator: one.value for one in item.limits if one.impossible == impossible}
        return (found.get("GE"), found.get("LE")) if found else None

    return (
        item.id, dict(item.label), dict(item.help) if item.help else None, item.type, item.units, item.decimals,
        item.codelist, bounds(False), bounds(True), item.required, item.when, item.derivation is not None,
        [(one.value, dict(one.label)) for one in item.outcomes], item.origin,
    )  # fmt: skip


def _through_a_file(build, version, folder):
    from trialwright.exports.odm.markup import Markup
    from trialwright.exports.odm.metadata_markup import study_element

    markup = Markup(version)
    root = markup.make("ODM")
    root.append(study_element(markup, study_of_builds({build.id: build})))
    (folder / "odm.xml").write_bytes(etree.tostring(root))
    (read,) = read_odm(folder / "odm.xml").versions
    assert read == metadata_of(build)
    return read


# --- the same data --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_snapshot_holds_every_value_as_it_stands(request, written, version, kind):
    study = request.getfixturevalue({"plain": "smart_ms", "eventful": "eventful"}[kind])
    folder, counted = written[kind, version]
    found = [value for value in read_odm_values(folder / "snapshot.xml") if value.item]
    assert len(found) == counted["snapshot.xml"]
    items = {place_of(value): value for value in found if value.form != "F._visit"}
    rows = list(study.open.rows.where(ITEM))
    assert len(items) == len(rows) > 500
    by_item = {
        (v.participant, v.event, v.event_key, v.form, v.form_key or "1", v.item, v.group_key): v for v in found
    }
    for row in rows:
        name, _, number = str(row["item"]).partition(".")
        event, key = _event(row["encounter"])
        at = (row["participant"], event, key, f"F.{row['form']}", str(row["repeat"]), f"I.{row['form']}.{name}")
        value = by_item.get((*at, number or None)) or by_item[(*at, number or "1")]
        assert value.value == _clean(row["value"])
        assert value.unit == row["unit"]
        assert value.flags.get("CL._missing") == row["missing"]
        assert value.flags.get(f"CL._outcome.{row['form']}.{name}") == row["outcome"]
        assert value.flags.get("CL._source") == row["source"]


def _event(encounter):
    name = str(encounter)
    if name.startswith("unscheduled_"):
        return "SE._unscheduled", name.removeprefix("unscheduled_")
    return ("SE._log" if name == "log" else f"SE.{name}"), None


def _clean(text):
    return text if text is None else "".join("\ufffd" if c in "\x01\x1f\ufffe" else c for c in text)


def test_visits_stand_in_the_snapshot_with_date_and_status(eventful, written, version):
    found = read_odm_values(written["eventful", version][0] / "snapshot.xml")
    visits = {(*place_of(v)[:3], v.item): v.value for v in found if v.form == "F._visit"}
    for row in eventful.open.rows.where(VISIT):
        at = (row["participant"], *_event(row["encounter"]))
        assert visits[(*at, "I._visit.status")] == row["status"]
        assert visits.get((*at, "I._visit.date")) == row["date"]


def test_forms_that_were_not_done_say_so(eventful, written, version):
    found = [v for v in read_odm_values(written["eventful", version][0] / "snapshot.xml") if not v.item]
    rows = [row for row in eventful.open.rows.where(FORM) if row["status"] in ("not_done", "intentionally_blank")]
    assert Counter(v.flags["CL._missing"] for v in found) == Counter(row["status"] for row in rows)
    assert {"not_done", "intentionally_blank"} <= {row["status"] for row in rows}


def test_a_value_of_ten_megabytes_comes_back(smart_ms, version, tmp_path):
    huge = "<&\x0b" + "x" * 10_000_000
    store = _Retold(smart_ms.open, huge)
    write_odm(smart_ms.id, store, tmp_path, version)
    longest = max((v.value or "" for v in read_odm_values(tmp_path / "snapshot.xml")), key=len)
    assert longest == "<&\ufffd" + huge[3:]


class _Retold:
    """A store in which the first item has another value."""

    def __init__(self, store, value):
        self.ledger, self.rows, self.keyring = store.ledger, _RetoldRows(store.rows, value), store.keyring


class _RetoldRows:
    def __init__(self, rows, value):
        self._rows, self._value = rows, value

    def where(self, table, **equals):
        for number, row in enumerate(self._rows.where(table, **equals)):
            yield row | {"value": self._value} if table is ITEM and number == 0 else row


# --- the audit trail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_transactions_amount_to_the_snapshot(written, version, kind):
    folder, _ = written[kind, version]
    stands, whole = {}, {}
    for value in read_odm_values(folder / "transactions.xml"):
        form = place_of(value)[:5]
        if value.transaction == "Remove":
            stands = {place: content for place, content in stands.items() if place[:5] != form}
            whole.pop(form, None)
        elif not value.item:
            whole[form] = content_of(value)
        else:
            assert value.transaction == ("Update" if place_of(value) in stands else "Insert")
            whole.pop(form, None)
            stands[place_of(value)] = content_of(value)
    snapshot = list(read_odm_values(folder / "snapshot.xml"))
    assert stands == {place_of(value): content_of(value) for value in snapshot if value.item}
    assert whole == {place_of(value)[:5]: content_of(value) for value in snapshot if not value.item}


def test_every_entry_says_who_where_when_and_why(eventful, written, version):
    folder, _ = written["eventful", version]
    values = list(read_odm_values(folder / "transactions.xml"))
    assert all(value.user and value.location and value.at for value in values if value.item)
    tree = parse(folder / "transactions.xml")
    name = "LoginName" if version == "1.3.2" else "UserName"
    people = {user.get("OID"): user.findtext(f"{{*}}{name}") for user in tree.iterfind(".//{*}User")}
    record = reading_record.Record(eventful.id, eventful.open)
    told = [
        (act.place.participant, act.audit.user[0], act.audit.at, act.audit.reason)
        for act in record.acts()
        for entry in act.entries
    ]
    written_ = [(v.participant, people[v.user], v.at, v.reason) for v in values if v.item]
    assert Counter(written_) == Counter(told)
    removed = [value for value in values if value.transaction == "Remove"]
    assert [(people[v.user], v.reason) for v in removed] == [
        ("nurse-x", "wrong participant"),
        ("nurse-x", "too tired"),
    ]


def test_signatures_are_in_the_trail(eventful, written, version):
    tree = parse(written["eventful", version][0] / "transactions.xml")
    entries = eventful.open.ledger(f"{eventful.id}/open").read()
    assert len(list(tree.iterfind(".//{*}Signature"))) == sum(e.type == "capture.form_signed" for e in entries) > 1


def test_the_snapshot_names_nobody(written, version):
    tree = parse(written["eventful", version][0] / "snapshot.xml")
    assert next(tree.iterfind(".//{*}User"), None) is None
    assert next(tree.iterfind(".//{*}AuditRecord"), None) is None


def test_both_versions_say_the_same(written):
    for kind in KINDS:
        for file in FILES:
            one, other = (list(read_odm_values(written[kind, which][0] / file)) for which in ("1.3.2", "2.0"))
            assert one == other


def test_the_file_names_the_record_it_was_made_from(smart_ms, written, version):
    root = parse(written["plain", version][0] / "snapshot.xml").getroot()
    about = root.get("Description") or root.findtext("{*}Description/{*}TranslatedText")
    head = smart_ms.open.ledger("smart-ms/open").head()
    assert about == f"rehearsal; ledger smart-ms/open, {head.size} entries, root {head.root.hex()}"


def test_the_same_record_gives_the_same_bytes(smart_ms, written, version, tmp_path):
    smart_ms.write(tmp_path, version)
    for file in FILES:
        assert (tmp_path / file).read_bytes() == (written["plain", version][0] / file).read_bytes()


# --- what may not go out --------------------------------------------------------------------------------------


def test_a_closed_space_is_refused_while_the_study_is_blind(smart_ms, tmp_path):
    with pytest.raises(StillBlinded):
        write_odm(smart_ms.id, smart_ms.open, tmp_path, "2.0", closed_store=_Sealed(smart_ms.closed))


class _Sealed:
    """A closed store in which no allocation was disclosed yet."""

    def __init__(self, store):
        self.ledger, self.rows, self._where = store.ledger, self, store.rows.where

    def where(self, table, **equals):
        return iter(()) if table is ALLOCATION else self._where(table, **equals)


def test_what_identifies_somebody_is_not_shown(smart_ms, version, tmp_path, monkeypatch):
    builds = {name: _identifying(build, "vital_signs", "position") for name, build in smart_ms.builds.items()}
    monkeypatch.setattr(reading_record, "builds_on_record", lambda ledger: builds)
    smart_ms.write(tmp_path, version)
    for file in FILES:
        found = [v for v in read_odm_values(tmp_path / file) if v.item == "I.vital_signs.position"]
        assert found
        assert {(v.value, *v.flags.items()) for v in found} == {(None,)}
        assert b"identifies a person" in (tmp_path / file).read_bytes()


def _identifying(build, form, item):
    compiled = build.forms[form]
    field = compiled.items[item].field
    secret = dataclasses.replace(field, item=field.item.model_copy(update={"privacy": "identifying"}))
    items = {**compiled.items, item: dataclasses.replace(compiled.items[item], field=secret)}
    return dataclasses.replace(build, forms={**build.forms, form: dataclasses.replace(compiled, items=items)})


def test_another_version_is_refused_before_anything_is_written(smart_ms, tmp_path):
    with pytest.raises(InvalidValue, match=r"1\.4"):
        write_odm(smart_ms.id, smart_ms.open, tmp_path / "out", "1.4")
    assert not (tmp_path / "out").exists()


# --- files of others ------------------------------------------------------------------------------------------

FOREIGN = """<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileType="Snapshot" FileOID="x"
 CreationDateTime="2020-01-01T00:00:00"><Study OID="S"><GlobalVariables><StudyName>Other</StudyName>
<StudyDescription>d</StudyDescription><ProtocolName>p</ProtocolName></GlobalVariables>
<MetaDataVersion OID="V1" Name="1"><Protocol><StudyEventRef StudyEventOID="E" Mandatory="Yes"/></Protocol>
<StudyEventDef OID="E" Name="Visit" Repeating="No" Type="Scheduled">
<FormRef FormOID="FO" Mandatory="Yes"/></StudyEventDef>
<FormDef OID="FO" Name="Form" Repeating="No"><ItemGroupRef ItemGroupOID="G" Mandatory="Yes"/></FormDef>
<ItemGroupDef OID="G" Name="Group" Repeating="No"><ItemRef ItemOID="IT" Mandatory="No"{more}/></ItemGroupDef>
<ItemDef OID="IT" Name="Weight" DataType="float">
<Question><TranslatedText>Weight</TranslatedText></Question></ItemDef>
</MetaDataVersion></Study></ODM>"""


def test_a_file_of_another_system_is_read(tmp_path):
    (tmp_path / "odm.xml").write_text(FOREIGN.format(more=""))
    study = read_odm(tmp_path / "odm.xml")
    (item,) = study.versions[0].forms["FO"].groups[0].items
    assert (study.id, item.id, item.type, dict(item.label)) == ("Other", "Weight", "decimal", {"": "Weight"})


@pytest.mark.parametrize(
    "text",
    [
        "", "no xml", "<ODM/>", "<html xmlns='http://www.cdisc.org/ns/odm/v1.3'/>",
        "<!DOCTYPE ODM [<!ENTITY a 'b'>]><ODM xmlns='http://www.cdisc.org/ns/odm/v1.3'>&a;</ODM>",
        "<ODM xmlns='http://www.cdisc.org/ns/odm/v1.3'/>",
        FOREIGN.format(more=' MethodOID="nowhere"'),
        FOREIGN.format(more="").replace(' OID="IT"', ""),
        FOREIGN.format(more="").replace("</Study>", ""),
        FOREIGN.format(more=' OrderNumber="first"'),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(tmp_path, text):
    (tmp_path / "odm.xml").write_text(text)
    with pytest.raises(OdmUnreadable):
        read_odm(tmp_path / "odm.xml")


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(OdmUnreadable):
        list(read_odm_values(tmp_path / "odm.xml"))


def test_memory_does_not_grow_with_the_data_when_reading(written, tmp_path):
    whole = (written["plain", "1.3.2"][0] / "snapshot.xml").read_text()
    start, end = whole.index("<ClinicalData"), whole.rindex("</ODM>")

    def peak(times):
        path = tmp_path / f"{times}.xml"
        path.write_text(whole[:start] + whole[start:end] * times + whole[end:])
        tracemalloc.start()
        count = sum(1 for _ in read_odm_values(path))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return count, most

    (few, small), (many, large) = peak(1), peak(8)
    assert many == 8 * few
    assert large < 1.5 * small
