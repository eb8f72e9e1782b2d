"""Worker processes of this machine, and of a cluster."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Literal

import joblib

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.running import Here, Plan, Results, Unit, Workers, compute

Finished = Generator[tuple[Unit, Results], None, None]


class Processes:
    """Worker processes on this machine, by joblib. They stay for the next run, and end with this process.

    Args:
        count: how many, 2 or more.
        batch: units that a worker is sent at a time; ``auto`` follows how long they take.
    """

    def __init__(self, count: int, batch: int | Literal["auto"] = "auto") -> None:
        self._count = count
        self._batch = batch

    def run(self, plan: Plan, units: Sequence[Unit]) -> Finished:
        """Compute the units; results come as they are finished. Leaving early ends the processes at once.

        Raises:
            CannotSimulate: a process was ended from outside, as by a system without memory.
        """
        if not units:
            return
        # One thread each: the processes are the parallel part, and more threads only wait for each other.
        with joblib.parallel_config("loky", n_jobs=self._count, inner_max_num_threads=1):
            # Nothing that is sent is an array; so no folder for arrays is made.
            parallel = joblib.Parallel(
                return_as="generator_unordered", batch_size=self._batch, pre_dispatch="2*n_jobs", max_nbytes=None
            )
            with _deaf_children():
                finished = parallel(joblib.delayed(_computed)(plan, unit) for unit in units)
        try:
            yield from finished
        except BrokenProcessPool as error:
            raise CannotSimulate(
                "a worker process ended before its work did", remedy="use fewer --workers, and --resume FILE to go on"
            ) from error
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib says that results are left; whoever left early knows
                finished.close()


class Cluster:
    """Workers of a ``dask.distributed`` cluster that is running already.

    Args:
        address: of its scheduler, for example ``tcp://10.0.0.1:8786``.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def run(self, plan: Plan, units: Sequence[Unit]) -> Finished:
        """Compute the units; results come as they are finished.

        Raises:
            CannotSimulate: ``dask.distributed`` is not installed, nobody answers at the address, or workers are lost.
        """
        try:
            distributed: Any = import_module("distributed")  # it has no types
        except ImportError as error:
            raise CannotSimulate(
                "dask.distributed is not installed", remedy="install trialwright[cluster]"
            ) from error
        try:
            client = distributed.Client(self._address, timeout=5, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CannotSimulate(
                f"no scheduler answers at {self._address}", remedy="start `dask scheduler` and name its address"
            ) from error
        with client:
            shared = client.scatter(plan, broadcast=True)
            futures = {client.submit(compute, shared, unit, pure=False): unit for unit in units}
            # Workers that keep dying, and a scheduler that went away.
            lost = (distributed.KilledWorker, distributed.CancelledError, OSError)
            try:
                for future in distributed.as_completed(list(futures), loop=client.loop):
                    yield futures[future], future.result()
            except lost as error:
                raise CannotSimulate(
                    f"the cluster at {self._address} lost its workers or its scheduler",
                    remedy="look at their logs, and use --resume FILE to go on",
                ) from error


def workers(executor: str, count: int) -> Workers:
    """Who computes.

    Args:
        executor: ``joblib`` for this machine, or ``dask://HOST:PORT`` for the scheduler of a cluster.
        count: processes on this machine, 1 or more; 1 is this very process.

    Raises:
        CannotSimulate: another executor, or no process.
    """
    if executor.startswith("dask://"):
        return Cluster("tcp://" + executor.removeprefix("dask://"))
    if executor != "joblib":
        raise CannotSimulate(f"unknown executor {executor[:60]!r}", remedy="use joblib or dask://HOST:PORT")
    if not 1 <= count <= 1024:
        raise CannotSimulate(f"{count} workers", remedy="give 1 to 1024")
    return Here() if count == 1 else Processes(count)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started here ignore Ctrl-C: the shell sends it to all, and this process ends them."""
    if threading.current_thread() is not threading.main_thread():  # signals belong to the main thread
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _computed(plan: Plan, unit: Unit) -> tuple[Unit, Results]:
    return unit, compute(plan, unit)
