"""One error tree.

Every error a user can cause carries three things: a stable ``code``, a ``message`` that says what was wrong
and what was given, and a ``remedy`` that says what to do. Edges (command line, web) print those three and
nothing else; a traceback is always our bug.
"""

from __future__ import annotations

from typing import ClassVar


class TrialwrightError(Exception):
    """Root of all errors that are answers to a user, not bugs.

    Args:
        message: what was wrong, naming the offending thing.
        remedy: what the user can do about it.
        given: structured fields (what was given, limits, names), for machines and translations.
    """

    code: ClassVar[str] = "trialwright.error"

    def __init__(self, message: str, *, remedy: str, **given: object) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.given = given

    def __str__(self) -> str:
        return f"{self.message} → {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        """Copied and sent to another process as it is: subclasses make their messages from other arguments."""
        return _remade, (type(self), self.args, self.__dict__)

    def as_dict(self) -> dict[str, object]:
        """The error as plain data, for ``--json`` output and APIs."""
        given = {
            key: value if isinstance(value, int | str | bool) else str(value) for key, value in self.given.items()
        }
        return {"error": self.code, "message": self.message, "remedy": self.remedy, "given": given}


def _remade(kind: type[TrialwrightError], args: tuple[object, ...], fields: dict[str, object]) -> TrialwrightError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class InvalidValue(TrialwrightError):
    """A value that cannot be what it claims to be (a date, a quantity, an identifier)."""

    code = "value.invalid"


class RecordError(TrialwrightError):
    """The record could not be read, written or believed."""

    code = "record.error"


class Refusal(TrialwrightError):
    """A gate that stays closed: the act was not carried out and nothing was written.

    Subclasses are the named refusals of commands; each has its own ``code``.
    """

    code = "refused"
