"""`new`, `rehearse`, `verify`, `export`: a record from nothing to a checked archive, by the command line alone."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
import zipfile

import pytest
from pyarrow import parquet


@pytest.fixture(scope="module")
def rehearsed(run, tmp_path_factory):
    """A folder with the template study, rehearsed into a SQLite store with a report."""
    folder = tmp_path_factory.mktemp("rehearsed")
    assert run("new", "walking", cwd=folder).returncode == 0
    answer = run(
        "rehearse", "walking", "-n", 4, "--store", "sqlite:///walking.db", "--report", "report", "--json", cwd=folder
    )
    assert answer.returncode == 0, answer.stderr
    return folder, json.loads(answer.stdout)


def test_a_new_study_is_named_like_its_folder_and_checks_clean(run, tmp_path):
    assert run("new", "walking", cwd=tmp_path).returncode == 0
    found = run("check", "walking", "--json", cwd=tmp_path)
    assert found.returncode == 0
    assert json.loads(found.stdout)["errors"] == 0
    assert json.loads(run("build", "walking", "--json", cwd=tmp_path).stdout)["study"] == "walking"
    assert "acronym: WALKING\n" in (tmp_path / "walking" / "study.yaml").read_text(encoding="utf-8")


def test_a_new_study_never_overwrites_a_folder(run, tmp_path):
    (tmp_path / "walking").mkdir()
    answer = run("new", "walking", cwd=tmp_path)
    assert answer.returncode == 2
    assert "exists already" in answer.stderr
    assert list((tmp_path / "walking").iterdir()) == []


def test_a_name_that_is_no_study_name_is_refused(run, tmp_path):
    answer = run("new", "My Trial", cwd=tmp_path)
    assert answer.returncode == 2
    assert "lower-case" in answer.stderr
    assert not (tmp_path / "My Trial").exists()


def test_a_rehearsal_says_what_it_wrote(rehearsed):
    folder, said = rehearsed
    with sqlite3.connect(folder / "walking.db") as database:
        size, _ = database.execute("SELECT size, chain FROM ledger_head WHERE ledger_id = 'walking/open'").fetchone()
    assert said["participants"] == 4
    assert said["mode"] == "rehearsal"
    assert said["events"] == size
    assert len(bytes.fromhex(said["root"])) == 32


def test_the_same_seed_gives_the_same_root_and_another_seed_another(run, rehearsed):
    folder, said = rehearsed
    again = json.loads(run("rehearse", "walking", "-n", 4, "--json", cwd=folder).stdout)
    other = json.loads(run("rehearse", "walking", "-n", 4, "--seed", 2, "--json", cwd=folder).stdout)
    assert again["root"] == said["root"]
    assert other["root"] != said["root"]


def test_a_record_is_never_overwritten(run, rehearsed):
    folder, _ = rehearsed
    before = (folder / "walking.db").read_bytes()
    answer = run("rehearse", "walking", "-n", 4, "--store", "sqlite:///walking.db", cwd=folder)
    assert answer.returncode == 2
    assert "already holds a record" in answer.stderr
    assert (folder / "walking.db").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-n", 0), "ask for 1 or more"),
        (("--scenario", "miracle"), "no scenario 'miracle'"),
        (("--store", "walking.db"), "not the address of a store"),
    ],
)
def test_what_cannot_be_rehearsed_is_said_without_a_traceback(run, rehearsed, arguments, told):
    answer = run("rehearse", "walking", *arguments, cwd=rehearsed[0])
    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


def test_verify_says_up_to_where_a_checkpoint_proves_the_record(run, rehearsed):
    folder, said = rehearsed
    outside = ("--checkpoint", "report/checkpoint-open.txt", "--key", "report/checkpoint-key.txt")
    proven = run("verify", "sqlite:///walking.db", *outside, "--json", cwd=folder)
    (ledger,) = [one for one in json.loads(proven.stdout)["ledgers"] if one["ledger"] == "walking/open"]
    assert proven.returncode == 0
    assert ledger["covered"] == said["events"]
    assert ledger["fault"] is None


def test_without_a_checkpoint_held_outside_nothing_is_proven(run, rehearsed):
    answer = run("verify", "sqlite:///walking.db", cwd=rehearsed[0])
    assert answer.returncode == 1
    assert "Nothing is proven" in answer.stdout


def test_an_altered_byte_is_found_and_its_entry_named(run, rehearsed, tmp_path):
    folder, _ = rehearsed
    target = tmp_path / "altered.db"
    with sqlite3.connect(folder / "walking.db") as source, sqlite3.connect(target) as copy:
        source.backup(copy)
        copy.execute("DROP TRIGGER ledger_entry_no_update")
        copy.execute("UPDATE ledger_entry SET body = replace(body, '\"rehearsal\"', '\"rehearsed\"') WHERE seq = 1")
        copy.execute(
            "CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry "
            "BEGIN SELECT RAISE(ABORT, 'append-only: no update'); END"
        )
    outside = ("--checkpoint", folder / "report/checkpoint-open.txt", "--key", folder / "report/checkpoint-key.txt")
    answer = run("verify", f"sqlite:///{target}", *outside, cwd=folder)
    assert answer.returncode == 1
    assert "FAULT at entry 1" in answer.stdout


def test_an_export_holds_every_value_with_its_label_and_a_ledger_that_verifies_alone(run, rehearsed, tmp_path):
    folder, said = rehearsed
    out = tmp_path / "out"
    assert run("export", "sqlite:///walking.db", "-o", out, cwd=folder).returncode == 0
    with (out / "items.csv").open(newline="", encoding="utf-8") as file:
        items = list(csv.DictReader(file))
    with sqlite3.connect(folder / "walking.db") as database:
        (stored,) = database.execute("SELECT count(*) FROM item").fetchone()
    assert len(items) == stored > 100
    assert all(row["label"] and row["form_label"] for row in items)
    assert (out / "audit_trail.csv").stat().st_size > 0
    archive = out / "ledger-walking-open.zip"
    (tmp_path / "alone").mkdir()
    with zipfile.ZipFile(archive) as packed:
        packed.extract("verify.py", tmp_path / "alone")
    proof = subprocess.run(
        [
            sys.executable, "-I", tmp_path / "alone" / "verify.py", archive,
            "--checkpoint", folder / "report/checkpoint-open.txt", "--key", folder / "report/checkpoint-key.txt",
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert proof.returncode == 0, proof.stderr
    assert f"Covered to {said['events']} " in proof.stdout


def test_parquet_carries_the_labels_of_its_columns_and_the_same_values(run, rehearsed, tmp_path):
    folder, _ = rehearsed
    assert run("export", "sqlite:///walking.db", "-o", tmp_path / "c", cwd=folder).returncode == 0
    assert (
        run("export", "sqlite:///walking.db", "-o", tmp_path / "p", "--format", "parquet", cwd=folder).returncode == 0
    )
    table = parquet.read_table(tmp_path / "p" / "items.parquet")
    assert table.schema.field("value").metadata[b"label"] == b"Value as entered"
    with (tmp_path / "c" / "items.csv").open(newline="", encoding="utf-8") as file:
        values = [row["value"] for row in csv.DictReader(file)]
    assert [value or "" for value in table["value"].to_pylist()] == values


def test_an_export_never_mixes_with_what_is_there(run, rehearsed, tmp_path):
    (tmp_path / "keep.txt").write_text("mine")
    answer = run("export", "sqlite:///walking.db", "-o", tmp_path, cwd=rehearsed[0])
    assert answer.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["keep.txt"]


def test_an_unknown_format_is_named_with_those_that_exist(run, rehearsed, tmp_path):
    answer = run("export", "sqlite:///walking.db", "-o", tmp_path / "o", "--format", "sas", cwd=rehearsed[0])
    assert answer.returncode == 2
    assert "csv, parquet" in answer.stderr
