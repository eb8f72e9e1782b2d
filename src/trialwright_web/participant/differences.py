"""What changed between the consent text that somebody signed and the one in force now, word by word."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from trialwright.finder import plain
from trialwright.protocol.documents import ConsentText


@dataclass(frozen=True)
class Part:
    """Some words: ``same``, ``added`` or ``removed``."""

    kind: str
    text: str


@dataclass(frozen=True)
class ChangedSection:
    """A section with its words, old and new; ``kind`` is changed, added or removed."""

    heading: str
    kind: str
    parts: tuple[Part, ...]


def changed_sections(old: ConsentText, new: ConsentText) -> tuple[ChangedSection, ...]:
    """Sections that differ, in the order of the new text; those that are gone come last."""
    before = {section.id: section for section in old.sections}
    found = []
    for section in new.sections:
        text = plain(section.text)
        earlier = before.pop(section.id, None)
        if earlier is None:
            found.append(ChangedSection(section.heading, "added", (Part("added", text),)))
        elif (earlier.heading, plain(earlier.text)) != (section.heading, text):
            found.append(ChangedSection(section.heading, "changed", words_changed(plain(earlier.text), text)))
    found += [ChangedSection(s.heading, "removed", (Part("removed", plain(s.text)),)) for s in before.values()]
    return tuple(found)


def words_changed(old: str, new: str) -> tuple[Part, ...]:
    """The two texts as one, with what was taken out and put in; without the added words it is the old one."""
    one, other = _words(old), _words(new)
    parts: list[Part] = []
    matcher = difflib.SequenceMatcher(a=one, b=other, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            parts.append(Part("same", "".join(one[a:b])))
        else:
            parts += [Part("removed", "".join(one[a:b]))] if b > a else []
            parts += [Part("added", "".join(other[c:d]))] if d > c else []
    return tuple(parts)


def _words(text: str) -> list[str]:
    """Words with the blanks behind them, so that nothing is lost."""
    return re.findall(r"\S+\s*|\s+", text)
