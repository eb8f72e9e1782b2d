"""A text that is shown: said already, or translated when it is."""

from __future__ import annotations

from django.utils.functional import Promise

Words = str | Promise
