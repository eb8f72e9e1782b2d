"""One virtual participant from first contact to the last visit: the study's schedule, lived."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from trialwright.build import Build
from trialwright.foundation.truth import Truth
from trialwright.protocol.roles import Role
from trialwright.protocol.schedule import Encounter
from trialwright.rehearsal import product, visits
from trialwright.rehearsal.agenda import Deciding, Process
from trialwright.rehearsal.happenings import Happenings
from trialwright.rehearsal.occurrences import Occurrences
from trialwright.rehearsal.values import VirtualPerson
from trialwright.rehearsal.world import World
from trialwright.schedule import Expectation, expectations
from trialwright.trial.allocation.commands import RandomiseParticipant
from trialwright.trial.capture.commands import RecordMissedVisit
from trialwright.trial.capture.state import LOG, CaseBook
from trialwright.trial.consent.commands import CountersignConsent, SignConsent, WithdrawConsent
from trialwright.trial.consent.gate import consent_gap
from trialwright.trial.consent.text import text_hash
from trialwright.trial.custody.state import Slots
from trialwright.trial.enrolment.assessment import Judgement, shown_assessment
from trialwright.trial.enrolment.commands import (
    AssessCriteria,
    EndParticipation,
    FailScreening,
    ScreenParticipant,
    SignOffEligibility,
)
from trialwright.trial.enrolment.events import CriteriaAssessed, ParticipantScreened
from trialwright.trial.queries.state import Queries


class Journey:
    """Lives through the schedule.

    Args:
        world: where.
        site: at which hospital.
        number: of the arrival at this site; addresses the person's chance.
    """

    def __init__(self, world: World, site: str, number: int) -> None:
        self._world = world
        self._site = site
        self._nurse = world.cast.at(site, Role.STUDY_NURSE)
        self._investigator = world.cast.at(site, Role.INVESTIGATOR)
        self._person = VirtualPerson(world.population, f"arrival {site} {number}")
        self._happenings = Happenings(world, site)
        self._occurrences = Occurrences(world, self._person, site)
        self._withdrawn = False

    def live(self) -> Process:
        """The whole journey."""
        world = self._world
        world.running += 1
        if (yield from self._join()):
            yield from self._take_part()
            yield from self._end()
        world.running -= 1

    # --- joining --------------------------------------------------------------------------------------------

    def _join(self) -> Deciding:
        world = self._world
        yield self._next_morning()
        receipt = world.act(ScreenParticipant(site=self._site), self._nurse)
        code = receipt.event(ParticipantScreened).participant
        # The person's chance is addressed by arrival, the record knows the code.
        self._person.code = code
        world.persons[code] = self._person
        yield world.after(minutes=30)
        yield from self._consent()
        first = self._build.study.eligibility.encounter
        yield from visits.hold(world, self._person, self._site, first, world.today(self._site))
        yield from self._fill_first_logs()
        yield world.after(days=2 + world.draws.whole(6, 11, code, "results"))
        return (yield from self._decide_eligibility())

    def _consent(self) -> Process:
        world, code = self._world, self._person.code
        text = self._build.study.consent[self._language]
        digest = text_hash(text)
        answers = {question.id: question.right for question in text.head.teach_back}
        sign = SignConsent(
            participant=code, version=text.head.version, language=self._language, text=digest, teach_back=answers
        )
        world.act(sign, world.cast.participant(code, self._site), shown=digest)
        yield world.after(minutes=10)
        countersign = CountersignConsent(participant=code, identity_check="photo_document")
        world.act(countersign, self._investigator, shown=digest)
        yield world.after(minutes=20)

    def _fill_first_logs(self) -> Process:
        forms = self._build.study.forms
        for name in self._build.study.schedule.log_forms:
            if forms[name].kind != "medication":
                continue
            for repeat in range(1, self._world.draws.whole(1, 2, self._person.code, name, "rows") + 1):
                yield self._world.after(minutes=4)
                page = visits.Page(LOG, name, repeat)
                visits.fill(self._world, self._person, self._site, page, self._world.today(self._site))

    def _decide_eligibility(self) -> Deciding:
        world, code = self._world, self._person.code
        yield self._next_morning()
        yield from self._consent_again()
        assess = AssessCriteria(participant=code, stated=self._stated(), judgements=self._judgements())
        assessed = world.act(assess, self._investigator).event(CriteriaAssessed)
        yield world.after(minutes=15)
        if assessed.eligible != Truth.YES.value or not world.recruiting:
            failed = tuple(v.criterion for v in assessed.verdicts if v.verdict == Truth.NO.value)
            other = "not everything needed is known" if world.recruiting else "recruitment is complete"
            why = None if failed else other
            world.act(FailScreening(participant=code, criteria=failed), self._investigator, reason=why)
            world.told["screen failures"] += 1
            return False
        world.act(SignOffEligibility(participant=code), self._investigator, shown=shown_assessment(assessed))
        return True

    def _stated(self) -> dict[str, str]:
        """Facts that neither form nor record holds, as an investigator knows them of somebody who fits."""
        found: dict[str, str] = {}
        for name, fact in self._build.facts.items():
            if not fact.is_stated:
                continue
            for candidate in ("true", "false") if fact.fact.type == "boolean" else ():
                row = {name: candidate == "true"}
                about = [
                    c
                    for c in self._build.criteria.values()
                    if c.condition and {r.key for r in c.condition.references} == {name}
                ]
                if all(c.verdict(row).truth is Truth.YES for c in about):
                    found[name] = candidate
                    break
        return found

    def _judgements(self) -> dict[str, Judgement]:
        return {
            name: Judgement(Truth.YES, "nothing against it")
            for name, compiled in self._build.criteria.items()
            if compiled.criterion.decides == "doctor" or compiled.condition is None
        }

    # --- taking part ----------------------------------------------------------------------------------------

    def _take_part(self) -> Process:
        first = self._build.study.eligibility.encounter
        for name in list(self._build.study.encounters):
            encounter = self._build.study.encounters.get(name)
            if encounter is None or name == first:
                continue
            expected = self._expected(name)
            if expected.target is None:
                continue  # its anchor never came
            if self._leaves_before(expected.target):
                yield from self._withdraw(expected.target)
                return
            day = self._chosen_day(encounter, expected)
            if day is None:
                yield self._world.at(self._site, (expected.latest or expected.target) + timedelta(days=1), 15)
                miss = RecordMissedVisit(participant=self._person.code, encounter=name)
                self._world.act(miss, self._nurse, reason="could not come", topic=name)
                continue
            yield from self._attend(encounter, day)
            if self._withdrawn:
                return

    def _attend(self, encounter: Encounter, day: date) -> Process:
        world = self._world
        injection = next((a for a in encounter.acts if a.act == "administration"), None)
        collection = next((a for a in encounter.acts if a.act == "collection"), None)
        yield world.at(self._site, day, 8, world.draws.whole(0, 50, self._person.code, encounter.id, "hour"))
        if injection is not None and injection.slot is not None:
            yield from self._await_product(injection.slot)
            yield self._next_morning()
        yield from self._consent_again()
        if any(act.act == "randomise" for act in encounter.acts) and not (yield from self._randomise()):
            self._withdrawn = True
            return
        yield from visits.hold(world, self._person, self._site, encounter.id, world.today(self._site))
        yield from self._occurrences.tell(encounter.id, world.today(self._site))
        if collection is not None and collection.slot is not None:
            yield from product.collect(world, self._person, self._site, collection.slot)
            self._happenings.after_collection(self._person, encounter.id)
        if injection is not None and injection.slot is not None:
            yield from self._inject(encounter, injection.slot)
        if not self._build.study.custody:
            self._start_treatment(encounter)
        signing = visits.sign_forms(world, self._person.code, self._site, (encounter.id,))
        wait = world.draws.whole(10, 25, self._person.code, encounter.id, "sign")
        world.agenda.start(signing, world.after(days=wait))

    def _inject(self, encounter: Encounter, slot: str) -> Process:
        world, person = self._world, self._person
        found = world.state().of(Slots, person.code).peek(slot)
        given = False
        if found.collections and not found.cancelled:
            given = yield from product.inject(world, person, self._site, slot, encounter.period)
            self._happenings.after_administration(person, encounter.id)
        yield from visits.tell_of_administration(world, person, self._site, encounter.id, given=given)

    def _start_treatment(self, encounter: Encounter) -> None:
        """Without a product chain treatment begins at the first visit of a treatment epoch."""
        world = self._world
        kinds = {epoch.id: epoch.kind for epoch in self._build.study.identity.epochs}
        if kinds.get(encounter.epoch) != "treatment" or self._person.treated:
            return
        self._happenings.after_administration(self._person, encounter.id)
        if world.responses and world.trial.allocations is not None:
            self._person.given(
                world.trial.allocations.arm(self._person.code, encounter.period), world.today(self._site)
            )

    def _randomise(self) -> Deciding:
        """Randomise; where the sign-off has become too old, assess and sign again first."""
        world, code = self._world, self._person.code
        if not world.recruiting:
            full = FailScreening(participant=code)
            world.act(full, self._investigator, reason="recruitment is complete")
            world.told["screen failures"] += 1
            return False
        if world.attempt(RandomiseParticipant(participant=code), self._investigator) is None:
            if not (yield from self._decide_eligibility()) or not world.recruiting:
                return False
            world.act(RandomiseParticipant(participant=code), self._investigator)
        if world.known is not None:
            self._person.known = world.known.of(len(world.randomised))
        world.randomised.append(code)
        world.recruiting = len(world.randomised) < world.target
        world.on_randomised(len(world.randomised))
        return True

    def _await_product(self, slot: str) -> Process:
        """Wait for the laboratory; a repeated collection is done as soon as it is offered."""
        world, code = self._world, self._person.code
        for _ in range(40):
            found = world.state().of(Slots, code).peek(slot)
            if found.repeatable:
                yield world.at(self._site, world.today(self._site) + timedelta(days=7), 9)
                yield from self._consent_again()
                yield from product.collect(world, self._person, self._site, slot)
            custody = self._build.study.custody
            collected = world.state().of(Slots, code).peek(slot)
            done = custody is None or not collected.collections or collected.cancelled
            if done or product.manufactured(world, code, collected.label):
                return
            yield world.after(days=2)

    def _consent_again(self) -> Process:
        if consent_gap(self._world.state(), self._person.code) is not None:
            yield from self._consent()
            self._world.told["consents given again"] += 1

    # --- leaving --------------------------------------------------------------------------------------------

    def _leaves_before(self, day: date) -> bool:
        """Whether the person withdraws before that day; drop-out comes at its yearly rate from the first visit."""
        world, code = self._world, self._person.code
        if code not in world.randomised or world.known is not None:
            return False
        book = world.state().of(CaseBook, code)
        early = min(5, (len(self._build.study.encounters) + 1) // 2)
        if world.randomised.index(code) == 2 and len(book.held) >= early:
            return True  # the third person withdraws, so that every rehearsal has a withdrawal
        rate = float(world.population.build.study.simulation.dropout_per_year)
        if not rate:
            return False
        stays = world.draws.waiting(rate / 365.25, code, "drop-out")
        first = date.fromisoformat(min(book.held.values()))
        return first + stays < day

    def _withdraw(self, day: date) -> Process:
        world, code = self._world, self._person.code
        yield world.at(self._site, max(day - timedelta(days=3), world.today(self._site)), 13)
        scopes = self._build.study.consent[self._language].head.withdrawal_scopes
        wanted = tuple(scope for scope in scopes if scope in ("treatment", "visits"))
        world.act(WithdrawConsent(participant=code, scopes=wanted), world.cast.participant(code, self._site))
        yield world.after(hours=1)
        end = EndParticipation(participant=code, date=world.today(self._site).isoformat(), how="withdrawn")
        world.act(end, self._nurse)
        self._withdrawn = True
        world.told["withdrawals"] += 1
        yield world.after(days=20)

    def _end(self) -> Process:
        world, code = self._world, self._person.code
        if not self._withdrawn:
            yield world.after(days=1)
            end = EndParticipation(participant=code, date=world.today(self._site).isoformat(), how="completed")
            world.act(end, self._nurse)
        yield world.after(days=30)
        yield from visits.sign_forms(world, code, self._site)
        while world.state().of(Queries, code).unsettled():
            yield world.after(days=14)
        world.finished.add(code)

    # --- small things ---------------------------------------------------------------------------------------

    @property
    def _build(self) -> Build:
        return self._world.build_at(self._site)

    @property
    def _language(self) -> str:
        return self._build.study.identity.languages[0]

    def _expected(self, encounter: str) -> Expectation:
        book = self._world.state().of(CaseBook, self._person.code)
        happened = {name: date.fromisoformat(day) for name, day in book.held.items()}
        found = expectations(self._build.plan(), {}, happened)
        return next(e for e in found if e.encounter == encounter)

    def _chosen_day(self, encounter: Encounter, expected: Expectation) -> date | None:
        """A working day inside the window, sometimes too late; None where the visit is missed."""
        world, simulation = self._world, self._build.study.simulation
        code, name = self._person.code, encounter.id
        assert expected.target is not None
        planted = self._planted(encounter) if world.known is None else "none"
        misses = not encounter.acts and world.draws.chance(float(simulation.missed_visit), code, name, "missed")
        if planted == "missed" or (misses and not planted):
            return None
        low, high = expected.earliest or expected.target, expected.latest or expected.target
        comes_late = world.draws.chance(float(simulation.late_visit), code, name, "late")
        if planted == "late" or (comes_late and world.known is None):
            day = high + timedelta(days=world.draws.whole(1, 6, code, name, "how late"))
        else:
            middle = expected.target + timedelta(days=round(world.draws.normal(code, name, "day") * 1.5))
            day = min(max(middle, low), high)
        day = max(day, world.today(self._site))
        back = world.stays_away_from
        if back is not None and not encounter.acts and day < back and high < back <= high + timedelta(days=14):
            day = back
        while day.weekday() >= 5 and (day < high or day > high):
            day += timedelta(days=1)
        return day

    def _planted(self, encounter: Encounter) -> str:
        """The first person misses a visit and the second comes late to it, so that every rehearsal has both."""
        encounters = self._build.study.encounters.values()
        anchors = {other.anchor for other in encounters}
        free = [e.id for e in encounters if not e.acts and e.window is not None and e.id not in anchors]
        first_two = dict(zip(self._world.randomised[:2], ("missed", "late"), strict=False))
        return first_two.get(self._person.code, "") if encounter.id in free[1:2] else ""

    def _next_morning(self) -> datetime:
        """Tomorrow at a quarter past eight by the site's clock, or Monday."""
        world = self._world
        day = world.today(self._site) + timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        return world.at(self._site, day, 8, 15)
