"""Pictures of every kind of page, into ``docs/screens``.

    python tests/campaigns/screenshots.py [--folder demo/application] [--only WORD]

Wide for staff, a telephone's width beside it for the public's and participants' pages. The demonstration's clock
goes on, so dates in the pictures are those of its rehearsed day.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pages import REPOSITORY, chromium, demonstration, pages_of, signed_in
from playwright.sync_api import sync_playwright

SCREENS = REPOSITORY / "docs" / "screens"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a demonstration that is there, or is to be made")
    parser.add_argument("--only", default="", help="pages whose name has this word")
    options = parser.parse_args()
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = chromium(playwright)
        with demonstration(options.folder or Path(temporary) / "demo") as addresses:
            pages = [page for page in pages_of(browser, addresses) if options.only in page.name]
            for page in pages:
                for width in (1280, 390) if page.process == "public" else (1280,):
                    size = {"width": width, "height": 900}
                    window = signed_in(browser, addresses[page.process], page.person, locale="en", viewport=size)
                    window.goto(page.path)
                    suffix = "" if width == 1280 else f"-{width}"
                    # The whole page, but not the thousand rows of a list.
                    height = min(window.evaluate("document.documentElement.scrollHeight"), 2400)
                    clip = {"x": 0, "y": 0, "width": width, "height": height}
                    window.screenshot(path=SCREENS / f"{page.name}{suffix}.png", full_page=True, clip=clip)
                    window.context.close()
                    print(f"{page.name}{suffix}", page.path, flush=True)
        browser.close()


if __name__ == "__main__":
    main()
