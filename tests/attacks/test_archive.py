"""The archive opens without Trialwright: by a browser, by ``verify.py`` on any Python, and by ``sha256sum``."""

from __future__ import annotations

import hashlib
import html.parser
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from trialwright.build.compile import compiled
from trialwright.cli.export import history_of
from trialwright.exports.archive import _table_row, write_archive
from trialwright.foundation.errors import InvalidValue
from trialwright.ledger import parse_checkpoint
from trialwright.protocol import Role, load_study
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import MemoryStore
from trialwright.trial.attachments.events import FileAttached
from trialwright.trial.audit import audit_trail
from trialwright.trial.event import Space

STUDY = Path(__file__).parents[2] / "studies" / "ocrelizumab-sc"
SCAN = b"%PDF-1.4 a scan <script>"
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


class Attaching:
    """A trial in whose history a file was attached."""

    def __init__(self, trial):
        self._trial = trial

    def __getattr__(self, name):
        return getattr(self._trial, name)

    def facts(self, space):
        facts = list(self._trial.facts(space))
        attached = FileAttached(
            participant="P", encounter="e", form="f", repeat=1, size=len(SCAN), media_type="application/pdf",
            text="a scan", digest=hashlib.sha256(SCAN).hexdigest(),
        )  # fmt: skip
        return [*facts, replace(facts[-1], event=attached)]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The folder of an archive, what was written, and a site's receipt and key beside it."""
    home = tmp_path_factory.mktemp("archive")
    store, notes = MemoryStore(), []
    done = rehearse(
        compiled(load_study(STUDY).study),
        store,
        MemoryStore(),
        Wishes(participants=2, amendment=False),
        hand_out=lambda space, note: notes.append(note) if space is Space.OPEN else None,
    )
    (home / "archive").mkdir()
    made = write_archive(
        history_of(Attaching(done.trial)), store, home / "archive", {hashlib.sha256(SCAN).hexdigest(): SCAN}.get
    )
    (home / "receipt.txt").write_text(notes[-1], encoding="utf-8")
    (home / "key.txt").write_text(done.checkpoint_key, encoding="utf-8")
    return home, made, done


class Reader(html.parser.HTMLParser):
    """What a browser makes of a page: text, links, and whatever it would run or fetch."""

    def __init__(self, text):
        super().__init__()
        self.text, self.links, self.active, self.rows = [], [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.rows += tag == "tr"
        if tag == "a":
            self.links.append(attributes["href"])
        fetched = tag in ("script", "img", "iframe", "object", "link", "form") or "src" in attributes
        if fetched or any(name.startswith("on") for name in attributes):
            self.active.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def test_every_participant_and_the_study_have_a_readable_page(archive):
    home, made, _ = archive
    folder = home / "archive" / "timeline"
    index = Reader((folder / "index.html").read_text(encoding="utf-8"))
    assert len(index.links) == made.participants > 1
    for link in index.links:
        page = Reader((folder / link).read_text(encoding="utf-8"))
        assert page.active == []
        assert page.rows > 1
        assert link.removesuffix(".html") in " ".join(page.text)
        assert "This is a rehearsal: nobody took part." in " ".join(page.text)
    assert index.active == []
    enrolled = max((folder / link).read_text(encoding="utf-8").count("<tr>") for link in index.links)
    assert enrolled > 50


def test_markup_in_a_value_stays_text(archive):
    _, _, done = archive
    row = next(iter(audit_trail(done.trial, role=Role.INSPECTOR)))
    hostile = replace(row, new="<script>alert(1)</script>", reason='"><img src=x onerror=y>')
    assert Reader(_table_row(hostile)).active == []


def test_a_correction_shows_both_values(archive):
    home, _, _ = archive
    pages = "".join(path.read_text(encoding="utf-8") for path in (home / "archive" / "timeline").iterdir())
    assert "<del>" in pages
    assert "<ins>" in pages


def test_a_signature_reads_who_signed_when_and_what_it_means(archive):
    """21 CFR 11.50: in the copy that people read, for each form and each consent that was signed."""
    home, _, done = archive
    pages = "".join(path.read_text(encoding="utf-8") for path in (home / "archive" / "timeline").iterdir())
    meanings = {"capture.form_signed": "form signed", "consent.signed_by_participant": "signed by participant"}
    signed = [fact for fact in done.trial.facts(Space.OPEN) if fact.event.TYPE in meanings]
    assert {fact.event.TYPE for fact in signed} == set(meanings)
    for fact in signed:
        who = f"<td>{fact.actor} ({fact.role.replace('_', ' ')}, {fact.organisation})</td>"
        said = (f"<td>{fact.at}</td>", who, f"<td>{meanings[fact.event.TYPE]}</td>")
        assert any(all(part in row for part in said) for row in pages.splitlines()), fact


def test_the_manifest_names_every_file_and_its_hash(archive):
    home, _, _ = archive
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "--strict", "manifest.txt"], cwd=home / "archive", check=False
    )
    assert done.returncode == 0
    listed = len((home / "archive" / "manifest.txt").read_text().splitlines())
    assert listed + 1 == sum(path.is_file() for path in (home / "archive").rglob("*"))


def test_an_attached_file_lies_under_its_hash_and_one_that_is_absent_is_named(archive, tmp_path):
    home, made, done = archive
    digest = hashlib.sha256(SCAN).hexdigest()
    assert (home / "archive" / "attachments" / f"{digest}.pdf").read_bytes() == SCAN
    assert made.attachments == 1
    without = write_archive(history_of(Attaching(done.trial)), done.trial.stores[Space.OPEN], tmp_path)
    assert without.absent == (digest,)
    assert "ABSENT" in (tmp_path / "attachments" / "index.txt").read_text(encoding="utf-8")


def test_an_attached_file_that_is_not_what_the_record_says_is_refused(archive, tmp_path):
    _, _, done = archive
    with pytest.raises(InvalidValue, match="not what the record says"):
        write_archive(
            history_of(Attaching(done.trial)), done.trial.stores[Space.OPEN], tmp_path, lambda digest: b"other"
        )


@pytest.mark.parametrize("version", PYTHONS)
def test_ledger_and_participants_verify_on_every_python_that_is_here(archive, version):
    home, made, _ = archive
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    python = kept[-1] if kept else shutil.which(f"python{version}")
    if python is None:
        pytest.skip(f"no Python {version} on this machine: the archive was NOT tried on it")
    folder = home / "archive" / "ledger-ocrelizumab-sc-open"
    size = parse_checkpoint((home / "receipt.txt").read_text(encoding="utf-8")).size
    files = sorted((home / "archive" / "participants").iterdir())
    assert len(files) == made.participants
    for place in (folder, *files[:2]):
        command = [python, "-I", folder / "verify.py", place, "--checkpoint", home / "receipt.txt"]
        done = subprocess.run([*command, "--key", home / "key.txt"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"Covered to {size} " in done.stdout


def test_an_archive_with_one_bit_turned_is_found_out(archive, tmp_path):
    """Seen to fail: the same commands on an archive that was altered."""
    home, _, _ = archive
    copy = Path(shutil.copytree(home / "archive", tmp_path / "copy"))
    entries = copy / "ledger-ocrelizumab-sc-open" / "entries.jsonl"
    content = bytearray(entries.read_bytes())
    content[content.index(b'"role":"') + 9] ^= 1
    entries.write_bytes(content)
    verify = [shutil.which("python3"), "-I", copy / "ledger-ocrelizumab-sc-open" / "verify.py", entries.parent]
    done = subprocess.run(
        [*verify, "--checkpoint", home / "receipt.txt", "--key", home / "key.txt"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"FAULT" in done.stdout
    check = ["sha256sum", "--check", "--status", "manifest.txt"]
    assert subprocess.run(check, cwd=copy, check=False).returncode == 1
