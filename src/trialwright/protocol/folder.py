"""A study: everything its folder declares, in one frozen object."""

from __future__ import annotations

from functools import cached_property

from trialwright.protocol.analysis import Analysis
from trialwright.protocol.custody import Custody
from trialwright.protocol.declared import Declared, Language, Name
from trialwright.protocol.documents import ConsentText, PublicText
from trialwright.protocol.eligibility import Eligibility
from trialwright.protocol.forms import Form, Item
from trialwright.protocol.randomisation import Randomisation
from trialwright.protocol.safety import Safety
from trialwright.protocol.schedule import Encounter, Schedule
from trialwright.protocol.simulation import Simulation
from trialwright.protocol.study import Site, StudyIdentity
from trialwright.protocol.terminology import CodeList


class Study(Declared):
    """The aggregate of all files of a study folder."""

    identity: StudyIdentity
    eligibility: Eligibility
    schedule: Schedule
    forms: dict[Name, Form]
    randomisation: Randomisation
    custody: Custody | None = None
    """Absent where no autologous product is made."""
    safety: Safety
    consent: dict[Language, ConsentText]
    public: dict[Language, PublicText]
    analysis: Analysis
    simulation: Simulation
    terminology: dict[Name, CodeList]

    @cached_property
    def encounters(self) -> dict[str, Encounter]:
        """Encounters by id, in the order of the schedule."""
        return {encounter.id: encounter for encounter in self.schedule.encounters}

    @cached_property
    def sites(self) -> dict[str, Site]:
        """Sites by id."""
        return {site.id: site for site in self.identity.sites}

    @cached_property
    def items(self) -> dict[str, Item]:
        """Items by ``form.item``."""
        return {f"{form.id}.{item.id}": item for form in self.forms.values() for item in form.items()}
