"""Where the closed space goes when nobody says."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialwright.cli.rehearsal import beside, run
from trialwright.foundation.errors import InvalidValue
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


def test_a_blinded_study_does_not_get_one_store_for_both_spaces(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/both.db"
    study = str(Path(__file__).parents[3] / "studies" / "smart-ms")
    with pytest.raises(InvalidValue, match="one store"):
        run(Path(study), store=address, closed_store=address)
    assert not list(tmp_path.iterdir())
