"""The texts of a study have paragraphs, lists, **strong** and *stressed* words, and nothing else.

They are read into plain data, so that no page ever shows what an author wrote as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SPAN = re.compile(r"\*\*(?P<strong>[^\s*][^*\n]*)\*\*|(?<![\w*])\*(?P<stressed>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])")
_MARKED = re.compile(r"(?:[-*] +|(?P<number>[0-9]{1,3})\. +)(?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Span:
    """Some words of a line; ``stress`` is 0 plain, 1 stressed, 2 strong."""

    text: str
    stress: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph (``kind`` is ``paragraph``, one line) or a list (``bullets`` or ``numbers``, a line each)."""

    kind: str
    lines: tuple[tuple[Span, ...], ...]


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a text, in order. Total: whatever is no mark is a word."""
    found: list[Block] = []
    for chunk in re.split(r"\n[ \t]*\n", text):
        for kind, lines in _runs(chunk):
            found.append(Block(kind, tuple(spans(line) for line in lines)))
    return tuple(found)


def spans(line: str) -> tuple[Span, ...]:
    """The words of a line with their stress."""
    found: list[Span] = []
    end = 0
    for mark in _SPAN.finditer(line):
        if mark.start() > end:
            found.append(Span(line[end : mark.start()]))
        found.append(Span(mark["strong"], 2) if mark["strong"] else Span(mark["stressed"], 1))
        end = mark.end()
    if end < len(line):
        found.append(Span(line[end:]))
    return tuple(found)


def plain(text: str) -> str:
    """The words alone, for searching and descriptions."""
    return " ".join("".join(span.text for span in line) for block in blocks(text) for line in block.lines)


def _runs(chunk: str) -> Iterator[tuple[str, list[str]]]:
    kind, lines = "", list[str]()
    for raw in chunk.splitlines():
        line = raw.strip()
        if not line:
            continue
        marked = _MARKED.fullmatch(line)
        own = ("numbers" if marked["number"] else "bullets") if marked else ""
        if marked and own == kind:
            lines.append(marked["text"])
        elif marked:
            if lines:
                yield kind, lines
            kind, lines = own, [marked["text"]]
        elif lines:
            # A line without a mark goes on with the one before.
            lines[-1] = f"{lines[-1]} {line}"
        else:
            kind, lines = "paragraph", [line]
    if lines:
        yield kind, lines
