"""A study folder to a :class:`~trialwright.protocol.folder.Study`, with every problem of every file at once."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trialwright.protocol.analysis import Analysis
from trialwright.protocol.custody import Custody
from trialwright.protocol.declared import Declared
from trialwright.protocol.documents import ConsentText, PublicText
from trialwright.protocol.eligibility import Eligibility
from trialwright.protocol.findings import Finding, StudyFolderError, did_you_mean
from trialwright.protocol.folder import Study
from trialwright.protocol.forms import Form
from trialwright.protocol.positions import KeyPath, Place, Positions
from trialwright.protocol.randomisation import Randomisation
from trialwright.protocol.safety import Safety
from trialwright.protocol.schedule import Schedule
from trialwright.protocol.simulation import Simulation
from trialwright.protocol.study import StudyIdentity
from trialwright.protocol.terminology import CodeList
from trialwright.protocol.text_source import read_text
from trialwright.protocol.validation import declaration
from trialwright.protocol.yaml_source import YamlSource, read_yaml

FILES: dict[str, tuple[str, type[Declared]]] = {
    "study.yaml": ("identity", StudyIdentity),
    "eligibility.yaml": ("eligibility", Eligibility),
    "schedule.yaml": ("schedule", Schedule),
    "randomisation.yaml": ("randomisation", Randomisation),
    "custody.yaml": ("custody", Custody),
    "safety.yaml": ("safety", Safety),
    "analysis.yaml": ("analysis", Analysis),
    "simulation.yaml": ("simulation", Simulation),
}
"""File → the study's attribute and what the file declares."""

OPTIONAL = frozenset({"custody.yaml"})

FOLDERS: dict[str, tuple[str, type[Declared]]] = {
    "forms": (".yaml", Form),
    "terminology": (".yaml", CodeList),
    "consent": (".md", ConsentText),
    "public": (".md", PublicText),
}
"""Folder → suffix of its files and what each declares. A file is named by its id or language."""

LARGEST_FILE = 1_000_000
MOST_FILES = 1000

_STEM = {".yaml": re.compile(r"[a-z][a-z0-9_]*\Z"), ".md": re.compile(r"[a-z]{2,3}\Z")}


@dataclass(frozen=True)
class LoadedStudy:
    """A study with the place of everything in its folder.

    Attributes:
        study: what the folder declares.
        positions: lines and columns, for findings.
        folder: where it was read.
    """

    study: Study
    positions: Positions
    folder: Path


def load_study(folder: Path) -> LoadedStudy:
    """Read a study folder.

    Args:
        folder: the folder that holds ``study.yaml``.

    Raises:
        StudyFolderError: with every problem of every file: unreadable, not YAML, unknown or missing keys,
            wrong values, missing files.
    """
    return _Loader(folder).load()


@dataclass
class _Loader:
    folder: Path
    findings: list[Finding] = field(default_factory=list)
    places: dict[str, Mapping[KeyPath, Place]] = field(default_factory=dict)

    def load(self) -> LoadedStudy:
        if not self.folder.is_dir():
            self._report(str(self.folder), "TW908", "there is no such folder", "give the folder of a study")
            raise self._error()
        if not any((self.folder / name).exists() for name in (*FILES, *FOLDERS)):
            # One mistake, the wrong folder, is told once and not for each file.
            remedy = "give the folder that holds study.yaml, or make one with `trialwright new`"
            self._report(str(self.folder), "TW908", "this folder holds no study", remedy)
            raise self._error()
        parts: dict[str, object] = {}
        for name, (attribute, model) in FILES.items():
            parts[attribute] = self._single(name, model)
        parts["forms"] = self._many("forms")
        parts["terminology"] = self._many("terminology")
        parts["consent"] = self._many("consent")
        parts["public"] = self._many("public")
        self._strangers()
        if self.findings:
            raise self._error()
        # Each part has been validated; building the whole again would only repeat it.
        return LoadedStudy(Study.model_construct(**parts), Positions(self.places), self.folder)  # type: ignore[arg-type]  # parts by name

    def _error(self) -> StudyFolderError:
        count = len(self.findings)
        return StudyFolderError(
            f"{self.folder} cannot be read as a study: {count} {'problem' if count == 1 else 'problems'}",
            self.findings,
            remedy="mend each; `trialwright explain RULE` tells more",
        )

    def _single(self, name: str, model: type[Declared]) -> Declared | None:
        path = self.folder / name
        if not path.exists() and not path.is_symlink():
            if name not in OPTIONAL:
                near = did_you_mean(name, (p.name for p in self.folder.iterdir() if p.name not in FILES))
                self._report(name, "TW908", f"{name} is missing", near or "write it; `trialwright new` shows how")
            return None
        return self._declared(path, name, model)

    def _many(self, folder: str) -> dict[str, Declared]:
        suffix, model = FOLDERS[folder]
        found: dict[str, Declared] = {}
        for path in self._listing(folder):
            name = f"{folder}/{path.name}"
            if path.suffix != suffix or not _STEM[suffix].match(path.stem):
                wanted = "<id>.yaml" if suffix == ".yaml" else "<language>.md"
                self._report(name, "TW909", f"{name} is not expected here", f"name it {folder}/{wanted}, or move it")
                continue
            declared = self._declared(path, name, model)
            if declared is None:
                continue
            own = getattr(declared, "id", path.stem)
            if own != path.stem:
                self._report(name, "TW909", f"the file holds {own!r}", f"name it {folder}/{own}{suffix}")
            found[own] = declared
        return found

    def _listing(self, folder: str) -> Iterator[Path]:
        path = self.folder / folder
        if path.is_symlink() or not path.is_dir():
            self._report(folder, "TW908", f"the folder {folder}/ is missing", "make it, with at least one file")
            return
        files = sorted(p for p in path.iterdir() if not p.name.startswith("."))
        if not files:
            self._report(folder, "TW908", f"the folder {folder}/ is empty", "it needs at least one file")
        if len(files) > MOST_FILES:
            self._report(folder, "TW910", f"{len(files)} files", f"at most {MOST_FILES} are read")
            return
        yield from files

    def _declared(self, path: Path, name: str, model: type[Declared]) -> Declared | None:
        text = self._text(path, name)
        if text is None:
            return None
        source: YamlSource = read_text(text, name) if path.suffix == ".md" else read_yaml(text, name)
        self.places[name] = source.places
        self.findings.extend(source.findings)
        if source.data is None:
            if not source.findings:
                self._report(name, "TW904", "the file is empty", "write it, or remove it")
            return None
        declared, wrong = declaration(model, source.data, name, source.places)
        # A value that the reader itself refused is None in the data: the second finding would only confuse.
        seen = {(f.line, f.column) for f in source.findings}
        self.findings.extend(f for f in wrong if (f.line, f.column) not in seen)
        return declared

    def _text(self, path: Path, name: str) -> str | None:
        if path.is_symlink():
            self._report(name, "TW910", "is a link", "put the file itself into the folder")
            return None
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                self._report(name, "TW910", "is not a file", "put a text file here")
                return None
            if status.st_size > LARGEST_FILE:
                self._report(
                    name, "TW910", f"is {status.st_size:,} bytes long", f"at most {LARGEST_FILE:,} are read; split it"
                )
                return None
            return path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._report(name, "TW910", f"byte {error.start} is not UTF-8", "save the file as UTF-8")
        except OSError as error:
            self._report(name, "TW910", f"cannot be read: {error.strerror}", "check its permissions")
        return None

    def _strangers(self) -> None:
        """A misspelt file is silently absent unless somebody says so."""
        known = {*FILES, *FOLDERS}
        for path in sorted(self.folder.iterdir()):
            if path.name in known or path.name.startswith("."):
                continue
            if path.suffix in (".yaml", ".yml") or (path.is_dir() and did_you_mean(path.name, FOLDERS)):
                remedy = did_you_mean(path.name, known) or f"known are {', '.join(sorted(known))}"
                self._report(path.name, "TW909", f"{path.name} is not part of a study", remedy)

    def _report(self, file: str, rule: str, message: str, remedy: str) -> None:
        self.findings.append(Finding(file=file, line=1, column=1, rule=rule, message=message, remedy=remedy))
