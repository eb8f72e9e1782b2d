"""The attack on erasure where everything lies on one PostgreSQL server: its data folder and its log are searched.

    python tests/campaigns/erasure_on_postgresql.py [identities]

Plants and forgets as ``attack_erasure.py`` does, with the application around the trial. What is searched are the
server's own files, for identities and for the bytes of keys that were destroyed: the files of its databases must hold
none; its log does until its files are gone, and with ``wal_recycle = off`` they go.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import attack_erasure
import psycopg
from erasure_application import Application
from postgres_to_kill import Server

from trialwright.ledger import Store
from trialwright.stores import open_store
from trialwright.trial.event import Space

NAMES = ("open", "closed", "staff", "public", "identity")


@dataclass
class OnPostgresql(Application):
    """The application with all its databases on a server.

    Args:
        addresses: of the databases by name.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        super().begin()
        for name, space in (("installation", "open"), ("closed", "closed")):
            path = self.folder / f"{name}.toml"
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(f"sqlite:///{space}.db", self.addresses[space]), encoding="utf-8")

    def _command(self, process: str, *words: str) -> None:
        """No backups: what they hold is asked where files are."""

    def _run(self, process: str, arguments: list[str], given: str, settings: Mapping[str, str]) -> str:
        own = {
            "TRIALWRIGHT_DATABASE": self.addresses["public" if process == "public" else "staff"],
            "TRIALWRIGHT_IDENTITY": self.addresses["identity"],
        }
        return super()._run(process, arguments, given, {**own, **settings})


def keys_in(addresses: Mapping[str, str]) -> set[bytes]:
    """Every key that is not destroyed."""
    found: set[bytes] = set()
    for space in Space:
        with open_store(addresses[space.value]) as store:
            found |= {key for *_, key in store.keyring.entries() if key}
    return found


def holding(folder: Path, texts: Sequence[bytes], keys: Sequence[bytes]) -> dict[str, tuple[int, int]]:
    """File → how many of the texts and of the keys it holds, of those that hold any."""
    found = {}
    for path in sorted(folder.rglob("*")):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue  # the server takes files away by itself
        counts = sum(one in content for one in texts), sum(one in content for one in keys)
        if any(counts):
            found[str(path.relative_to(folder))] = counts
    return found


def campaign(count: int, folder: Path, server: Server, say: Callable[[str, Any], None]) -> bool:
    """Plant, forget, search; whether the databases' files hold nothing, and the log's are gone in the end."""
    with psycopg.connect(server.address("postgres"), autocommit=True) as connection, ExitStack() as opened:
        connection.execute("ALTER SYSTEM SET wal_recycle = off")
        connection.execute("SELECT pg_reload_conf()")
        for name in NAMES:
            connection.execute(f"CREATE DATABASE erasure_{name} TEMPLATE template0".encode())
        addresses = {name: server.address(f"erasure_{name}") for name in NAMES}

        def on_server(address: str, **how: Any) -> Store:
            return open_store(addresses[Path(address).stem], **how)

        attack_erasure.open_store = on_server  # type: ignore[assignment]
        application = OnPostgresql(folder, attack_erasure.TRIAL / "study", attack_erasure.START, addresses=addresses)
        planted = attack_erasure.plant(count, folder, opened, application)
        attack_erasure.decide(planted)
        opened.close()
        texts, keys = [one.encode() for one in planted.identities], keys_in(addresses)
        connection.execute("CHECKPOINT")
        say(f"planted, {len(keys)} keys", holding(server.home / "data", texts, sorted(keys)))
        application.forget()
        gone = sorted(keys - keys_in(addresses))
        connection.execute("CHECKPOINT")
        left = holding(server.home / "data", texts, gone)
        say(f"forgotten, {len(gone)} keys destroyed", left)
        for statement in ("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"):
            connection.execute(statement.encode())
        in_the_end = holding(server.home / "data", texts, gone)
        say("the log begun anew", in_the_end)
    return bool(gone) and all(name.startswith("pg_wal/") for name in left) and not in_the_end


def main() -> int:
    """The exit code: 1 where something was found that must not be there."""
    count, began = int(sys.argv[1]) if len(sys.argv) > 1 else 20, time.monotonic()

    def say(what: str, found: Any) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {what}: {found or 'nowhere'}", flush=True)

    with Server() as server, tempfile.TemporaryDirectory(prefix="erasure-") as place:
        return 0 if campaign(count, Path(place), server, say) else 1


if __name__ == "__main__":
    raise SystemExit(main())
