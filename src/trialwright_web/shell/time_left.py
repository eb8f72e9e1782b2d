"""How long still: said in one way on every page."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def time_left(left: timedelta) -> str:
    """How long still, or for how long it is overdue: days, or hours and minutes (``2:43 h``) below two days."""
    minutes = int(abs(left).total_seconds() // 60)
    if minutes >= 2 * 24 * 60:
        days = minutes // (24 * 60)
        words = ngettext("%(number)d day", "%(number)d days", days) % {"number": days}
    else:
        words = _("%(time)s h") % {"time": f"{minutes // 60}:{minutes % 60:02d}"}
    return words if left >= timedelta(0) else _("%(time)s overdue") % {"time": words}
