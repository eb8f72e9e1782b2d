"""How a participant stands: consent, visits and questionnaires, read from the open views for a date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

from trialwright.build import Build
from trialwright.foundation.tables import Row
from trialwright.protocol.declared import Text
from trialwright.protocol.documents import ConsentText
from trialwright.protocol.forms import Form
from trialwright.protocol.roles import Role
from trialwright.schedule import NOT_DONE, Expectation, NotDone, Status, expectations
from trialwright.trial.capture.state import LOG
from trialwright.trial.capture.views import FORM, VISIT
from trialwright.trial.consent.text import text_hash
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.enrolment.views import DISPOSITION
from trialwright.trial.setup.views import SITE
from trialwright_web.shell.desk import Desk

UNDER_WAY = ("screening", "randomised")


@dataclass(frozen=True)
class Reported:
    """A questionnaire that is the participant's to fill: of one visit, or an entry of a diary kept beside the visits.

    Args:
        place: the visit's id; ``log`` for a diary.
        visit: what the visit is called; None for a diary, and for a visit that was not planned.
        form: what is asked.
        row: what stands on record, if anything does.
        repeat: 1, or the number of the entry.
    """

    place: str
    visit: Text | None
    form: Form
    row: Row | None
    repeat: int = 1

    @property
    def is_diary(self) -> bool:
        """Kept beside the visits."""
        return self.place == LOG

    @property
    def is_sent(self) -> bool:
        """Sent, whether complete or not."""
        return self.row is not None and bool(self.row["saves"])


class Standing:
    """One participant on one date.

    Args:
        desk: of the participant, or of the site's staff.
        participant: whose.
    """

    def __init__(self, desk: Desk, participant: str) -> None:
        self.desk = desk
        self.participant = participant
        self.row: Row = desk.rows.get(DISPOSITION, (participant,)) or {}

    @cached_property
    def site(self) -> str:
        """The participant's site."""
        return str(self.row.get("site") or "")

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's, by whose clock a participant lives."""
        return self.desk.zone(self.site)

    @cached_property
    def build(self) -> Build:
        """In force at the site."""
        return self.desk.build_at(self.site)

    @property
    def is_under_way(self) -> bool:
        """Still comes to visits."""
        return self.row.get("status") in UNDER_WAY

    # --- consent ------------------------------------------------------------------------------------------------

    @cached_property
    def log(self) -> list[Row]:
        """Signatures, refusals and withdrawals in their order."""
        return list(self.desk.rows.where(CONSENT_LOG, participant=self.participant))

    @cached_property
    def pending(self) -> Row | None:
        """The participant's own signature that waits for the second one.

        One under a text that is not in force any more cannot be countersigned: then the participant is asked again.
        """
        last = self.log[-1] if self.log else None
        if last is None or last["what"] != "signed" or last["flags"]:
            return None
        signed, now = self.signed_text(last), self.build.study.consent.get(str(last["language"]))
        return last if signed is not None and now is not None and text_hash(signed) == text_hash(now) else None

    @cached_property
    def given(self) -> Row | None:
        """The countersignature that put consent in force last."""
        return next((row for row in reversed(self.log) if row["what"] == "countersigned"), None)

    @cached_property
    def withdrawn(self) -> tuple[str, ...]:
        """Scopes withdrawn since."""
        since = self.given["number"] if self.given is not None else 0
        scopes = [
            scope
            for row in self.log
            if row["what"] == "withdrawn" and int(str(row["number"])) > int(str(since))
            for scope in str(row["scopes"]).split()
        ]
        return tuple(dict.fromkeys(scopes))

    @property
    def in_force(self) -> bool:
        """Given, and not withdrawn for visits."""
        return self.given is not None and "visits" not in self.withdrawn

    @property
    def again(self) -> bool:
        """An amendment asks for consent anew."""
        site = self.desk.rows.get(SITE, (self.site,)) or {}
        return self.in_force and str(self.given["build"]) not in str(site.get("consent_builds")).split()  # type: ignore[index]  # in force is given

    @property
    def said_no(self) -> bool:
        """Declined, and did not sign since."""
        return bool(self.log) and self.log[-1]["what"] == "refused"

    @property
    def stopped_visits(self) -> bool:
        """Withdrew from visits, and did not consent anew."""
        return "visits" in self.withdrawn

    @property
    def may_sign(self) -> bool:
        """There is a text that may be read and signed, also by somebody who changed their mind."""
        return self.is_under_way and self.pending is None and (not self.in_force or self.again)

    @property
    def asks_consent(self) -> bool:
        """The same, and an answer is waited for: who said no, or stopped, is not asked again."""
        return self.may_sign and not self.said_no and not self.stopped_visits

    @property
    def may_stop(self) -> bool:
        """Consented or signed, and something is left to stop."""
        return (self.given is not None or self.pending is not None) and bool(self.left_to_stop)

    @cached_property
    def left_to_stop(self) -> tuple[str, ...]:
        """Scopes of the text in force that were not withdrawn."""
        _, text = self.text(self.desk.language)
        return tuple(scope for scope in text.head.withdrawal_scopes if scope not in self.withdrawn)

    def text(self, language: str) -> tuple[str, ConsentText]:
        """The text in force at the site and its language: the one asked for, else the nearest, else the first."""
        texts = self.build.study.consent
        for code in (language, "nb" if language == "nn" else language, self.build.study.identity.languages[0]):
            if code in texts:
                return code, texts[code]
        return next(iter(texts.items()))

    def signed_text(self, row: Row) -> ConsentText | None:
        """The text that a line of the log is about."""
        build = self.desk.builds.get(str(row["build"]))
        return build.study.consent.get(str(row["language"])) if build is not None else None

    # --- visits and questionnaires --------------------------------------------------------------------------------

    @cached_property
    def held(self) -> dict[str, Row]:
        """Visits on record."""
        return {str(row["encounter"]): row for row in self.desk.rows.where(VISIT, participant=self.participant)}

    def expected(self, on: date) -> tuple[Expectation, ...]:
        """What is expected, as seen on a date."""
        happened: dict[str, date | NotDone] = {
            name: date.fromisoformat(str(row["date"])) if row["status"] == "held" else NOT_DONE
            for name, row in self.held.items()
        }
        ended = self.row.get("ended_on")
        over = date.fromisoformat(str(ended)) if ended else None
        return expectations(self.build.plan(), {}, happened, ended=over, on=on)

    def coming(self, on: date) -> list[Expectation]:
        """Visits still to come, with a window, the next first; none for somebody who stopped coming."""
        if self.stopped_visits:
            return []
        waiting = (Status.EXPECTED, Status.DUE, Status.OVERDUE)
        found = [expected for expected in self.expected(on) if expected.status in waiting]
        return sorted(found, key=lambda expected: expected.target or date.max)

    def to_fill(self) -> list[Reported]:
        """Questionnaires that wait; none for somebody who stopped visits or the use of data."""
        if self.stopped_visits or "data_use" in self.withdrawn:
            return []
        return [found for found in self.reported() if not found.is_sent]

    def diaries(self) -> list[Reported]:
        """For each diary the entry that can be written now; none without consent, or after the last day."""
        if not self.in_force or not self.is_under_way or "data_use" in self.withdrawn:
            return []
        found = []
        for form in self._own(self.build.study.schedule.log_forms):
            written = [number for place, name, number in self._rows if (place, name) == (LOG, form.id)]
            if not written or form.repeats:
                found.append(Reported(LOG, None, form, None, max(written, default=0) + 1))
        return found

    def entries(self) -> list[Reported]:
        """What was written into diaries, the oldest first."""
        return [
            Reported(LOG, None, form, row, number)
            for form in self._own(self.build.study.schedule.log_forms)
            for (place, name, number), row in sorted(self._rows.items())
            if (place, name) == (LOG, form.id)
        ]

    def reported(self) -> Iterator[Reported]:
        """Questionnaires of visits that took place, oldest first."""
        for name, row in sorted(self.held.items(), key=lambda pair: str(pair[1]["date"])):
            encounter = self.build.study.encounters.get(name)
            if row["status"] != "held" or (encounter is None and not name.startswith("unscheduled_")):
                continue
            schedule = self.build.study.schedule
            for form in self._own(encounter.forms if encounter is not None else schedule.unscheduled_forms):
                visit = encounter.label if encounter is not None else None
                yield Reported(name, visit, form, self._rows.get((name, form.id, 1)))

    @cached_property
    def _rows(self) -> dict[tuple[str, str, int], Row]:
        return {
            (str(row["encounter"]), str(row["form"]), int(str(row["repeat"]))): row
            for row in self.desk.rows.where(FORM, participant=self.participant)
        }

    def _own(self, names: Iterable[str]) -> list[Form]:
        """Those forms that participants fill."""
        forms = [self.build.study.forms[name] for name in names]
        return [form for form in forms if form.participant_reported and Role.PARTICIPANT in form.filled_by]
