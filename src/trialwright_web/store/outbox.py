"""Mail to send: queued with what causes it in one transaction, sent by the worker, never twice for one cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F

from trialwright_web.store.models import Followed, Mail

ATTEMPTS = 12
"""How often a mail is handed over that its receiver's server refuses: after 1, 3, 7 … minutes, for a day and more."""
KEPT = timedelta(days=30)


def followed(ledger: str) -> int | None:
    """How far a ledger was read; None where it never was."""
    row = Followed.objects.filter(pk=ledger).first()
    return None if row is None else row.seq


def queue(ledger: str, seq: int, to: Iterable[tuple[str, str, str]], now: datetime) -> int:
    """Note that a ledger was read up to ``seq``, and queue what follows from it; together or not at all.

    Args:
        to: (person, kind, cause); people without an account or an address are passed over.
    """
    with transaction.atomic():
        wanted = list(to)
        people = {person for person, _, _ in wanted}
        accounts: dict[str, Any] = get_user_model().objects.in_bulk(people, field_name="username")
        mails = [
            Mail(account=accounts[person], kind=kind, cause=cause, queued_at=now)
            for person, kind, cause in wanted
            if person in accounts and accounts[person].email
        ]
        Mail.objects.bulk_create(mails, ignore_conflicts=True)
        Followed.objects.update_or_create(pk=ledger, defaults={"seq": seq})
    return len(mails)


def send_waiting(send: Callable[[str, str], None], now: datetime) -> int:
    """Hand every mail that is due to ``send(address, kind)``.

    A mail that is refused waits longer each time, and holds up no other. While the mail server itself is in trouble
    nothing counts as a try: what is urgent is sent when it is back, however long that takes. A crash between sending
    and noting sends once more: a reminder to sign in does no harm twice.
    """
    sent = 0
    waiting = Mail.objects.filter(sent_at=None, attempts__lt=ATTEMPTS).select_related("account").order_by("id")
    for mail in [mail for mail in waiting if _is_due(mail, now)][:50]:
        mine = Mail.objects.filter(pk=mail.pk)
        mine.update(attempts=F("attempts") + 1)
        try:
            send(mail.account.email, mail.kind)
        except (SMTPRecipientsRefused, SMTPDataError):
            continue
        except OSError:  # the server's; smtplib's errors are OSErrors, too
            mine.update(attempts=F("attempts") - 1)
            break
        mine.update(sent_at=now)
        sent += 1
    return sent


def _is_due(mail: Mail, now: datetime) -> bool:
    due: datetime = mail.queued_at + timedelta(minutes=2**mail.attempts - 1)
    return now >= due


def forget_sent(now: datetime) -> None:
    """Sent mails are not kept."""
    Mail.objects.filter(sent_at__lt=now - KEPT).delete()


def unsent() -> int:
    """How many wait, for the metrics."""
    return Mail.objects.filter(sent_at=None).count()
