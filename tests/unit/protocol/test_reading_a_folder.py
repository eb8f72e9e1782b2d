"""Every way a folder can fail to be a study is told at its place, all of them at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialwright.protocol import Finding, StudyFolderError, load_study
from trialwright.protocol.loader import LARGEST_FILE, LoadedStudy

Replace = Callable[[str, str, str], None]
Problems = Callable[[], tuple[Finding, ...]]


def only(findings: tuple[Finding, ...]) -> Finding:
    assert len(findings) == 1, "\n".join(map(str, findings))
    return findings[0]


def line_of(folder: Path, file: str, text: str) -> int:
    return next(n for n, line in enumerate((folder / file).read_text().splitlines(), 1) if text in line)


def test_the_template_is_read(folder: Path) -> None:
    loaded = load_study(folder)
    assert isinstance(loaded, LoadedStudy)
    assert loaded.study.identity.sponsor.country == "NO"  # a text, not the answer no
    assert set(loaded.study.forms) == {path.stem for path in (folder / "forms").glob("*.yaml")}


def test_positions_are_those_of_the_file(folder: Path) -> None:
    loaded = load_study(folder)
    place = loaded.positions.of("study.yaml", ("public_status",))
    assert place.line == line_of(folder, "study.yaml", "public_status: planned")
    assert place.column == len("public_status: ") + 1


def test_the_position_of_a_default_is_that_of_its_owner(folder: Path) -> None:
    positions = load_study(folder).positions
    assert positions.of("study.yaml", ("blinding", "source")) == positions.of("study.yaml", ("blinding",))


def test_an_offset_counts_inside_a_quoted_text_and_not_inside_a_folded_one(folder: Path, replace: Replace) -> None:
    replace("study.yaml", "acronym: MY-STUDY", 'acronym: "MY-STUDY"\nnote: >-\n  folded\n  text')
    positions = load_study(folder).positions
    quoted = positions.of("study.yaml", ("acronym",), offset=3)
    assert quoted.column == len('acronym: "') + 3 + 1
    assert positions.of("study.yaml", ("note",), offset=3) == positions.of("study.yaml", ("note",))


def test_an_unknown_key_is_told_with_the_key_that_was_meant(
    folder: Path, replace: Replace, problems: Problems
) -> None:
    replace("study.yaml", "sponsor:", "sponser: {name: X, country: NO}\nsponsor:")
    found = only(problems())
    line = line_of(folder, "study.yaml", "sponser")
    assert str(found) == (f"study.yaml:{line}:1 TW903 key 'sponser' is not known here → did you mean 'sponsor'?")


def test_a_missing_key_is_told_with_its_meaning(folder: Path, replace: Replace, problems: Problems) -> None:
    replace("study.yaml", "sponsor:", "# sponsor:")
    found = only(problems())
    assert (found.rule, found.message) == ("TW904", "key 'sponsor' is missing")


def test_an_unknown_choice_is_told_with_the_choice_that_was_meant(replace: Replace, problems: Problems) -> None:
    replace("study.yaml", "public_status: planned", "public_status: planed")
    found = only(problems())
    assert (found.rule, found.remedy) == ("TW906", "did you mean 'planned'?")


@pytest.mark.parametrize(
    ("old", "new", "rule", "remedy"),
    [
        ("acronym: MY-STUDY", "acronym: MY-STUDY\nacronym: TWICE", "TW902", "keep one"),
        ("acronym: MY-STUDY", "acronym: 5", "TW905", "in quotes"),
        ("planned_participants: 40", 'planned_participants: "40"', "TW905", "correct the value"),
        ("planned_participants: 40", "planned_participants: many", "TW905", "correct the value"),
        ("planned_participants: 40", "planned_participants:", "TW905", "give a value"),
        ("languages: [en]", "languages: en", "TW905", "write a list"),
        ("languages: [en]", "languages: []", "TW905", "give at least 1"),
        ("acronym: MY-STUDY", "acronym: &a MY-STUDY", "TW911", "write the value out"),
        ("acronym: MY-STUDY", "acronym: !!python/object:os.system MY-STUDY", "TW911", "remove the tag"),
        ("acronym: MY-STUDY", "acronym: [MY-STUDY", "TW901", "indentation"),
        ("acronym: MY-STUDY", "acronym: {en: MY-STUDY}", "TW905", "correct the value"),
        ("country: NO}", "country: Norway}", "TW905", "must match"),
        ("acronym: MY-STUDY", "---\nacronym: MY-STUDY", "TW901", "one document"),
        ("acronym: MY-STUDY", "[a]: b\nacronym: MY-STUDY", "TW901", "name before the colon"),
    ],
)
def test_a_wrong_value_is_told_by_rule_and_remedy(
    old: str, new: str, rule: str, remedy: str, replace: Replace, problems: Problems
) -> None:
    replace("study.yaml", old, new)
    found = only(problems())
    assert found.file == "study.yaml"
    assert found.rule == rule
    assert remedy in found.remedy


def test_a_tab_is_told_as_a_tab(replace: Replace, problems: Problems) -> None:
    replace("study.yaml", "  en: Does a daily", "\ten: Does a daily")
    found = only(problems())
    assert (found.message, found.remedy) == ("not YAML: a tab stands where spaces must", "indent with spaces")


def test_yes_and_no_are_not_true_and_false(replace: Replace, problems: Problems) -> None:
    replace("randomisation.yaml", "by_site: true", "by_site: yes")
    found = only(problems())
    assert (found.rule, found.remedy) == ("TW905", "write true or false")


def test_a_name_with_other_characters_is_told_with_the_rule_for_names(replace: Replace, problems: Problems) -> None:
    replace("forms/diary.yaml", "id: days_walked", "id: Days-Walked")
    found = only(problems())
    assert found.rule == "TW907"
    assert "lower-case letters" in found.remedy


def test_a_comma_in_an_unquoted_text_gets_a_hint_about_quotes(replace: Replace, problems: Problems) -> None:
    replace("forms/diary.yaml", "title: {en: The past week}", "title: {en: The past week, as you saw it}")
    assert any("needs quotes" in found.remedy for found in problems())


def test_site_numbers_keep_their_zero_without_quotes(folder: Path, replace: Replace) -> None:
    replace("study.yaml", 'id: "01"', "id: 01")
    assert "01" in load_study(folder).study.sites


def test_decimals_may_be_written_without_quotes(folder: Path, replace: Replace) -> None:
    replace("forms/blood_pressure.yaml", 'range: {low: "100", high: "179"}', "range: {low: 100, high: 179.5}")
    bounds = load_study(folder).study.items["blood_pressure.systolic"].range
    assert bounds is not None
    assert (bounds.low, bounds.high) == ("100", "179.5")


@pytest.mark.parametrize("text", ["1e999", ".nan", ".inf", "twelve", '"1,5"', '"١٢"'])
def test_what_is_no_decimal_number_is_refused(text: str, replace: Replace, problems: Problems) -> None:
    replace("forms/blood_pressure.yaml", 'low: "100"', f"low: {text}")
    assert only(problems()).rule == "TW905"


def test_problems_of_all_files_are_told_together(folder: Path, replace: Replace, problems: Problems) -> None:
    replace("study.yaml", "phase: II ", "phase: IIb ")
    replace("forms/diary.yaml", "kind: questionnaire", "kind: questionaire")
    replace("consent/en.md", "status:", "statuss:")
    (folder / "safety.yaml").unlink()
    assert {f.file for f in problems()} >= {"study.yaml", "forms/diary.yaml", "consent/en.md", "safety.yaml"}


def test_a_missing_file_is_told_with_the_file_that_was_meant(folder: Path, problems: Problems) -> None:
    (folder / "safety.yaml").rename(folder / "safty.yaml")
    found = {f.file: f for f in problems()}
    assert (found["safety.yaml"].rule, found["safety.yaml"].remedy) == ("TW908", "did you mean 'safty.yaml'?")
    assert (found["safty.yaml"].rule, found["safty.yaml"].remedy) == ("TW909", "did you mean 'safety.yaml'?")


def test_custody_may_be_absent(folder: Path) -> None:
    assert not (folder / "custody.yaml").exists()
    assert load_study(folder).study.custody is None


def test_a_file_is_named_by_its_id(folder: Path, problems: Problems) -> None:
    (folder / "forms/diary.yaml").rename(folder / "forms/log.yaml")
    found = only(problems())
    assert (found.rule, found.remedy) == ("TW909", "name it forms/diary.yaml")


@pytest.mark.parametrize("name", ["forms/diary.yml", "forms/Diary.yaml", "consent/english.txt", "consent/en.yaml"])
def test_files_with_other_names_are_not_silently_skipped(name: str, folder: Path, problems: Problems) -> None:
    (folder / name).write_text("id: x\n")
    assert (only(problems()).file, only(problems()).rule) == (name, "TW909")


def test_hidden_files_and_documents_beside_the_study_are_left_alone(folder: Path) -> None:
    (folder / "README.md").write_text("About this study.")
    (folder / ".git").mkdir()
    (folder / "forms" / ".swp").write_bytes(b"\xff")
    load_study(folder)


def test_links_are_refused(folder: Path, tmp_path: Path, problems: Problems) -> None:
    outside = tmp_path / "outside.yaml"
    (folder / "forms/diary.yaml").rename(outside)
    (folder / "forms/diary.yaml").symlink_to(outside)
    assert only(problems()).rule == "TW910"


def test_a_linked_folder_is_refused(folder: Path, tmp_path: Path, problems: Problems) -> None:
    (folder / "terminology").rename(tmp_path / "outside")
    (folder / "terminology").symlink_to(tmp_path / "outside")
    assert only(problems()).file == "terminology"


def test_a_pipe_is_refused_and_does_not_block(folder: Path, problems: Problems) -> None:
    (folder / "safety.yaml").unlink()
    os.mkfifo(folder / "safety.yaml")
    assert (only(problems()).rule, only(problems()).message) == ("TW910", "is not a file")


def test_other_encodings_are_refused(folder: Path, problems: Problems) -> None:
    (folder / "safety.yaml").write_bytes("grading: bokmål æøå".encode("latin-1"))
    assert (only(problems()).rule, only(problems()).remedy) == ("TW910", "save the file as UTF-8")


def test_huge_files_are_refused_unread(folder: Path, problems: Problems) -> None:
    (folder / "safety.yaml").write_bytes(b"#" * (LARGEST_FILE + 1))
    assert only(problems()).rule == "TW910"


def test_an_empty_file_is_told_as_empty(folder: Path, problems: Problems) -> None:
    (folder / "safety.yaml").write_text("# nothing yet\n")
    assert only(problems()).message == "the file is empty"


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
        "a: &a [*a]\n",
        "[" * 100_000,
        "{a: " * 5_000,
        "- " * 50_000,
        "? " * 5_000,
        "a: '" + "x" * 900_000,
        "x" * 900_000,
        '"\\ud800"',
    ],
    ids=["billion laughs", "itself", "brackets", "braces", "dashes", "questions", "open quote", "long", "surrogate"],
)
def test_hostile_yaml_is_a_finding_and_never_a_crash(bomb: str, folder: Path, problems: Problems) -> None:
    (folder / "safety.yaml").write_text(bomb)
    assert {found.file for found in problems()} == {"safety.yaml"}


def test_no_folder_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StudyFolderError) as caught:
        load_study(tmp_path / "nowhere")
    assert only(caught.value.findings).rule == "TW908"


def test_a_folder_without_any_part_of_a_study_is_told_once(folder: Path) -> None:
    with pytest.raises(StudyFolderError) as caught:
        load_study(folder.parent)
    found = only(caught.value.findings)
    assert (found.rule, found.message) == ("TW908", "this folder holds no study")
    assert "trialwright new" in found.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Just text.\n", "no head"),
        ("---\nversion: '1'\n", "no head"),
        ("{head}Text before.\n\n## One {{#one}}\nText.\n", "before the first heading"),
        ("{head}## One\nText.\n", "has no id"),
        ("{head}# One {{#one}}\nText.\n", "has no id"),
        ("{head}## One {{#one}}\nA\n## Two {{#one}}\nB\n", "used twice"),
    ],
)
def test_texts_need_a_head_and_headings_with_ids(text: str, message: str, folder: Path, problems: Problems) -> None:
    head = "---\nversion: '1'\ntitle: T\nstatus: draft\nwithdrawal_scopes: [treatment]\n---\n"
    (folder / "consent/en.md").write_text(text.format(head=head) if "{head}" in text else text)
    found = problems()
    assert found[0].rule == "TW912"
    assert message in found[0].message


def test_the_line_of_a_problem_in_a_head_is_that_of_the_file(folder: Path, problems: Problems) -> None:
    lines = (folder / "consent/en.md").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("status:"))
    lines[at] = "status: don't know"
    (folder / "consent/en.md").write_text("\n".join(lines))
    assert only(problems()).line == at + 1


FILES = ("study.yaml", "schedule.yaml", "forms/diary.yaml", "consent/en.md")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(FILES), data=st.data())
def test_a_damaged_file_is_read_or_refused_by_findings(folder: Path, file: str, data: st.DataObject) -> None:
    path = folder / file
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    gone = data.draw(st.integers(0, 20))
    new = data.draw(st.binary(max_size=8) | st.sampled_from([b"\n", b": ", b"- ", b"\t", b"{", b"'", b"#"]))
    path.write_bytes(whole[:at] + new + whole[at + gone :])
    try:
        load_study(folder)
    except StudyFolderError as error:
        for finding in error.findings:
            assert finding.rule.startswith("TW9")
            assert finding.line >= 1
            assert finding.column >= 1
            assert finding.message
            assert finding.remedy
    finally:
        path.write_bytes(whole)
