"""``study.yaml``: identity, registers, sponsor, sites, arms, sequences, periods, epochs, roles and who is blinded."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pydantic import Field

from trialwright.protocol.declared import Declared, Language, Name, Text
from trialwright.protocol.mapping import SdtmName
from trialwright.protocol.roles import Role


class PublicStatus(Enum):
    """Recruitment status as registers name it."""

    PLANNED = "planned"
    RECRUITING = "recruiting"
    ACTIVE_NOT_RECRUITING = "active_not_recruiting"
    COMPLETED = "completed"
    TERMINATED = "terminated"
    WITHDRAWN = "withdrawn"


class Identifier(Declared):
    """A number under which some register knows the study."""

    register_name: str = Field(alias="register")
    """EU CT, ClinicalTrials.gov, EudraCT, ISRCTN …"""
    id: str


class RegisterField(Declared):
    """One field as each public place states it, so that drift is seen instead of hidden."""

    field: Name
    values: dict[Name, str | None]
    """Place (public_page, clinicaltrials_gov, eudract, publication …) → what it says; null when silent."""
    shown: Name
    """The place whose value this study follows."""
    why: str | None = None
    """Why that one; required by the checker when the places disagree."""


class Sponsor(Declared):
    name: str
    country: str = Field(pattern=r"^[A-Z]{2}$")


class Site(Declared):
    """A hospital that recruits."""

    id: str = Field(pattern=r"^[0-9]{2}$")
    name: str
    town: str
    country: str = Field(pattern=r"^[A-Z]{2}$")
    timezone: str
    """IANA zone; windows count local dates."""
    coordinating: bool = False
    planned_participants: int = Field(default=0, ge=0)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)


class Arm(Declared):
    """What is given. In a crossover everybody meets every arm of their sequence."""

    id: Name
    label: Text
    kind: Literal["experimental", "active_comparator", "placebo_comparator", "no_intervention"]
    description: Text
    revealing_words: tuple[str, ...] = ()
    """Words that would tell a blinded reader the arm; the checker looks for them in open texts."""
    exposure: dict[SdtmName, str] = Field(default_factory=dict)
    """Variables of SDTM's EX with the value they have for this arm: `EXROUTE: INTRATHECAL`."""


class Period(Declared):
    """A treatment period of a crossover."""

    id: Name
    label: Text


class Sequence(Declared):
    """An order of arms over the periods."""

    id: Name
    label: Text
    arms: dict[Name, Name]
    """Period → arm."""


class Epoch(Declared):
    id: Name
    label: Text
    kind: Literal["screening", "treatment", "follow_up", "washout"]


class Blinding(Declared):
    """Who may know. ``open`` has one space; ``blinded`` has an open and a closed ledger."""

    kind: Literal["open", "blinded"]
    unblinded_roles: tuple[Role, ...] = ()
    """Roles that work in the closed space; everybody else is blinded."""


class RoleConflict(Declared):
    """Roles that one person may not both have had for the same participant."""

    roles: tuple[Role, Role]
    why: Text


class SourceVerification(Declared):
    """Which values a monitor compares with their source: every critical one, and a fixed sample of the others."""

    others_percent: int = Field(default=0, ge=0, le=100)
    """Share of the values that are neither critical nor derived; which ones follows from where they stand, so that
    everybody who asks gets the same sample, whatever the values are."""


class Amendment(Declared):
    """Present from the second version on."""

    number: int = Field(ge=1)
    summary: Text
    reconsent: bool
    """Participants must consent again; the checker compares this with what the differences require."""


class StudyIdentity(Declared):
    """The whole of ``study.yaml``."""

    trialwright: Literal[1]
    """Version of the folder format."""
    id: str
    version: str
    title: Text
    acronym: str
    phase: Literal["I", "I/II", "II", "II/III", "III", "IV"]
    condition: Text
    objective: Text
    public_status: PublicStatus
    languages: tuple[Language, ...] = Field(min_length=1)
    """The first is the reference language; every text must have it."""
    further_languages: tuple[Language, ...] = ()
    """Languages of some texts only, for the public and participants; what is not written in them is shown in the
    reference language, and said to be."""
    design: Literal["parallel", "crossover"]
    planned_participants: int = Field(ge=1)
    identifiers: tuple[Identifier, ...] = ()
    registers: tuple[RegisterField, ...] = ()
    sponsor: Sponsor
    sites: tuple[Site, ...] = Field(min_length=1)
    arms: tuple[Arm, ...] = Field(min_length=1)
    periods: tuple[Period, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    epochs: tuple[Epoch, ...] = Field(min_length=1)
    blinding: Blinding
    roles: tuple[Role, ...] = Field(min_length=1)
    """Roles this study uses."""
    conflicts: tuple[RoleConflict, ...] = ()
    source_verification: SourceVerification = SourceVerification()
    amendment: Amendment | None = None
    summary: dict[SdtmName, str] = Field(default_factory=dict)
    """Further parameters of SDTM's trial summary that nothing else here says: `PCLAS: CELL THERAPY`."""
    other_trials: tuple[str, ...] = ()
    """Study ids to suggest on the public page."""
