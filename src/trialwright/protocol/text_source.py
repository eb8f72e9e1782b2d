"""Texts with a YAML head: ``---``, head, ``---``, then ``## Heading {#id}`` sections."""

from __future__ import annotations

import re

from trialwright.protocol.findings import Finding
from trialwright.protocol.positions import Place, Position
from trialwright.protocol.yaml_source import Data, YamlSource, read_yaml

_NAMELESS = "nameless"  # stands in for an id that is missing, so that one mistake is told once
_HEADING = re.compile(r"## +(?P<heading>.*?\S) *\{#(?P<id>[^}]*)\} *\Z")


def read_text(text: str, file: str) -> YamlSource:
    """Read one text file into ``{"head": …, "sections": [{"id", "heading", "text"}]}``.

    Line ends and spaces at the ends of lines mean nothing and are dropped.
    """
    lines = [line.rstrip() for line in text.splitlines()]
    try:
        end = lines.index("---", 1) if lines and lines[0] == "---" else 0
    except ValueError:
        end = 0
    if not end:
        return YamlSource(
            findings=[_finding(file, 1, "the file has no head", "start with ---, the head's keys, and --- again")]
        )
    source = read_yaml("\n".join(lines[1:end]) + "\n", file, first_line=2)
    places = {("head", *path): place for path, place in source.places.items()}
    findings = list(source.findings)
    sections = _Sections(file, places, findings).read(lines, end + 1)
    places[()] = Place(Position(1, 1), Position(1, 1))
    return YamlSource({"head": source.data, "sections": sections}, places, findings)


class _Sections:
    def __init__(self, file: str, places: dict[tuple[str | int, ...], Place], findings: list[Finding]) -> None:
        self._file = file
        self._places = places
        self._findings = findings
        self._sections: list[dict[str, Data]] = []
        self._body: list[str] = []

    def read(self, lines: list[str], start: int) -> list[Data]:
        for number, line in enumerate(lines[start:], start + 1):
            if line.startswith(("# ", "## ")):
                self._close()
                self._open(line, number)
            elif self._sections:
                self._body.append(line)
            elif line:
                self._report(number, "text stands before the first heading", "begin with ## Heading {#id}")
                self._add(number, _NAMELESS, line)
        self._close()
        return [*self._sections]

    def _open(self, line: str, number: int) -> None:
        found = _HEADING.match(line)
        if not found:
            self._report(
                number, f"heading {line[:60]!r} has no id", "write ## Heading {#id}; the title is in the head"
            )
            self._add(number, _NAMELESS, line)
            return
        if any(section["id"] == found["id"] for section in self._sections):
            self._report(number, f"id {found['id']!r} is used twice", "give each section its own id")
        self._add(number, found["id"], found["heading"])

    def _add(self, number: int, name: str, heading: str) -> None:
        here = Position(number, 1)
        self._places["sections", len(self._sections)] = Place(here, here)
        self._sections.append({"id": name, "heading": heading, "text": ""})

    def _close(self) -> None:
        if self._sections:
            self._sections[-1]["text"] = "\n".join(self._body).strip("\n")
        self._body = []

    def _report(self, line: int, message: str, remedy: str) -> None:
        self._findings.append(_finding(self._file, line, message, remedy))


def _finding(file: str, line: int, message: str, remedy: str) -> Finding:
    return Finding(file=file, line=line, column=1, rule="TW912", message=message, remedy=remedy)
