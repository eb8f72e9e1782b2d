"""What only a server can do: end a connection while nobody looks."""

from __future__ import annotations

import time

import psycopg

from trialwright.stores import open_store


def test_a_store_notices_that_the_server_has_ended_its_connection(postgres_url):
    with open_store(postgres_url) as store:
        assert store.stands()
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            ).fetchall()
        deadline = time.monotonic() + 10
        while store.stands() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not store.stands()
