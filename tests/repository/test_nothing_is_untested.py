"""Every command, refusal, role, item type and public name is declared in full, reviewed, and met by some test."""

from __future__ import annotations

import csv
import inspect
import pkgutil
import re
import typing
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import trialwright
from trialwright.foundation.errors import Refusal, TrialwrightError
from trialwright.protocol.forms import ItemType
from trialwright.protocol.roles import Role
from trialwright.trial.command import Command
from trialwright.trial.rooms import DECISIONS, EVENTS, SLICES

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "reference" / "permissions.csv"
READS_ONLY = frozenset({Role.INSPECTOR})
"""Roles that look and never act."""
COMMANDS = sorted(DECISIONS, key=lambda kind: (kind.__module__, kind.__name__))


@cache
def modules():
    """Every module of the library, imported."""
    found = pkgutil.walk_packages(trialwright.__path__, "trialwright.")
    return tuple(import_module(module.name) for module in found if not module.name.endswith("__main__"))


@cache
def words_of_tests():
    """The words of every test file but this folder's."""
    files = (path for path in (ROOT / "tests").rglob("*.py") if path.parent != Path(__file__).parent)
    return Counter(word for path in files for word in re.findall(r"\w+", path.read_text()))


def of_library(kind):
    """Every subclass that the library declares."""
    modules()
    for sub in kind.__subclasses__():
        if sub.__module__.startswith("trialwright."):
            yield sub
        yield from of_library(sub)


# --- commands -------------------------------------------------------------------------------------------------


def test_every_command_has_a_decision():
    assert {kind for kind in of_library(Command) if "PERMISSION" in vars(kind)} == set(DECISIONS)


def test_every_event_and_slice_of_the_rooms_is_in_the_table_of_contents():
    from trialwright.trial.event import Event
    from trialwright.trial.state import Slice

    assert {kind for kind in of_library(Event) if "TYPE" in vars(kind)} == set(EVENTS)
    assert {kind for kind in of_library(Slice) if "STREAM" in vars(kind) or "FOLDS" in vars(kind)} == set(SLICES)


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_says_who_may_give_it_and_what_is_refused(kind):
    text = inspect.cleandoc(kind.__doc__ or "")
    assert re.search(r"\b[Bb]y\b|\bLike\b", text), "say who: By …"
    assert re.search(r"[Rr]efused|[Nn]ever refused|A fact", text), "say what is refused: Refused: …"


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_is_given_by_some_test(kind):
    assert words_of_tests()[kind.__name__] >= 2, "an import alone is no test"


def told(kind):
    """A row of the reviewed table, as the code has it."""
    permission = kind.PERMISSION
    row = {
        "command": kind.__name__,
        "room": kind.__module__.split(".")[2],
        "space": permission.space.value,
        "signature": permission.signs or "",
        **{
            name: "x" if getattr(permission, name) else ""
            for name in ("after_lock", "treats", "begins", "checkpoint")
        },
    }
    return row | {role.value: "x" if role in permission.roles else "" for role in Role}


def test_the_reviewed_table_of_permissions_says_what_the_code_says():
    with TABLE.open(encoding="utf-8", newline="") as file:
        reviewed = {row["command"]: row for row in csv.DictReader(file)}
    assert list(reviewed) == sorted(reviewed), "in order of the commands"
    coded = {kind.__name__: told(kind) for kind in COMMANDS}
    undecided = [
        f"{name}: the table has {reviewed.get(name)}, the code {coded.get(name)}"
        for name in sorted({*reviewed, *coded})
        if reviewed.get(name) != coded.get(name)
    ]
    assert not undecided, "\n".join(undecided)


def test_every_role_may_do_something_or_looks_only():
    acting = frozenset().union(*(kind.PERMISSION.roles for kind in COMMANDS))
    assert acting | READS_ONLY == frozenset(Role)
    assert not acting & READS_ONLY


# --- errors ---------------------------------------------------------------------------------------------------


def test_codes_of_errors_are_unique_and_say_their_room():
    kinds = sorted(of_library(TrialwrightError), key=lambda kind: kind.__qualname__)
    shared = [
        code for code, count in Counter(kind.code for kind in kinds if "code" in vars(kind)).items() if count > 1
    ]
    assert shared == []
    for kind in of_library(Refusal):
        assert "code" in vars(kind), f"{kind.__name__} has no code of its own"
        assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", kind.code)
        room = kind.__module__.removeprefix("trialwright.").split(".")
        if room[0] == "trial":
            place = {"command": "trial", "dates": "trial"}.get(room[1], room[1])
            assert kind.code.partition(".")[0] in (place, "trial")


@pytest.mark.parametrize("kind", sorted(set(of_library(Refusal)), key=lambda k: k.code), ids=lambda kind: kind.code)
def test_a_refusal_is_met_by_some_test(kind):
    assert kind.__doc__
    assert words_of_tests()[kind.__name__] >= 1


# --- what else is declared ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", typing.get_args(ItemType))
def test_an_item_type_is_used_by_some_test(kind):
    forms = [path.read_text() for path in (ROOT / "tests").rglob("forms/*.yaml")]
    assert any(re.search(rf"\btype: {kind}\b", form) for form in forms)


def test_public_names_are_sorted_and_there():
    for module in modules():
        names = getattr(module, "__all__", None)
        if names is not None:
            assert list(names) == sorted(set(names), key=_reading_order), module.__name__
            for name in names:
                assert hasattr(module, name), f"{module.__name__}.{name}"


def _reading_order(name):
    """Constants, then classes, then functions, as the linter sorts them."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def test_no_module_is_a_drawer():
    drawers = {"utils", "util", "helpers", "helper", "common", "base", "core", "manager", "misc", "mixins"}
    found = {path for path in (ROOT / "src").rglob("*") if path.stem in drawers and path.suffix in ("", ".py")}
    assert not found


def test_every_module_says_what_it_is_for():
    assert [module.__name__ for module in modules() if not (module.__doc__ or "").strip()] == []
