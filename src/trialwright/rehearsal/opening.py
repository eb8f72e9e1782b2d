"""The study is created, its build approved, its people appointed, its list sealed, its sites activated."""

from __future__ import annotations

import hashlib
from datetime import datetime

from trialwright.foundation.ports import Entropy
from trialwright.protocol.randomisation import Randomisation
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.world import World
from trialwright.sealing import Sealer
from trialwright.trial.allocation.commands import SealAllocationList
from trialwright.trial.allocation.preparation import Secret, prepare_list, strata_of
from trialwright.trial.setup.commands import (
    ActivateSite,
    AppointPerson,
    ApproveBuild,
    CreateStudy,
    DelegateTask,
    OpenStudy,
    RecordStudyApproval,
    RecordTraining,
)
from trialwright.trial.setup.events import Approval
from trialwright.trial.setup.state import REQUIRED_TRAINING

TWO_PEOPLE = (Role.SPONSOR, Role.DATA_MANAGER, Role.INDEPENDENT_STATISTICIAN)
"""Roles with a second person, for acts that need two."""


def open_study(world: World, sealer: Sealer, entropy: Entropy, start: datetime) -> Process:
    """Everything before the first site may recruit; then the sites, two weeks apart."""
    build = world.population.build
    study, sponsor = build.study, world.cast.central(Role.SPONSOR)
    world.act(CreateStudy(build=build.id), sponsor)
    yield world.after(hours=1)
    evidence = hashlib.sha256(f"test report of {build.id}".encode()).hexdigest()
    approve = ApproveBuild(build=build.id, evidence=evidence, summary="all checks and the rehearsal passed")
    world.act(approve, sponsor, shown=build.id, topic=build.id)
    yield world.after(hours=1)
    approval = Approval(kind="ethics", reference="rehearsal", date=start.date().isoformat())
    world.act(RecordStudyApproval(approval=approval), sponsor)
    for role in study.identity.roles:
        if role in SITE_ROLES or role is Role.PARTICIPANT:
            continue
        for number in (1, 2) if role in TWO_PEOPLE else (1,):
            person = world.cast.central(role, number)
            if person != sponsor:
                appoint = AppointPerson(person=person.person, role=role, organisation=person.organisation)
                world.act(appoint, sponsor, topic=person.person)
    yield world.after(days=1)
    world.act(OpenStudy(), sponsor)
    yield world.after(hours=2)
    secret = Secret(
        seed=entropy.bytes(32, purpose="allocation seed", stream=study.identity.id, position=0),
        parameters=parameters(study.randomisation, study.simulation.block_size_candidates),
        rows=dict.fromkeys(strata_of(build), _rows(world.target, study.randomisation)),
    )
    prepared = prepare_list(build, secret, number=1, sealer=sealer, entropy=entropy)
    statistician = world.cast.central(Role.INDEPENDENT_STATISTICIAN)
    world.act(SealAllocationList(prepared=prepared), statistician, shown=prepared.sealed.root.hex())
    for site in study.sites:
        yield world.after(days=10)
        activate_site(world, site)


def activate_site(world: World, site: str) -> None:
    """Activation, delegation and training of everybody there."""
    build = world.population.build
    sponsor, investigator = world.cast.central(Role.SPONSOR), world.cast.at(site, Role.INVESTIGATOR)
    today = world.today(site).isoformat()
    activate = ActivateSite(
        site=site,
        build=build.id,
        approvals=(Approval(kind="ethics", reference=f"rehearsal {site}", date=today),),
        principal_investigator=investigator.person,
        organisation=investigator.organisation,
    )
    world.act(activate, sponsor)
    for role in build.study.identity.roles:
        if role not in SITE_ROLES or role is Role.INVESTIGATOR:
            continue
        person = world.cast.at(site, role)
        delegate = DelegateTask(
            site=site, person=person.person, role=role, organisation=person.organisation, since=today
        )
        digest = hashlib.sha256(f"{site} {person.person} {role.value}".encode()).hexdigest()
        world.act(delegate, investigator, shown=digest, topic=person.person)
        for subject in sorted(REQUIRED_TRAINING):
            training = RecordTraining(site=site, person=person.person, subject=subject, date=today)
            world.act(training, investigator, topic=f"{person.person} {subject}")


def parameters(randomisation: Randomisation, candidates: tuple[tuple[int, ...], ...]) -> dict[str, object]:
    """What the sealed specification of a rehearsal adds to the method; ordinary choices, no secrets."""
    sizes = list(candidates[0]) if candidates else [2 * sum(randomisation.ratio.values())]
    match randomisation.method:
        case "permuted_blocks":
            return {"size": sizes[0]}
        case "random_permuted_blocks":
            return {"sizes": sizes}
        case "big_stick" | "maximal_procedure":
            return {"tolerance": 3}
        case "efron":
            return {"probability": "2/3"}
        case "wei_urn":
            return {"initial": 1, "added": 1}
        case "block_urn":
            return {"balanced_sets": 2}
        case "minimisation":
            return {"probability": "4/5"}
        case _:
            return {}


def _rows(target: int, randomisation: Randomisation) -> int:
    # Any stratum may fill with everybody; rounded up so that blocks of ordinary sizes fit.
    return -(-max(target, 1) // 24) * 24 + (0 if randomisation.method == "complete" else 24)
