"""YAML 1.2 to plain data with the place of every key and value.

Only the composed nodes of the parser are used: scalars are resolved here by the core schema of YAML 1.2 (so the
country code ``NO`` stays a text), duplicate keys are found, and anchors, aliases and tags are refused. Without
aliases a file cannot grow when it is read, nor contain itself.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from trialwright.protocol import quick_yaml
from trialwright.protocol.findings import Finding
from trialwright.protocol.positions import KeyPath, Place, Position

Data = None | bool | int | float | str | list["Data"] | dict[str, "Data"]

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_LEADING_ZERO = re.compile(r"0[0-9]+\Z")  # site 01: nobody means the number 1
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS: dict[str, Data] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DEEPEST = 40


@dataclass
class YamlSource:
    """What was read from one text.

    Attributes:
        data: plain data; None when the text could not be parsed.
        places: the place of every path in it.
        findings: what is wrong with the text itself.
    """

    data: Data = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_yaml(text: str, file: str, *, first_line: int = 1) -> YamlSource:
    """Parse one YAML document.

    Args:
        text: the document.
        file: its name in findings.
        first_line: the line of ``file`` on which ``text`` starts (a head inside another file).
    """
    return _Reader(file, first_line).read(text)


class _Reader:
    def __init__(self, file: str, first_line: int) -> None:
        self._file = file
        self._first = first_line
        self._source = YamlSource()

    def read(self, text: str) -> YamlSource:
        try:
            root = _root(text)
        except MarkedYAMLError as error:
            self._syntax_error(error)
        except YAMLError as error:  # characters that YAML forbids
            self._report(Position(1, 1), "TW901", f"not YAML: {_first_line(str(error))}", "remove the character")
        except RecursionError:
            self._report(Position(1, 1), "TW901", "brackets are nested too deeply", "write it flatter")
        else:
            if root is not None:
                self._source.data = self._value(root, (), self._start(root))
        return self._source

    def _value(self, node: Node, path: KeyPath, key: Position) -> Data:
        here = self._start(node)
        self._source.places[path] = Place(key, here, _inline(node))
        if node.anchor is not None:  # an alias is the anchored node itself: not descending ends every loop and bomb
            self._report(here, "TW911", f"anchor &{node.anchor} and its aliases are not read", "write the value out")
            return None
        if not str(node.tag).startswith("tag:yaml.org,2002:") or "python" in str(node.tag):
            self._report(here, "TW911", f"tag {node.tag} is not read", "remove the tag; texts can be put in quotes")
            return None
        if len(path) > _DEEPEST:
            self._report(here, "TW901", "nested too deeply", "write it flatter")
            return None
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, SequenceNode):
            return [self._value(child, (*path, n), self._start(child)) for n, child in enumerate(node.value)]
        return self._mapping(node, path) if isinstance(node, MappingNode) else None

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Data]:
        found: dict[str, Data] = {}
        for key, value in node.value:
            here = self._start(key)
            if not isinstance(key, ScalarNode):
                self._report(here, "TW901", "a list or map cannot be a key", "write a name before the colon")
                continue
            name = str(key.value)
            if name in found:
                first = self._source.places[(*path, name)].key.line
                self._report(
                    here, "TW902", f"key {name!r} is written twice (first on line {first})", "keep one of them"
                )
                continue
            found[name] = self._value(value, (*path, name), here)
        return found

    def _start(self, node: Node) -> Position:
        return Position(node.start_mark.line + self._first, node.start_mark.column + 1)

    def _syntax_error(self, error: MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        place = Position(mark.line + self._first, mark.column + 1) if mark else Position(1, 1)
        problem = _first_line(str(error.problem or error.context or "not YAML"))
        remedy = "check indentation, colons and quotes on this line and the one before"
        if "\\t" in problem:
            problem, remedy = "a tab stands where spaces must", "indent with spaces"
        elif "expected a single document" in str(error):
            problem, remedy = "a second document starts here (---)", "one file holds one document"
        self._report(place, "TW901", f"not YAML: {problem}", remedy)

    def _report(self, place: Position, rule: str, message: str, remedy: str) -> None:
        self._source.findings.append(
            Finding(file=self._file, line=place.line, column=place.column, rule=rule, message=message, remedy=remedy)
        )


def _root(text: str) -> Node | None:
    if (quick := quick_yaml.compose(text, _DEEPEST)) is not None:
        return quick
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser warns of its own future; findings are ours
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node


def _scalar(node: ScalarNode) -> Data:
    text = str(node.value)
    if node.style is not None or node.tag == "tag:yaml.org,2002:str":
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text) and not _LEADING_ZERO.match(text):
        return float(text)
    return text


def _inline(node: Node) -> int | None:
    """Characters between the start of a one-line scalar and its text; None where columns cannot be counted."""
    if not isinstance(node, ScalarNode) or node.start_mark.line != node.end_mark.line or node.style in ("|", ">"):
        return None
    return 0 if node.style is None else 1


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0][:200] if lines else ""
