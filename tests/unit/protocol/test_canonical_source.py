"""What a study says has one canonical text, however it is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trialwright.protocol import NotAStudy, canonical_files, canonical_source, load_study, study_from_canonical

Replace = Callable[[str, str, str], None]


def source(folder: Path) -> bytes:
    return canonical_source(load_study(folder).study)


def test_the_study_comes_back_from_its_canonical_source(folder: Path) -> None:
    study = load_study(folder).study
    again = study_from_canonical(canonical_source(study))
    assert again == study
    assert canonical_source(again) == canonical_source(study)


def test_it_is_canonical_json(folder: Path) -> None:
    text = source(folder)
    again = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again.encode() == text


def test_it_holds_every_file(folder: Path) -> None:
    written = {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.suffix in (".yaml", ".md")
    }
    assert set(canonical_files(load_study(folder).study)) == written


def test_comments_formatting_order_of_keys_and_quotes_mean_nothing(folder: Path, replace: Replace) -> None:
    before = source(folder)
    replace("study.yaml", "acronym: MY-STUDY", "# a comment\nacronym:    'MY-STUDY'   # and another")
    replace(
        "study.yaml", "sponsor: {name: Our hospital, country: NO}", "sponsor:\n  country: NO\n  name: Our hospital"
    )
    replace("randomisation.yaml", "ratio: {reminder: 1, usual: 1}", "ratio: {usual: 1, reminder: 1}")
    replace("forms/blood_pressure.yaml", 'low: "100"', "low: 100")
    assert source(folder) == before


def test_line_ends_and_a_byte_order_mark_mean_nothing(folder: Path) -> None:
    before = source(folder)
    for path in [*folder.rglob("*.yaml"), *folder.rglob("*.md")]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert source(folder) == before


def test_blanks_at_the_ends_of_lines_of_a_text_mean_nothing(folder: Path) -> None:
    before = source(folder)
    path = folder / "consent/en.md"
    path.write_text("\n".join(line + "  " for line in path.read_text().splitlines()) + "\n\n\n")
    assert source(folder) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("study.yaml", "planned_participants: 40", "planned_participants: 41"),
        ("forms/blood_pressure.yaml", 'low: "100"', 'low: "101"'),
        ("study.yaml", "country: NO", "country: SE"),
    ],
)
def test_what_is_said_differently_has_another_source(
    file: str, old: str, new: str, folder: Path, replace: Replace
) -> None:
    before = source(folder)
    replace(file, old, new)
    assert source(folder) != before


def test_the_order_of_a_list_is_part_of_the_study(folder: Path, replace: Replace) -> None:
    before = source(folder)
    replace("forms/blood_pressure.yaml", "[study_nurse, investigator]", "[investigator, study_nurse]")
    assert source(folder) != before


def test_keys_left_out_are_absent_so_that_later_defaults_change_nothing(folder: Path) -> None:
    files = canonical_files(load_study(folder).study)
    diary = json.loads(files["forms/diary.yaml"])
    assert "space" not in diary
    assert "missing" not in diary["groups"][0]["items"][0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda source: b"",
        lambda source: b"[]",
        lambda source: b"\xff",
        lambda source: source + b" ",
        lambda source: source.replace(b'"acronym"', b'"acronim"'),
        lambda source: json.dumps({k: v for k, v in json.loads(source).items() if k != "study.yaml"}).encode(),
        lambda source: b"[" * 100_000,
    ],
    ids=["empty", "list", "bytes", "blank", "key", "file", "deep"],
)
def test_other_bytes_are_refused(spoil: Callable[[bytes], bytes], folder: Path) -> None:
    with pytest.raises(NotAStudy):
        study_from_canonical(spoil(source(folder)))


def test_the_canonical_form_never_changes_by_accident(folder: Path) -> None:
    """One file, written by hand from the rules: keys sorted, no blanks, letters as they are."""
    (folder / "randomisation.yaml").write_text(
        "unit: arm\nmethod: complete\nratio: {usual: 1, reminder: 2}\nnote: æ\n"
    )
    found = canonical_files(load_study(folder).study)["randomisation.yaml"]
    assert found == '{"method":"complete","note":"æ","ratio":{"reminder":2,"usual":1},"unit":"arm"}'.encode()
