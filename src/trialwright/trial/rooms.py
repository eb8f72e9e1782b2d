"""The table of contents of the running trial: every event, decision and slice; views stand in ``views.py``.

A new room is added here by hand; nothing registers itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from trialwright.trial.allocation import commands as allocation_commands
from trialwright.trial.allocation import events as allocation_events
from trialwright.trial.allocation import state as allocation_state
from trialwright.trial.attachments import commands as attachments_commands
from trialwright.trial.attachments import events as attachments_events
from trialwright.trial.attachments import state as attachments_state
from trialwright.trial.capture import commands as capture_commands
from trialwright.trial.capture import events as capture_events
from trialwright.trial.capture import state as capture_state
from trialwright.trial.closure import commands as closure_commands
from trialwright.trial.closure import events as closure_events
from trialwright.trial.closure import state as closure_state
from trialwright.trial.command import Command, Decide
from trialwright.trial.consent import commands as consent_commands
from trialwright.trial.consent import events as consent_events
from trialwright.trial.consent import state as consent_state
from trialwright.trial.crossing import events as crossing_events
from trialwright.trial.crossing import state as crossing_state
from trialwright.trial.custody import commands as custody_commands
from trialwright.trial.custody import events as custody_events
from trialwright.trial.custody import state as custody_state
from trialwright.trial.enrolment import commands as enrolment_commands
from trialwright.trial.enrolment import events as enrolment_events
from trialwright.trial.enrolment import state as enrolment_state
from trialwright.trial.erasure import commands as erasure_commands
from trialwright.trial.erasure import events as erasure_events
from trialwright.trial.erasure import state as erasure_state
from trialwright.trial.event import Event
from trialwright.trial.hands import Hands
from trialwright.trial.keys import commands as keys_commands
from trialwright.trial.keys import events as keys_events
from trialwright.trial.keys import state as keys_state
from trialwright.trial.queries import commands as queries_commands
from trialwright.trial.queries import events as queries_events
from trialwright.trial.queries import state as queries_state
from trialwright.trial.safety import commands as safety_commands
from trialwright.trial.safety import events as safety_events
from trialwright.trial.safety import state as safety_state
from trialwright.trial.setup import commands as setup_commands
from trialwright.trial.setup import events as setup_events
from trialwright.trial.setup import state as setup_state
from trialwright.trial.state import Slice

EVENTS: tuple[type[Event], ...] = (
    *setup_events.EVENTS,
    *consent_events.EVENTS,
    *enrolment_events.EVENTS,
    *allocation_events.EVENTS,
    *capture_events.EVENTS,
    *queries_events.EVENTS,
    *attachments_events.EVENTS,
    *custody_events.EVENTS,
    *safety_events.EVENTS,
    *closure_events.EVENTS,
    *keys_events.EVENTS,
    *erasure_events.EVENTS,
    *crossing_events.EVENTS,
)

DECISIONS: Mapping[type[Command], Decide] = {
    **setup_commands.DECISIONS,
    **consent_commands.DECISIONS,
    **enrolment_commands.DECISIONS,
    **allocation_commands.DECISIONS,
    **capture_commands.DECISIONS,
    **queries_commands.DECISIONS,
    **attachments_commands.DECISIONS,
    **custody_commands.DECISIONS,
    **safety_commands.DECISIONS,
    **closure_commands.DECISIONS,
    **keys_commands.DECISIONS,
    **erasure_commands.DECISIONS,
}

SLICES: tuple[type[Slice], ...] = (
    Hands,
    *setup_state.SLICES,
    *consent_state.SLICES,
    *enrolment_state.SLICES,
    *allocation_state.SLICES,
    *capture_state.SLICES,
    *queries_state.SLICES,
    *attachments_state.SLICES,
    *custody_state.SLICES,
    *safety_state.SLICES,
    *closure_state.SLICES,
    *keys_state.SLICES,
    *erasure_state.SLICES,
    *crossing_state.SLICES,
)
