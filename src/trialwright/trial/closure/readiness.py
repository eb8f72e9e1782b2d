"""What still stands in the way of freezing, locking and unblinding: read from every participant, in words."""

from __future__ import annotations

from collections.abc import Iterator

from trialwright.build import Build, to_verify
from trialwright.trial.capture.state import CaseBook
from trialwright.trial.closure.state import ClosedDeviations, Deviations, Roster
from trialwright.trial.command import Context
from trialwright.trial.queries.state import Queries
from trialwright.trial.safety.state import AdverseEvents
from trialwright.trial.setup.state import SiteSetup
from trialwright.trial.state import State


def participants(state: State, context: Context) -> Iterator[tuple[str, str]]:
    """(site, participant) of everybody who was ever screened. The decision has read every site's stream then."""
    sites = sorted({site for build in context.builds.values() for site in build.study.sites})
    for site in sites:
        for participant in state.of(Roster, site).participants:
            yield site, participant


def data_obstacles(state: State, context: Context) -> Iterator[str]:
    """Queries not settled; forms not filled, not complete or not signed; items not verified that are to be."""
    for site, participant in participants(state, context):
        build = context.builds[state.of(SiteSetup, site).build]
        for query in state.of(Queries, participant).unsettled():
            yield f"{participant}: query {query}"
        book = state.of(CaseBook, participant)
        for encounter, form, _ in book.unfilled(context.builds, build):
            yield f"{participant}: {form} at {encounter} is neither filled nor marked as not done"
        yield from _forms(participant, build, book)


def safety_obstacles(state: State, context: Context) -> Iterator[str]:
    """Serious events still followed, clocks of the open space not met, deviations nobody judged."""
    expedited = {
        clock.id
        for build in context.builds.values()
        for clock in build.study.safety.clocks
        if clock.applies.startswith("susar")
    }
    for _, participant in participants(state, context):
        events = state.of(AdverseEvents, participant)
        for name in events.unfinished():
            yield f"{participant}: {name} is still followed"
        for name, event in events.events.items():
            for clock in sorted(set(event.clocks) - event.met - expedited):
                yield f"{participant}: {name}, {clock} is not submitted"
        for deviation in state.of(Deviations, participant).waiting():
            yield f"{participant}: deviation {deviation} is not classified"


def closed_obstacles(state: State, context: Context) -> Iterator[str]:
    """Deviations of the closed space that nobody judged."""
    for _, participant in participants(state, context):
        for deviation in state.of(ClosedDeviations, participant).waiting():
            yield f"{participant}: deviation {deviation} is not classified"


def _forms(participant: str, build: Build, book: CaseBook) -> Iterator[str]:
    for (encounter, form, repeat), record in book.live():
        if record.status != "saved" or form not in build.forms:
            continue
        compiled = build.forms[form]
        where = f"{participant}: {form} at {encounter}" + (f" ({repeat})" if repeat > 1 else "")
        if not record.complete:
            yield f"{where} is not complete"
        if compiled.form.signed_by is not None and not record.signed:
            yield f"{where} is not signed"
        for name, value in record.values.items():
            waits = value.text is not None and name not in record.verified
            if waits and to_verify(build, participant, (encounter, form, repeat), name):
                yield f"{where}: {name} is not verified"
