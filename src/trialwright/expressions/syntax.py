"""The tree that the parser makes: what was written, with columns; nothing is known of types yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that the caller looks up. Equal references have equal :attr:`key`.

    Args:
        path: the names of an item: ``("vitals", "weight")``.
        encounter: the encounter it was collected at, for ``at(week_4).vitals.weight``.
        latest: the latest value on or before the time of evaluation, for ``latest(vitals.weight)``.
        within: with ``latest``: at most this many days old, or None.
    """

    path: tuple[str, ...]
    encounter: str | None = None
    latest: bool = False
    within: int | None = None
    column: int = field(default=0, compare=False)

    @property
    def item(self) -> str:
        """The item's dotted name."""
        return ".".join(self.path)

    @property
    def key(self) -> str:
        """The canonical text, by which rows hold the value."""
        if self.encounter is not None:
            return f"at({self.encounter}).{self.item}"
        if self.latest:
            window = "" if self.within is None else f", within={self.within}"
            return f"latest({self.item}{window})"
        return self.item


@dataclass(frozen=True, slots=True)
class Name:
    """A reference where a value stands."""

    reference: Reference
    column: int


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, with its unit when one follows: ``5``, ``0.1``, ``5 'kg'``."""

    text: str
    unit: str | None
    column: int


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quoted text: a code, a text or a date, as its neighbour says."""

    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Constant:
    """``true`` or ``false``."""

    value: bool
    column: int


@dataclass(frozen=True, slots=True)
class Minus:
    """Unary minus."""

    operand: Node
    column: int


@dataclass(frozen=True, slots=True)
class Binary:
    """``+ - * /``; the column is the operator's."""

    operator: str
    left: Node
    right: Node
    column: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chain: ``operands[0] operators[0] operands[1] …``; columns are the operators'."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]
    columns: tuple[int, ...]

    @property
    def column(self) -> int:
        """The first operator's."""
        return self.columns[0]


@dataclass(frozen=True, slots=True)
class Membership:
    """``value in (…)`` or ``value not in (…)``."""

    value: Node
    options: tuple[Node, ...]
    negated: bool
    column: int


@dataclass(frozen=True, slots=True)
class MissingTest:
    """``value is missing`` or ``value is not missing``."""

    value: Node
    negated: bool
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    """``not operand``."""

    operand: Node
    column: int


@dataclass(frozen=True, slots=True)
class Junction:
    """``and`` or ``or`` of two or more operands."""

    operator: str
    operands: tuple[Node, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language."""

    function: str
    arguments: tuple[Node, ...]
    column: int


Node = (
    Name | Number | Quoted | Constant | Minus | Binary | Comparison | Membership | MissingTest | Not | Junction | Call
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression.

    Args:
        text: as written.
        where: the place the caller gave, for messages.
        root: the tree.
    """

    text: str
    where: str
    root: Node

    def __str__(self) -> str:
        return self.text


def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node, from left to right."""
    match node:
        case Minus(operand=operand) | Not(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Comparison(operands=operands) | Junction(operands=operands):
            return operands
        case Membership(value=value, options=options):
            return (value, *options)
        case MissingTest(value=value):
            return (value,)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, from left to right."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def references(expression: Expression) -> tuple[Reference, ...]:
    """The references of an expression, each once, in the order they are written, with their columns."""
    found: dict[str, Reference] = {}
    for node in walk(expression.root):
        if isinstance(node, Name):
            found.setdefault(node.reference.key, node.reference)
    return tuple(found.values())
