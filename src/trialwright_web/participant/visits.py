"""The participant's own visits: when, in which window, what to bring; and as a calendar file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event, vText

from trialwright.finder import say
from trialwright.protocol.schedule import Encounter
from trialwright.schedule import Expectation, Status
from trialwright_web.participant.access import Person, as_participant
from trialwright_web.participant.standing import Standing
from trialwright_web.shell.dates import written
from trialwright_web.shell.desk import Request
from trialwright_web.shell.pages import render_page


@as_participant
@require_safe
def visits(request: Request, person: Person) -> HttpResponse:
    """What comes, and what has been."""
    standing = Standing(person.desk, person.code)
    today = person.desk.today
    expected = standing.expected(today)
    context = {
        "standing": standing,
        "site": standing.build.study.sites[standing.site],
        "coming": [_visit(standing, found, person) for found in standing.coming(today)],
        "later": [_visit(standing, found, person) for found in expected if _is_later(standing, found)],
        "been": [_visit(standing, found, person) for found in reversed(expected) if found.happened_on is not None],
    }
    return render_page(request, "participant/visits.html", context)


def _is_later(standing: Standing, found: Expectation) -> bool:
    return found.status is Status.NOT_YET_ANCHORED and not standing.stopped_visits


@as_participant
@require_safe
def calendar(request: Request, person: Person) -> HttpResponse:
    """Coming visits as whole days on their targets. The titles name no study, for calendars are shared."""
    standing = Standing(person.desk, person.code)
    site = standing.build.study.sites[standing.site]
    book = Calendar()
    book.add("prodid", "-//Trialwright//participant//EN")
    book.add("version", "2.0")
    for found in standing.coming(person.desk.today):
        if found.target is not None:
            book.add_component(_entry(standing, found, person, f"{site.name}, {site.town}"))
    response = HttpResponse(book.to_ical(), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="visits.ics"'
    return response


def _entry(standing: Standing, found: Expectation, person: Person, place: str) -> Event:
    assert found.target is not None, "only visits with a target are entered"
    event = Event()
    # The same in each file, so that a calendar replaces its entry; study and number stand in no calendar.
    about = f"{person.study}\x00{person.code}\x00{found.encounter}"
    event.add("uid", salted_hmac("trialwright_web.participant.visits", about, algorithm="sha256").hexdigest()[:32])
    event.add("dtstamp", person.desk.trial.clock.now())
    event.add("dtstart", found.target)
    event.add("dtend", found.target + timedelta(days=1))
    event.add("summary", _("Appointment at the hospital"))
    encounter = standing.build.study.encounters[found.encounter]
    if encounter.remote:
        event["summary"] = vText(_("Call from the hospital"))
    else:
        event.add("location", place)
    told = [window(found)]
    preparation = _preparation(standing, encounter, person)
    event.add("description", " ".join([*told, preparation.text] if preparation else told))
    return event


def window(found: Expectation) -> str:
    """Between which days a visit may take place, in words; empty where it is one day."""
    if found.earliest is None or found.latest is None or found.earliest == found.latest:
        return _("On that day.")
    days = {"first": written(found.earliest, weekday=True), "last": written(found.latest, weekday=True)}
    return _("Possible from %(first)s to %(last)s.") % days


def _visit(standing: Standing, found: Expectation, person: Person) -> dict[str, Any]:
    encounter = standing.build.study.encounters.get(found.encounter)
    reference = standing.build.study.identity.languages[0]
    return {
        "expected": found,
        "label": say(encounter.label, person.desk.language, reference) if encounter else found.encounter,
        "preparation": _preparation(standing, encounter, person) if encounter else None,
        "remote": encounter.remote if encounter else False,
        "days": (found.target - person.desk.today).days if found.target else None,
    }


def _preparation(standing: Standing, encounter: Encounter, person: Person) -> Any:
    if encounter.preparation is None:
        return None
    return say(encounter.preparation, person.desk.language, standing.build.study.identity.languages[0])
