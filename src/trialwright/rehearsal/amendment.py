"""An amendment in the middle: a later build, approved, activated site by site, with new consent where it asks."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from trialwright.build import Build
from trialwright.build.compile import compiled
from trialwright.protocol import text_digest
from trialwright.protocol.documents import ConsentText
from trialwright.protocol.roles import Role
from trialwright.protocol.study import Amendment
from trialwright.rehearsal.agenda import Process
from trialwright.rehearsal.world import World
from trialwright.trial.setup.commands import ActivateAmendment, ApproveBuild
from trialwright.trial.setup.events import Approval
from trialwright.trial.setup.state import SiteSetup

SUMMARY = {
    "en": "Late visits may take place two days later; new consent version.",
    "nb": "Sene besøk kan være to dager senere; ny utgave av samtykket.",
    "nn": "Seine besøk kan vere to dagar seinare; ny utgåve av samtykket.",
}
"""What participants read about the amendment, in their language."""


def amended(build: Build) -> Build:
    """The study with one amendment, as sites often have them: a wider window, a new consent version."""
    study = build.study
    identity = study.identity
    number = (identity.amendment.number if identity.amendment else 0) + 1
    summary = {language: SUMMARY.get(language, SUMMARY["en"]) for language in identity.languages}
    encounters = list(study.schedule.encounters)
    last = encounters[-1]
    if last.window is not None:
        wider = last.window.model_copy(update={"after": last.window.after + 2})
        encounters[-1] = last.model_copy(update={"window": wider})
    consent = {language: _reviewed(text, f"{text.head.version}.{number}") for language, text in study.consent.items()}
    return compiled(
        study.model_copy(
            update={
                "identity": identity.model_copy(
                    update={
                        "version": f"{identity.version}.{number}",
                        "amendment": Amendment(number=number, summary=summary, reconsent=True),
                    }
                ),
                "schedule": study.schedule.model_copy(update={"encounters": tuple(encounters)}),
                "consent": consent,
            }
        )
    )


def _reviewed(text: ConsentText, version: str) -> ConsentText:
    """The text under a new version, reviewed again where the old one was."""
    head = text.head.model_copy(update={"version": version})
    changed = text.model_copy(update={"head": head})
    if head.reviewed_text is None:
        return changed
    again = head.model_copy(update={"reviewed_text": text_digest(changed)})
    return changed.model_copy(update={"head": again})


def amend(world: World, build: Build) -> Process:
    """Approve it, then activate it at the sites that are active, a week apart."""
    sponsor = world.cast.central(Role.SPONSOR)
    evidence = hashlib.sha256(f"test report of {build.id}".encode()).hexdigest()
    approve = ApproveBuild(build=build.id, evidence=evidence, summary="amendment rehearsed")
    world.act(approve, sponsor, shown=build.id, topic=build.id)
    for place, site in enumerate(world.population.build.study.sites):
        yield world.after(days=7)
        while not world.state().of(SiteSetup, site).active:
            yield world.after(days=7)
        # At noon of a day that no visit begins on would be too neat: sites go on working while it is activated.
        yield world.clock.now() + timedelta(hours=place + 1)
        approval = Approval(kind="ethics", reference=f"amendment {site}", date=world.today(site).isoformat())
        activate = ActivateAmendment(site=site, build=build.id, approvals=(approval,), reconsent=True)
        world.act(activate, sponsor)
        world.told["sites moved to the amendment"] += 1
