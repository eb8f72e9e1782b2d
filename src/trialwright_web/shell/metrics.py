"""``/metrics`` for Prometheus: how the process does. Numbers of the machine only; nothing of a person or an arm.

Counts of the closed ledger depend on the arm, so there are none. Each process counts its own requests since it began.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from hmac import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from trialwright_web.shell.desk import open_to_all
from trialwright_web.shell.studies import installation
from trialwright_web.store.jobs import waiting
from trialwright_web.store.outbox import unsent

_BUCKETS = (0.01, 0.03, 0.06, 0.1, 0.3, 1.0, 3.0)


class Tally:
    """Requests answered so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.statuses: Counter[str] = Counter()
        self.buckets: Counter[float] = Counter()
        self.seconds = 0.0

    def add(self, status: int, seconds: float) -> None:
        with self._lock:
            self.statuses[f"{status // 100}xx"] += 1
            self.seconds += seconds
            for bucket in _BUCKETS:
                self.buckets[bucket] += seconds <= bucket


TALLY = Tally()


class Counted:
    """Middleware that counts every answer by class of status and by how long it took."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self._answer(request)
        TALLY.add(response.status_code, time.perf_counter() - began)
        return response


@open_to_all
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers, for whoever brings the token; for anybody else there is no such page."""
    token = settings.ENVIRONMENT.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not compare_digest(token.encode(), given.encode()):
        raise Http404
    text = "\n".join(_lines()) + "\n"
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _lines() -> Iterator[str]:
    process = settings.ENVIRONMENT.process
    yield "# TYPE trialwright_requests_total counter"
    for status, count in sorted(TALLY.statuses.items()):
        yield f'trialwright_requests_total{{process="{process}",status="{status}"}} {count}'
    yield "# TYPE trialwright_request_seconds histogram"
    for bucket in _BUCKETS:
        yield f'trialwright_request_seconds_bucket{{le="{bucket}"}} {TALLY.buckets[bucket]}'
    total = sum(TALLY.statuses.values())
    yield f'trialwright_request_seconds_bucket{{le="+Inf"}} {total}'
    yield f"trialwright_request_seconds_sum {TALLY.seconds:.6f}"
    yield f"trialwright_request_seconds_count {total}"
    yield "# TYPE trialwright_ledger_entries gauge"
    for study in installation().studies:
        size, _ = installation().trial(study).open_head()
        yield f'trialwright_ledger_entries{{study="{study}",space="open"}} {size}'
    yield "# TYPE trialwright_jobs gauge"
    for state, count in waiting(process).items():
        yield f'trialwright_jobs{{state="{state}"}} {count}'
    yield "# TYPE trialwright_mails_unsent gauge"
    yield f"trialwright_mails_unsent {unsent()}"
