"""The people of a rehearsal: one for each role the study uses, named by role and site, never like real people."""

from __future__ import annotations

from dataclasses import dataclass

from trialwright.protocol import Study
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.trial.command import Actor


@dataclass(frozen=True)
class Cast:
    """Who acts.

    Args:
        study: says which roles there are, at which sites.
    """

    study: Study

    def central(self, role: Role, number: int = 1) -> Actor:
        """The holder of a central role; ``number`` 2 is a second person for acts that need two."""
        return Actor(f"{role.value}.{number}", role, _organisation(self.study, role))

    def at(self, site: str, role: Role) -> Actor:
        """The holder of a role at a site; a role the study does not use is played by the investigator."""
        held = role if role in self.study.identity.roles else Role.INVESTIGATOR
        return Actor(f"{held.value}.{site}", held, self.study.sites[site].name, site)

    def participant(self, code: str, site: str) -> Actor:
        """The participant acting for themselves."""
        return Actor(code, Role.PARTICIPANT, "participant", site)

    def filler(self, site: str, roles: tuple[Role, ...]) -> Actor:
        """Who fills a form: the first of its roles that the study has."""
        for role in roles:
            if role in self.study.identity.roles:
                return self.at(site, role) if role in SITE_ROLES else self.central(role)
        return self.at(site, Role.INVESTIGATOR)

    def has(self, role: Role) -> bool:
        """Whether the study uses the role."""
        return role in self.study.identity.roles


def _organisation(study: Study, role: Role) -> str:
    laboratory = role in (Role.CELL_LABORATORY, Role.QUALIFIED_PERSON)
    return f"{study.identity.acronym} laboratory" if laboratory else study.identity.sponsor.name
