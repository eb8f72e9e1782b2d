"""Visits: record the date, fill the forms with an occasional slip, answer what the checks ask, sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from trialwright.build import CompiledForm, CompiledItem, ItemValue, size_of
from trialwright.protocol.forms import Form
from trialwright.protocol.roles import Role
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.values import VirtualPerson, mistyped
from trialwright.rehearsal.world import World
from trialwright.trial.capture.commands import MarkFormNotDone, RecordVisit, SaveForm, SignForm
from trialwright.trial.capture.events import FormSaved, RaisedQuery
from trialwright.trial.capture.shown import shown_form
from trialwright.trial.capture.state import LOG, CaseBook, entered
from trialwright.trial.command import Actor
from trialwright.trial.queries.commands import AnswerQuery
from trialwright.trial.queries.state import Queries


def hold(world: World, person: VirtualPerson, site: str, encounter: str, day: date) -> Process:
    """The visit on that day: its date, then its forms, a few minutes apart; those about the injection come later."""
    nurse = world.cast.at(site, Role.STUDY_NURSE)
    world.act(RecordVisit(participant=person.code, encounter=encounter, date=day.isoformat()), nurse)
    about = _about_the_administration(world, site, encounter)
    for form in world.build_at(site).study.encounters[encounter].forms:
        if form not in about:
            yield _minutes_for(world, person, encounter, form)
            fill(world, person, site, Page(encounter, form), day)


def tell_of_administration(world: World, person: VirtualPerson, site: str, encounter: str, *, given: bool) -> Process:
    """The forms about an injection, once it was given; where none was, each is marked as not done."""
    for form in _about_the_administration(world, site, encounter):
        yield _minutes_for(world, person, encounter, form)
        if given:
            fill(world, person, site, Page(encounter, form), world.today(site))
        else:
            _leave_out(world, person, site, Page(encounter, form), "nothing was injected")


def _about_the_administration(world: World, site: str, encounter: str) -> tuple[str, ...]:
    build = world.build_at(site)
    planned = build.study.encounters[encounter]
    if not any(act.act == "administration" for act in planned.acts):
        return ()
    return tuple(form for form in planned.forms if build.forms[form].form.kind == "exposure")


def _minutes_for(world: World, person: VirtualPerson, encounter: str, form: str) -> datetime:
    return world.after(minutes=world.draws.whole(3, 12, person.code, encounter, form, "minutes"))


def _leave_out(world: World, person: VirtualPerson, site: str, page: Page, reason: str) -> None:
    filler = form_filler(world, site, world.build_at(site).forms[page.form].form, person.code)
    blank = MarkFormNotDone(participant=person.code, encounter=page.encounter, form=page.form, repeat=page.repeat)
    world.act(blank, filler, reason=reason, topic=page.form)


_Slip = tuple[ItemValue, ItemValue]
"""What was typed, and what is right."""


@dataclass(frozen=True)
class Page:
    """One form of one person at one visit.

    Args:
        again: 0 when filled for the first time; else how often it was measured again.
    """

    encounter: str
    form: str
    repeat: int = 1
    again: int = 0

    @property
    def key(self) -> tuple[str, str, int]:
        """As the case book knows it."""
        return self.encounter, self.form, self.repeat

    @property
    def topic(self) -> str:
        """Names the page in request ids."""
        return f"{self.encounter}.{self.form}.{self.repeat}"


def fill(world: World, person: VirtualPerson, site: str, page: Page, day: date) -> None:
    """Fill one form; slips of the finger are corrected days later, when the check asks."""
    compiled = world.build_at(site).forms[page.form]
    filler = form_filler(world, site, compiled.form, person.code)
    occasion = page.encounter + (f"#{page.repeat}" if page.repeat > 1 else "") + ("+" * page.again)
    values = person.fill(compiled, occasion, day)
    typed = {name: _typed(world, compiled.items[name], person, page, value) for name, value in values.items()}
    if _slips_for_sure(world, person, page):
        typed |= _first_noticed(compiled, typed)
    if not typed:
        _leave_out(world, person, site, page, "nothing to record")
        return
    reason = "measured again" if page.again else None
    raised = _save(world, person.code, filler, page, typed, reason)
    slips = {name: (value, values[name]) for name, value in typed.items() if value != values[name]}
    world.told["typing errors"] += len(slips)
    if raised:
        world.told["typing errors noticed"] += len(slips)
        wait = world.draws.whole(1, 9, person.code, page.topic, "answer")
        world.agenda.start(_answer(world, person.code, site, page, slips), world.after(days=wait))


def fill_half(world: World, person: VirtualPerson, site: str, page: Page, day: date) -> None:
    """Fill the first half of a form and leave it."""
    compiled = world.build_at(site).forms[page.form]
    values = person.fill(compiled, page.encounter, day)
    half = dict(list(values.items())[: (len(values) + 1) // 2])
    if half:
        _save(world, person.code, form_filler(world, site, compiled.form, person.code), page, half, None)


def _save(
    world: World, participant: str, filler: Actor, page: Page, values: Mapping[str, ItemValue], reason: str | None
) -> tuple[RaisedQuery, ...]:
    save = SaveForm(
        participant=participant,
        encounter=page.encounter,
        form=page.form,
        repeat=page.repeat,
        items={name: entered(value) for name, value in values.items()},
        read_version=world.state().of(CaseBook, participant).peek(page.key).saves,
    )
    return world.act(save, filler, reason=reason, topic=page.topic).event(FormSaved).raised


def sign_forms(world: World, participant: str, site: str, encounters: Iterable[str] | None = None) -> Process:
    """Everyone signs the complete forms that wait for their role."""
    build = world.build_at(site)
    book = world.state().of(CaseBook, participant)
    for key, record in sorted(book.live()):
        encounter, form, repeat = key
        role = build.forms[form].form.signed_by
        if role is None or record.signed or record.status != "saved" or not record.complete:
            continue
        if encounters is not None and encounter not in encounters:
            continue
        queries = world.state().of(Queries, participant).of_form(*key)
        if any(query.status == "open" for query in queries.values()):
            continue
        yield world.after(minutes=2)
        command = SignForm(participant=participant, encounter=encounter, form=form, repeat=repeat)
        shown = shown_form(participant, key, world.state().of(CaseBook, participant).peek(key))
        world.act(command, world.cast.filler(site, (role,)), shown=shown, topic=f"{encounter}.{form}.{repeat}")


def form_filler(world: World, site: str, form: Form, participant: str) -> Actor:
    """Who fills a form: the participant where it is theirs, else the first role it names."""
    if form.participant_reported and Role.PARTICIPANT in form.filled_by:
        return world.cast.participant(participant, site)
    return world.cast.filler(site, tuple(role for role in form.filled_by if role is not Role.PARTICIPANT))


def _typed(world: World, compiled: CompiledItem, person: VirtualPerson, page: Page, value: ItemValue) -> ItemValue:
    probability = float(world.population.build.study.simulation.typing_error)
    slips = world.draws.chance(probability, person.code, page.topic, compiled.item.id, "slip")
    if page.encounter == LOG or page.again or world.known is not None or not slips:
        return value
    return mistyped(compiled, value) or value


def _slips_for_sure(world: World, person: VirtualPerson, page: Page) -> bool:
    """The first person's values are mistyped until a check has noticed one, so that every rehearsal has a slip."""
    encounter = world.population.build.study.encounters.get(page.encounter)
    if encounter is None or encounter.acts or page.again or world.told["typing errors noticed"]:
        return False
    if world.known is not None:
        return False
    return world.randomised[:1] == [person.code]


def _first_noticed(compiled: CompiledForm, values: Mapping[str, ItemValue]) -> dict[str, ItemValue]:
    """The first item that a slipping finger takes out of its range, with that value."""
    for name, value in values.items():
        wrong = mistyped(compiled.items[name], value)
        if wrong is not None and size_of(compiled.items[name].field, wrong) != "usual":
            return {name: wrong}
    return {}


def _answer(world: World, participant: str, site: str, page: Page, typed: Mapping[str, _Slip]) -> Process:
    """Correct the slips; what the checks still ask was right, and is confirmed with a reason."""
    compiled = world.build_at(site).forms[page.form]
    filler = form_filler(world, site, compiled.form, participant)
    now = world.state().of(CaseBook, participant).peek(page.key).values
    # Whoever measured again in the meantime has corrected the slip already.
    slips = {name: right for name, (wrong, right) in typed.items() if now.get(name) == wrong}
    if slips:
        _save(world, participant, filler, page, slips, "typing error")
        world.told["typing errors corrected"] += len(slips)
        yield world.after(minutes=5)
    answerer = (
        filler if filler.site and filler.role is not Role.PARTICIPANT else world.cast.at(site, Role.STUDY_NURSE)
    )
    for query, found in world.state().of(Queries, participant).of_form(*page.key).items():
        if found.status == "open" and found.by_check is not None:
            answer = AnswerQuery(
                participant=participant, query=query, text="checked against the source, correct", confirms=True
            )
            world.act(answer, answerer, topic=query)
            yield world.after(minutes=2)
