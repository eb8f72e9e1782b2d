"""Codes of safety in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_lazy as _

from trialwright_web.shell.words import Words

SERIOUSNESS: Mapping[str, Words] = {
    "death": _("death"),
    "life_threatening": _("life-threatening"),
    "hospitalisation": _("hospital stay, new or longer"),
    "disability": _("lasting disability"),
    "congenital_anomaly": _("birth defect"),
    "medically_important": _("medically important"),
}
OUTCOMES: Mapping[str, Words] = {
    "recovered": _("recovered"),
    "recovered_with_sequelae": _("recovered with lasting effects"),
    "recovering": _("recovering"),
    "not_recovered": _("not recovered"),
    "fatal": _("fatal"),
    "unknown": _("unknown"),
}
ACTIONS: Mapping[str, Words] = {
    "none": _("none"),
    "medication": _("medication"),
    "hospital": _("hospital"),
    "injection_postponed": _("injection postponed"),
    "injection_cancelled": _("injection cancelled"),
    "other": _("other"),
}
RELATIONS: Mapping[str, Words] = {
    "unrelated": _("unrelated"),
    "unlikely": _("unlikely"),
    "possible": _("possible"),
    "probable": _("probable"),
    "definite": _("definite"),
}
GRADES: Mapping[str, Words] = {
    "1": _("1 mild"),
    "2": _("2 moderate"),
    "3": _("3 severe"),
    "4": _("4 life-threatening"),
    "5": _("5 death"),
}


def several(codes: str, words: Mapping[str, Words]) -> str:
    """Codes separated by blanks, in words."""
    return ", ".join(str(words.get(code, code)) for code in codes.split())


def choices(words: Mapping[str, Words], codes: Iterable[str] | None = None) -> tuple[tuple[str, Words], ...]:
    """Code and words, for a question."""
    return tuple((code, words[code]) for code in (codes or words))
