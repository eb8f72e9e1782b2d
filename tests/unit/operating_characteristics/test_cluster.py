"""A local cluster of real worker processes gives the same results as this process."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from trialwright.operating_characteristics import CannotSimulate, Plan, run, settings, workers

distributed = pytest.importorskip("distributed", reason="the extra trialwright[cluster] is not installed")


def test_a_cluster_has_the_same_results_to_the_last_bit(smart_ms):
    (own,) = settings(smart_ms.study, scenarios=("hoped",), grids=False)
    plan = Plan(smart_ms.canonical, (replace(own, models=("primary_ancova",)),), (5000,), seed=2)
    with warnings.catch_warnings():
        # The scheduler's own: its dashboard is not asked for, and sockets close while it stops.
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster:
            address = "dask://" + cluster.scheduler_address.removeprefix("tcp://")
            found = run(plan, workers(address, 1))

    assert found == run(plan, workers("joblib", 1))


class _Losing:
    """A client whose cluster goes away after the work was sent."""

    loop = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Closed."""

    def scatter(self, plan, broadcast):
        return plan

    def submit(self, work, *given, pure):
        return object()


@pytest.mark.parametrize(
    "error",
    [distributed.KilledWorker("unit", None, 3), distributed.CancelledError("unit"), OSError("closed")],
    ids=["workers that die", "a scheduler that goes", "a line that breaks"],
)
def test_a_cluster_that_is_lost_on_the_way_is_named(smart_ms, monkeypatch, error):
    def lost(futures, loop):
        raise error

    monkeypatch.setattr(distributed, "Client", lambda *_, **__: _Losing())
    monkeypatch.setattr(distributed, "as_completed", lost)
    (own,) = settings(smart_ms.study, scenarios=("hoped",), grids=False)
    plan = Plan(smart_ms.canonical, (own,), (10,), seed=2)

    with pytest.raises(CannotSimulate, match="lost its workers or its scheduler") as refused:
        run(plan, workers("dask://127.0.0.1:9", 1))

    assert "--resume" in refused.value.remedy


def test_a_scheduler_that_does_not_answer_is_named(smart_ms):
    (own,) = settings(smart_ms.study, scenarios=("hoped",), grids=False)
    plan = Plan(smart_ms.canonical, (own,), (10,), seed=2)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(CannotSimulate, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
            run(plan, workers("dask://127.0.0.1:9", 1))
