"""The worker of an installation of ``two_worlds_pages.py``, as it is or with faults that let the arm out.

python leaky_worker.py files [FAULT …]     # what was asked for; with faults, one for each file, in their order
python leaky_worker.py mails FOLDER        # mails about the whole record into files, without and with each fault
"""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core import mail as sent

django.setup()

from trialwright.foundation.operating_system import SystemClock  # noqa: E402
from trialwright_web.accounts.models import Account  # noqa: E402
from trialwright_web.config import worker  # noqa: E402
from trialwright_web.shell import mails  # noqa: E402
from trialwright_web.store import models, outbox  # noqa: E402

ARMS = json.loads(Path(os.environ["ARMS"]).read_text(encoding="utf-8"))
FIRST = ARMS[min(ARMS)] == min(ARMS.values())
_make = worker.make

Entries = list[tuple[str, bytes]]
FILE_FAULTS: dict[str, Callable[[Entries], Entries]] = {
    "size_of_file": lambda entries: [(name, data + b"\n") for name, data in entries],
    "name_in_file": lambda entries: [(f"1007-{name}", data) for name, data in entries],
    "rows_of_file": lambda entries: [(name, b"\n".join(data.split(b"\n")[::-1])) for name, data in entries],
}
"""Name → what becomes of the files in an archive, in one of the two worlds."""

Told = Iterator[tuple[str, str, str]]
MAIL_FAULTS: dict[str, Callable[[Told], Told]] = {
    "fewer_mails": lambda told: iter(()),
    "words_of_mails": lambda told: ((person, mails.URGENT, cause) for person, _, cause in told),
    "order_of_mails": lambda told: reversed(list(told)),
}
"""Name → whom the worker tells of a fact instead, in one of the two worlds."""


def spoil(path: Path, fault: str) -> None:
    """Write an archive anew in both worlds, so that only what the fault does differs."""
    with zipfile.ZipFile(path) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries if FIRST else FILE_FAULTS[fault](entries):
            archive.writestr(zipfile.ZipInfo(name), data)


def files(honest: str, *faults: str) -> None:
    """Make what was asked for."""
    waiting = [*[""] * int(honest), *faults]

    def make(job: Any, target: Path) -> None:
        _make(job, target)
        if fault := waiting.pop(0):
            spoil(target, fault)

    worker.make = make
    _rounds()


def mail(folder: str) -> None:
    """Write the mails about everything on record, in their order: a file for each fault, and one for none."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for account in Account.objects.all():
        account.email = f"{account.username}@example.org"
        account.save(update_fields=["email"])
    for name in ("honest", *MAIL_FAULTS):
        models.Mail.objects.all().delete()
        outbox.queue("smart-ms/open", 0, (), datetime.now(UTC))
        sent.outbox = []
        worker.told_of = mails.told_of if name == "honest" or FIRST else _told_of(MAIL_FAULTS[name])
        _rounds()
        texts = [one.message().as_bytes() for one in sent.outbox]
        Path(folder, f"{name}.mails").write_bytes(b"".join(map(_undated, texts)))


def _told_of(fault: Callable[[Told], Told]) -> Callable[..., Told]:
    return lambda trial, fact, seq: fault(mails.told_of(trial, fact, seq))


def _undated(text: bytes) -> bytes:
    """Without the second of this test and the number of its process."""
    return re.sub(rb"^(Date|Message-ID): .*$", rb"\1", text, flags=re.MULTILINE)


def _rounds() -> None:
    own = worker.Worker(SystemClock())
    while own.round():
        pass


if __name__ == "__main__":
    {"files": files, "mails": mail}[sys.argv[1]](*sys.argv[2:])
