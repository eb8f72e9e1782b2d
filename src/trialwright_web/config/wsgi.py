"""The WSGI application of a process."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trialwright_web.config.settings")  # noqa: TID251 - Django's own way
application = get_wsgi_application()

# What is loaded by now stays until the process ends. A request makes thousands of objects and hardly a cycle among
# them: looking for cycles after every 700 objects cost about three hundredths of a save.
gc.freeze()
gc.set_threshold(20_000, 20, 50)
