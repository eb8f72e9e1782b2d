"""What a deviation is about, with visits and forms called as the reader calls them.

The record says it once, in English and with ids. What the system wrote is said anew; what people wrote stays theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext, ngettext

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright_web.shell.flags import FLAGS, flag_words
from trialwright_web.shell.templatetags.shell import in_language

_HELD = re.compile(r"(?P<visit>\w+) on (?P<day>\d{4}-\d\d-\d\d)(?:, (?P<days>[+-]\d{1,5}) days)?\Z", re.ASCII)
_MISSED = re.compile(r"(?P<visit>\w+) did not take place\Z", re.ASCII)
_ENTERED = re.compile(r"(?P<form>\w+) at (?P<visit>\w+) was entered without consent in force\Z", re.ASCII)
_PAPER = re.compile(r"version (?P<version>\S+) was signed on paper, another is approved for the site\Z", re.ASCII)
_SLOT = re.compile(r"(?P<slot>\w+): ", re.ASCII)


def about_words(build: Build, row: Row) -> str:
    """What an open deviation is about, in the reader's language as far as the system wrote it.

    Args:
        build: in force at the participant's site.
        row: of the view of deviations.
    """
    text, name = str(row["about"]), str(row["deviation"]).split(".")
    if "reported" in name[1:2]:
        return text
    if found := _HELD.match(text):
        return _held(build, found.groupdict())
    if found := _MISSED.match(text):
        return gettext("%(visit)s did not take place") % {"visit": _visit(build, found["visit"])}
    if found := _ENTERED.match(text):
        form = build.forms.get(found["form"])
        what = in_language(form.form.title) if form else found["form"]
        place = _visit(build, found["visit"])
        return gettext("%(form)s (%(visit)s) was entered without consent in force") % {"form": what, "visit": place}
    if found := _PAPER.match(text):
        return (
            gettext("Version %(version)s was signed on paper, another is approved for the site") % found.groupdict()
        )
    if (found := _SLOT.match(text)) and name[1:2] and name[1] in FLAGS:
        return f"{_slot(build, found['slot'])}: {flag_words(name[1])}"
    return text


def _held(build: Build, found: Mapping[str, str | None]) -> str:
    day, days = str(found["day"]), int(found["days"] or 0)
    when = {"visit": _visit(build, str(found["visit"])), "day": f"{day[8:]}.{day[5:7]}.{day[:4]}", "days": abs(days)}
    if days > 0:
        text = ngettext(
            "%(visit)s on %(day)s, %(days)d day too late", "%(visit)s on %(day)s, %(days)d days too late", days
        )
    elif days < 0:
        text = ngettext(
            "%(visit)s on %(day)s, %(days)d day too early", "%(visit)s on %(day)s, %(days)d days too early", -days
        )
    else:
        text = gettext("%(visit)s on %(day)s")
    return text % when


def _visit(build: Build, encounter: str) -> str:
    planned = build.study.encounters.get(encounter)
    if planned is not None:
        return in_language(planned.label)
    name, _sep, number = encounter.rpartition("_")
    return gettext("Unscheduled visit %(number)s") % {"number": number} if name == "unscheduled" else encounter


def _slot(build: Build, slot: str) -> str:
    slots = build.study.custody.slots if build.study.custody is not None else ()
    return next((in_language(one.label) for one in slots if one.id == slot), slot)
