"""Pictures of every kind of page, into ``docs/screens``, with a page that shows them.

    python tests/campaigns/screenshots.py [--folder demo/application] [--only WORD] [--missing]

Wide for staff, a telephone's width beside it for the public's and participants' pages. The demonstration's clock
goes on, so dates in the pictures are those of its rehearsed day. Colours are reduced to 128, so that the repository
stays small.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

from pages import REPOSITORY, Page, chromium, demonstration, pages_of, signed_in
from PIL import Image
from playwright.sync_api import sync_playwright

SCREENS = REPOSITORY / "docs" / "screens"
TALLEST = 2000
"""Pixels of a picture: the whole page, but not the thousand rows of a list."""
TITLES = {
    "staff": "Sites and the sponsor's staff, blinded",
    "closed": "The closed process: who knows arms",
    "public": "Everybody: trial pages and participants",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a demonstration that is there, or is to be made")
    parser.add_argument("--only", default="", help="pages whose name has this word")
    parser.add_argument("--missing", action="store_true", help="go on where an earlier run stopped")
    options = parser.parse_args()
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = chromium(playwright)
        folder = options.folder or Path(temporary) / "demo"
        with demonstration(folder) as addresses:
            pages = [page for page in once(pages_of(browser, addresses, folder)) if options.only in page.name]
            for (process, person, width), wanted in groupby(sorted(_wanted(pages), key=_group), key=_group):
                left = [page for _, page in wanted if not (options.missing and _file(page, width).exists())]
                if not left:
                    continue
                size = {"width": width, "height": 900}
                window = signed_in(browser, addresses[process], person or None, locale="en-GB", viewport=size)
                for page in left:
                    _take(window, page, width)
                window.context.close()
        browser.close()
    (SCREENS / "README.md").write_text(gallery(), encoding="utf-8")


def once(pages: list[Page]) -> list[Page]:
    """Without pages of the closed process that the open one shows, too."""
    known = {page.name.removeprefix("staff-") for page in pages if page.process == "staff"}
    return [page for page in pages if page.process != "closed" or page.name.removeprefix("closed-") not in known]


def _wanted(pages: list[Page]) -> list[tuple[int, Page]]:
    return [(width, page) for page in pages for width in ((1280, 390) if page.process == "public" else (1280,))]


def _group(wanted: tuple[int, Page]) -> tuple[str, str, int]:
    width, page = wanted
    return page.process, page.person or "", width


def _file(page: Page, width: int) -> Path:
    return SCREENS / f"{page.name}{'' if width == 1280 else f'-{width}'}.png"


def _take(window: Any, page: Page, width: int) -> None:
    window.set_viewport_size({"width": width, "height": 900})
    if not window.goto(page.path).ok:
        return  # what is gone since the pages were looked for
    height = min(window.evaluate("document.documentElement.scrollHeight"), TALLEST)
    # What keeps its place in a window is drawn to the page's end.
    window.set_viewport_size({"width": width, "height": height})
    clip = {"x": 0, "y": 0, "width": width, "height": height}
    taken = Image.open(io.BytesIO(window.screenshot(full_page=True, clip=clip)))
    taken.convert("RGB").quantize(128).save(_file(page, width), optimize=True)
    print(_file(page, width).name, page.path, flush=True)


def gallery() -> str:
    """The page that shows the pictures there are."""
    lines = ["# Screens", ""]
    lines += ["Pages of the demonstration as people in their roles meet them, by `make screenshots`.", ""]
    for process, title in TITLES.items():
        lines += [f"## {title}", ""]
        for file in sorted(SCREENS.glob(f"{process}-*.png")):
            words = file.stem.removeprefix(f"{process}-").removeprefix("smart-ms-").replace("-", " ")
            lines += [f"### {words.capitalize()}", "", f"![{words}]({file.name})", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
