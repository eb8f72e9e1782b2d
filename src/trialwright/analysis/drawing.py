"""One style for all figures; each becomes an SVG text that is the same whenever it is drawn from the same data."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import Any, Self

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

ONE, OTHER, INK, QUIET = "#005a9c", "#c8501e", "#1c2733", "#8a949e"
"""Colours of the two arms (told apart by everybody, and in grey), of text and of what matters less."""

COLOURS = (ONE, OTHER, "#3c7a3c", "#7a4fa0")
MARKERS = ("o", "s", "^", "D")

_STYLE: Any = {  # matplotlib types each key
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": QUIET,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "trialwright",
}


class Drawing:
    """A figure while it is drawn.

    Args:
        width, height: in inches.
        columns: panels beside each other.
        mark: drawn across it, very pale; empty for nothing.
        shares: widths of the panels, relative.

    Used in a ``with`` block, so that the style holds for everything drawn.
    """

    def __init__(
        self, width: float, height: float, mark: str, *, columns: int = 1, shares: tuple[float, ...] | None = None
    ) -> None:
        self._style = ExitStack()
        self._style.enter_context(rc_context(_STYLE))
        self.figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(self.figure)
        found = self.figure.subplots(1, columns, squeeze=False, width_ratios=shares)
        self.panels: list[Any] = list(found[0])
        if mark:
            self.figure.text(
                0.5, 0.5, mark, rotation=18, ha="center", va="center", color="#b00020", alpha=0.13, zorder=-1,
                fontsize=min(24.0, 110 * width / len(mark)), fontweight="bold",
            )  # fmt: skip

    def __enter__(self) -> Self:
        """The style holds until the end of the block."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Back to the style of before."""
        self._style.close()

    def svg(self) -> str:
        """The figure."""
        out = io.StringIO()
        self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        text = out.getvalue()
        return text[text.index("<svg") :]
