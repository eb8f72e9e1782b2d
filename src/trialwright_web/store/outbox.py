"""Mail to send: queued with what causes it in one transaction, sent by the worker, never twice for one cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F

from trialwright_web.store.models import Followed, Mail

ATTEMPTS = 20
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
        accounts = get_user_model().objects.in_bulk({person for person, _, _ in wanted}, field_name="username")
        mails = [
            Mail(account=accounts[person], kind=kind, cause=cause, queued_at=now)
            for person, kind, cause in wanted
            if person in accounts and accounts[person].email
        ]
        Mail.objects.bulk_create(mails, ignore_conflicts=True)
        Followed.objects.update_or_create(pk=ledger, defaults={"seq": seq})
    return len(mails)


def send_waiting(send: Callable[[str, str], None], now: datetime) -> int:
    """Hand every waiting mail to ``send(address, kind)``; one that fails waits for the next round.

    A crash between sending and noting sends once more: a reminder to sign in does no harm twice.
    """
    sent = 0
    waiting = Mail.objects.filter(sent_at=None, attempts__lt=ATTEMPTS).select_related("account")
    for mail in waiting.order_by("id")[:50]:
        Mail.objects.filter(pk=mail.pk).update(attempts=F("attempts") + 1)
        try:
            send(mail.account.email, mail.kind)
        except OSError:  # the mail server's trouble; smtplib's errors are OSErrors too
            break
        Mail.objects.filter(pk=mail.pk).update(sent_at=now)
        sent += 1
    return sent


def forget_sent(now: datetime) -> None:
    """Sent mails are not kept."""
    Mail.objects.filter(sent_at__lt=now - KEPT).delete()


def unsent() -> int:
    """How many wait, for the metrics."""
    return Mail.objects.filter(sent_at=None).count()
