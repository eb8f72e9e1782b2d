"""The WSGI application of a process."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trialwright_web.config.settings")  # noqa: TID251 - Django's own way
application = get_wsgi_application()

# What is loaded by now stays until the process ends; no search for cycles needs to look at it again.
gc.freeze()
