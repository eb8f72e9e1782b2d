"""Where the closed space goes when nobody says."""

from __future__ import annotations

import pytest

from trialwright.cli.rehearsal import beside
from trialwright.stores import StoreUrlInvalid


@pytest.mark.parametrize(
    ("address", "closed"),
    [
        ("memory:", "memory:"),
        ("sqlite:///trial.db", "sqlite:///trial.closed.db"),
        ("sqlite:////data/v1.2/trial", "sqlite:////data/v1.2/trial.closed"),
        ("postgresql://app@db.example:5432/walking", "postgresql://app@db.example:5432/walking_closed"),
        ("postgresql:///walking?host=/run/postgresql", "postgresql:///walking_closed?host=/run/postgresql"),
        (
            "postgres://app@db.example/walking?sslmode=require",
            "postgres://app@db.example/walking_closed?sslmode=require",
        ),
    ],
)
def test_the_closed_space_lies_beside_the_open_one(address: str, closed: str) -> None:
    assert beside(address) == closed


@pytest.mark.parametrize("address", ["walking.db", "postgresql://", "mysql://host/walking"])
def test_what_is_no_address_of_a_store_is_named(address: str) -> None:
    with pytest.raises(StoreUrlInvalid):
        beside(address)
