"""Coding a term: search the study's dictionary, choose, record."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from trialwright.foundation.errors import InvalidValue
from trialwright.protocol.roles import Role
from trialwright.trial.command import Command
from trialwright.trial.safety.commands import ASSESSORS, RecodeTerm
from trialwright_web.safety.acts import case_of
from trialwright_web.safety.dictionary import Dictionary, meddra, synthetic
from trialwright_web.shell.acts import Act, Answers, Field, act_page
from trialwright_web.shell.desk import Desk, Request, at_desk


class TermNotChosen(InvalidValue):
    """The code stands for no term of the dictionary."""

    code = "safety.term_not_chosen"


@at_desk(Role.DATA_MANAGER, *ASSESSORS)
@require_http_methods(["GET", "POST"])
def code(request: Request, desk: Desk, participant: str, event: str) -> HttpResponse:
    """Search and choose; the search works as a form of its own, and while typing where a script can."""
    case = case_of(desk, participant, event)
    dictionary = dictionary_of(desk)
    asked = request.GET.get("q", str(case.row["term"]))
    found = dictionary.search(asked) if dictionary else []
    is_synthetic = desk.build.study.safety.dictionary == "synthetic"

    def make(answers: Answers) -> Command:
        if dictionary is None:
            return RecodeTerm(
                participant=participant,
                adverse_event=event,
                term=answers.text("term"),
                code=answers.text("code"),
                body_system=answers.text("body_system"),
                version=answers.text("version"),
            )
        term = dictionary.by_code(answers.text("chosen"))
        if term is None:
            raise TermNotChosen("no term of the dictionary is chosen", remedy="search, and choose one of the list")
        if is_synthetic:
            return RecodeTerm(participant=participant, adverse_event=event, term=term.term)
        return RecodeTerm(
            participant=participant,
            adverse_event=event,
            term=term.term,
            code=term.code,
            body_system=term.body_system,
            version=dictionary.version,
        )

    def context() -> dict[str, Any]:
        return {"asked": asked, "found": len(found), "dictionary": dictionary}

    chosen = tuple((term.code, f"{term.term} · {term.body_system} · {term.code}") for term in found)
    by_hand = (
        Field("term", _("Term")),
        Field("code", _("Code")),
        Field("body_system", _("System organ class")),
        Field("version", _("Version of the dictionary")),
    )
    act = Act(
        title=_("Code the term"),
        command=RecodeTerm,
        make=make,
        back=case.address,
        facts=case.facts[:3],
        fields=(Field("chosen", _("Choose the term"), "choice", chosen, chosen[0][0] if chosen else ""),)
        if dictionary
        else by_hand,
        button=_("Record the code"),
        done=_("The term is coded."),
        template="safety/code.html",
        context=context,
    )
    return act_page(request, desk, act)


def dictionary_of(desk: Desk) -> Dictionary | None:
    """The study's dictionary; None where the installation has no copy, and terms are typed from elsewhere."""
    if desk.build.study.safety.dictionary == "synthetic":
        return synthetic()
    folder = settings.ENVIRONMENT.meddra
    return meddra(folder) if folder is not None else None
