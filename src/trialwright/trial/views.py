"""Every view of the running trial, named in one place; readers import this and learn nothing of commands."""

from __future__ import annotations

from trialwright.trial.allocation import views as allocation_views
from trialwright.trial.attachments import views as attachments_views
from trialwright.trial.capture import views as capture_views
from trialwright.trial.closure import views as closure_views
from trialwright.trial.consent import views as consent_views
from trialwright.trial.custody import views as custody_views
from trialwright.trial.enrolment import views as enrolment_views
from trialwright.trial.queries import views as queries_views
from trialwright.trial.safety import views as safety_views
from trialwright.trial.setup import views as setup_views
from trialwright.trial.view import View

VIEWS: tuple[View, ...] = (
    *setup_views.VIEWS,
    *consent_views.VIEWS,
    *enrolment_views.VIEWS,
    *allocation_views.VIEWS,
    *capture_views.VIEWS,
    *queries_views.VIEWS,
    *attachments_views.VIEWS,
    *custody_views.VIEWS,
    *safety_views.VIEWS,
    *closure_views.VIEWS,
)
