"""Words of the laboratory's and the statistician's pages."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext_lazy as _

register = template.Library()

METHODS = {
    "complete": _("complete randomisation"),
    "permuted_blocks": _("permuted blocks"),
    "random_permuted_blocks": _("permuted blocks of varying size"),
    "big_stick": _("big stick"),
    "maximal_procedure": _("maximal procedure"),
    "efron": _("biased coin (Efron)"),
    "wei_urn": _("urn (Wei)"),
    "block_urn": _("block urn"),
    "minimisation": _("minimisation"),
}


@register.filter
def method_words(method: str) -> str:
    """The method of a randomisation, in words; the method itself where nobody wrote words for it."""
    return str(METHODS.get(method, method))
