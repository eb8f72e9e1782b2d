"""Worker processes of this machine, and of a cluster."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.running import Here, Plan, Results, Unit, Workers, compute

_PLAN: list[Plan] = []


class Processes:
    """Worker processes on this machine.

    Args:
        count: how many, 2 or more.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def run(self, plan: Plan, units: Sequence[Unit]) -> Iterator[tuple[Unit, Results]]:
        """Compute the units; results come as they are finished. Leaving early cancels what has not begun."""
        if not units:
            return
        # A few units at a time in the queue: an interrupt then waits for what runs, not for what is planned.
        ahead = 2 * self._count
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._count, mp_context=context, initializer=_receive, initargs=(plan,))
        try:
            waiting = iter(units)
            running: dict[Future[Results], Unit] = {}
            for unit in waiting:
                with _deaf_children():
                    running[pool.submit(_compute, unit)] = unit
                if len(running) < ahead:
                    continue
                yield from _finished(running)
            while running:
                yield from _finished(running)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class Cluster:
    """Workers of a ``dask.distributed`` cluster that is running already.

    Args:
        address: of its scheduler, for example ``tcp://10.0.0.1:8786``.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def run(self, plan: Plan, units: Sequence[Unit]) -> Iterator[tuple[Unit, Results]]:
        """Compute the units; results come as they are finished.

        Raises:
            CannotSimulate: ``dask.distributed`` is not installed, or nobody answers at the address.
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
            for future in distributed.as_completed(list(futures), loop=client.loop):
                yield futures[future], future.result()


def workers(executor: str, count: int) -> Workers:
    """Who computes.

    Args:
        executor: ``local``, or ``dask://HOST:PORT`` for the scheduler of a cluster.
        count: processes on this machine, 1 or more.

    Raises:
        CannotSimulate: another executor, or no process.
    """
    if executor.startswith("dask://"):
        return Cluster("tcp://" + executor.removeprefix("dask://"))
    if executor != "local":
        raise CannotSimulate(f"unknown executor {executor[:60]!r}", remedy="use local or dask://HOST:PORT")
    if not 1 <= count <= 1024:
        raise CannotSimulate(f"{count} workers", remedy="give 1 to 1024")
    return Here() if count == 1 else Processes(count)


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started here ignore Ctrl-C: the shell sends it to all, and this process tells them to stop."""
    if threading.current_thread() is not threading.main_thread():  # signals belong to the main thread
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _receive(plan: Plan) -> None:
    _PLAN[:] = [plan]


def _compute(unit: Unit) -> Results:
    return compute(_PLAN[0], unit)


def _finished(running: dict[Future[Results], Unit]) -> Iterator[tuple[Unit, Results]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()
