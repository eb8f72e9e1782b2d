"""PostgreSQL goes back to a moment by its archived log, as docs/how-to/back-up-and-restore.md says.

    python tests/campaigns/point_in_time.py

50 entries, a base backup, 50 more, a moment of which a site holds a checkpoint, 50 more; then back to that moment.
Exit code 1 where the ledger is not exactly what the site's checkpoint covers.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import attack_backup
import psycopg
from postgres_to_kill import Server

from trialwright.ledger import verify_ledger
from trialwright.ledger.port import Head
from trialwright.stores import open_store

LEDGER = "demo/open"


def main() -> int:
    """Back to a moment; what was found there."""
    with Server() as server:
        address = _prepare(server)
        _append(address, 1, 51)
        programs = server._binaries / "bin"
        base = [programs / "pg_basebackup", "-h", server.home, "-U", "postgres", "-D", server.home / "base"]
        subprocess.run([*base, "--checkpoint=fast", "--wal-method=stream"], user=server._user, check=True)
        head = _append(address, 51, 101)
        time.sleep(1.5)
        moment = _ask(server, "SELECT now()::text")
        time.sleep(1.5)
        _append(address, 101, 151)
        _ask(server, "SELECT pg_switch_wal()::text")
        time.sleep(3)
        began = time.monotonic()
        _go_back(server, moment)
        with open_store(address, create=False) as store:
            note = attack_backup.note(LEDGER, head.size, head.root)
            report = verify_ledger(store.ledger(LEDGER), outside={"site": note}, keys=[attack_backup.KEY.verifier])
        print(f"back after {time.monotonic() - began:.1f} s\n{report}")
    return 0 if (report.size, report.covered, report.fault) == (100, 100, None) else 1


def _prepare(server: Server) -> str:
    """A server that archives its log, and an empty database in it."""
    archive = server.home / "archive"
    archive.mkdir()
    if server._user:
        shutil.chown(archive, server._user)
    command = f"test ! -f {archive}/%f && cp %p {archive}/%f"
    _set(server, f"wal_level = replica\narchive_mode = on\narchive_command = '{command}'")
    with (server.home / "data" / "pg_hba.conf").open("a") as file:
        file.write("local replication all trust\n")
    server._run("pg_ctl", "-w", "-m", "fast", "stop")
    server._start()
    _ask(server, "CREATE DATABASE demo")
    return server.address("demo")


def _go_back(server: Server, moment: str) -> None:
    """Take the base backup for the data, and let the server replay its archive up to the moment."""
    server._run("pg_ctl", "-w", "-m", "fast", "stop")
    data = server.home / "data"
    shutil.rmtree(data)
    (server.home / "base").rename(data)
    restore = f"restore_command = 'cp {server.home}/archive/%f %p'\nrecovery_target_time = '{moment}'"
    _set(server, f"archive_mode = off\n{restore}\nrecovery_target_action = 'promote'")
    signal = data / "recovery.signal"
    signal.touch()
    if server._user:
        shutil.chown(signal, server._user)
    server._start()
    while _ask(server, "SELECT pg_is_in_recovery()::text") == "true":
        time.sleep(0.1)


def _set(server: Server, lines: str) -> None:
    with Path(server.home / "data" / "postgresql.conf").open("a") as file:
        file.write(f"\n{lines}\n")


def _ask(server: Server, query: str) -> str:
    with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
        answer = connection.execute(query)
        row = answer.fetchone() if answer.description else None
    return str(row[0]) if row else ""


def _append(address: str, first: int, end: int) -> Head:
    with open_store(address) as store:
        ledger = store.ledger(LEDGER)
        for number in range(first, end):
            with ledger.transaction() as transaction:
                transaction.append([attack_backup.entry("p/1", "form.saved", f"r{number}", "", number)])
        return ledger.head()


if __name__ == "__main__":
    sys.exit(main())
