"""What every kind of world, data and analysis can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from trialwright.operating_characteristics.estimates import Estimates
from trialwright.operating_characteristics.streams import Streams
from trialwright.statistics import Estimate


class Data(Protocol):
    """The data of one block of trials."""

    def rows(self, trial: int) -> list[tuple[int, tuple[float | None, ...]]]: ...

    def head(self, count: int) -> Any: ...

    def again(self, trial: int, values: Sequence[Sequence[float | None]]) -> Any: ...


class World(Protocol):
    """What trials are drawn from."""

    def simulate(self, streams: Streams) -> Data: ...


class Method(Protocol):
    """An analysis, fast and slow; of the kind of data that its world gives."""

    def analyse(self, data: Any) -> Estimates: ...

    def reference(self, data: Any, trial: int) -> Estimate: ...
