"""Text to tokens. Whatever is not in the language stops here, with its column."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trialwright.expressions.errors import SyntaxProblem, TooLarge

LONGEST_TEXT = 10_000
_LONGEST_QUOTED = 500
_LONGEST_NUMBER = 40

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z_.]))"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<quoted>'[^'\\\x00-\x1f\x7f]*'|\"[^\"\\\x00-\x1f\x7f]*\")"
    r"|(?P<operator>\*\*|//|<=|>=|==|!=|<>|&&|\|\||[-+*/<>().,=])"
)

_FOREIGN = {
    "**": "write the product out, for example x * x",
    "//": "use / and compare the result",
    "<>": "write !=",
    "&&": "write and",
    "||": "write or",
}

_FOREIGN_CHARACTERS = {
    "!": "write not, or != for unequal",
    "%": "remainders are not part of the language",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
    "×": "write *",
    "−": "write a plain hyphen -",
    "[": "write lists in round brackets: x in ('a', 'b')",
    "{": "write lists in round brackets: x in ('a', 'b')",
    "^": "write the product out, for example x * x",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: kind is ``number``, ``name``, ``quoted``, ``operator`` or ``end``; column counts from 1."""

    kind: str
    text: str
    column: int


def tokens(text: str, where: str) -> list[Token]:
    """The tokens of a text, the last of kind ``end``.

    Raises:
        TooLarge: more than 10,000 characters.
        SyntaxProblem: a character, number or quotation that is not in the language.
    """
    if len(text) > LONGEST_TEXT:
        raise TooLarge(
            f"the expression has {len(text):,} characters",
            remedy=f"split it: at most {LONGEST_TEXT:,} are read",
            column=LONGEST_TEXT + 1,
            where=where,
        )
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position, where)
        kind, piece = match.lastgroup or "", match.group()
        if piece in _FOREIGN:
            raise SyntaxProblem(
                f"{piece!r} is not an operator", remedy=_FOREIGN[piece], column=position + 1, where=where
            )
        if kind == "number" and len(piece) > _LONGEST_NUMBER:
            raise TooLarge(
                f"a number of {len(piece)} digits",
                remedy=f"at most {_LONGEST_NUMBER} are read",
                column=position + 1,
                where=where,
            )
        if kind == "quoted":
            piece = _unquoted(piece, position, where)
        if kind != "space":
            found.append(Token(kind, piece, position + 1))
        position = match.end()
    found.append(Token("end", "", len(text) + 1))
    return found


def _unquoted(piece: str, position: int, where: str) -> str:
    content = piece[1:-1]
    if len(content) > _LONGEST_QUOTED:
        raise TooLarge(
            f"a quoted text of {len(content)} characters",
            remedy=f"at most {_LONGEST_QUOTED} are allowed",
            column=position + 1,
            where=where,
        )
    if any("\ud800" <= character <= "\udfff" for character in content):
        raise SyntaxProblem(
            "the quoted text is not valid Unicode",
            remedy="type it again",
            column=position + 1,
            where=where,
        )
    return content


def _unreadable(text: str, position: int, where: str) -> SyntaxProblem:
    character = text[position]
    if character in "'\"":
        message = "this quotation does not end, or holds a backslash or a control character"
        remedy = "close it with the same mark; there are no escapes: use the other mark around a quotation mark"
    elif character.isdigit():
        piece = re.match(r"[0-9A-Za-z_.]{1,40}", text[position:])
        message = f"{piece.group() if piece else character!r} is not a number"
        remedy = "write digits with at most one point, no exponent, and a space before the next word"
    elif character == "_":
        message, remedy = "a name starts with an underscore", "names start with a letter"
    elif character.isalpha():
        message = f"the letter {character!r} cannot stand in a name"
        remedy = "use a to z, digits and underscores; put texts in quotation marks"
    else:
        message = f"{character!r} is not part of the language"
        remedy = _FOREIGN_CHARACTERS.get(character, "remove it")
    return SyntaxProblem(message, remedy=remedy, column=position + 1, where=where)
