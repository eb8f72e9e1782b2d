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


def test_a_scheduler_that_does_not_answer_is_named(smart_ms):
    (own,) = settings(smart_ms.study, scenarios=("hoped",), grids=False)
    plan = Plan(smart_ms.canonical, (own,), (10,), seed=2)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(CannotSimulate, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
            run(plan, workers("dask://127.0.0.1:9", 1))
