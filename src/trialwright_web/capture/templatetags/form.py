"""Template tags of forms."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()


@register.filter
def of(told: Mapping[str, str], name: str) -> str:
    """What is told of a field; nothing where nothing is."""
    return told.get(name, "")
