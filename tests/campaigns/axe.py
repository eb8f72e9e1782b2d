"""Accessibility: axe-core on one page of every kind, in three languages, at two widths, as it is and refused.

    python tests/campaigns/axe.py [--folder demo/application] [--only WORD]

Rules: WCAG 2.0, 2.1 and 2.2, A and AA, and axe's best practices. *Refused* is the page after its first form was sent
empty. Exit code 1 where anything is violated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from pages import PEOPLE, Page, chromium, demonstration, pages_of, signed_in
from playwright.sync_api import Error, sync_playwright

LANGUAGES = ("en", "nb", "nn")
WIDTHS = (1280, 390)
SEND_EMPTY = """
() => { const form = document.querySelector('main form[method=post]');
        form.noValidate = true;
        (form.querySelector('button[type=submit], button:not([type])') || form).click?.(); }
"""


def violations(window: Any) -> list[str]:
    """What axe objects to on the page, with the first place of each."""
    found = Axe().run(window).response["violations"]
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]}" for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a demonstration that is there, or is to be made")
    parser.add_argument("--only", default="", help="pages whose name has this word")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = chromium(playwright)
        with demonstration(options.folder or Path(temporary) / "demo") as addresses:
            pages = [page for page in pages_of(browser, addresses) if options.only in page.name]
            broken = check(browser, addresses, pages)
        browser.close()
    print(f"{len(pages)} pages × {len(LANGUAGES)} languages × {len(WIDTHS)} widths: {len(broken)} with violations")
    sys.exit(1 if broken else 0)


def check(browser: Any, addresses: dict[str, str], pages: list[Page]) -> list[str]:
    broken = []
    for process in PEOPLE:
        for person in {page.person for page in pages if page.process == process}:
            for language in LANGUAGES:
                for width in WIDTHS:
                    window = signed_in(
                        browser, addresses[process], person, locale=language,
                        viewport={"width": width, "height": 900},
                    )  # fmt: skip
                    mine = [page for page in pages if (page.process, page.person) == (process, person)]
                    for page in mine:
                        broken += _one(window, page, f"{page.name} {language} {width}")
                    window.context.close()
    return broken


def _one(window: Any, page: Page, name: str) -> list[str]:
    found = {}
    window.goto(page.path)
    found["as it is"] = violations(window)
    # Where an empty form does act, it acts in a demonstration.
    if "accounts" not in page.path and _sent_empty(window) and "accounts/login" not in window.url:
        found["refused"] = violations(window)
    told = {state: rules for state, rules in found.items() if rules}
    if told:
        print(name, json.dumps(told, ensure_ascii=False, indent=1), flush=True)
    return [name] if told else []


def _sent_empty(window: Any) -> bool:
    """Whether the page has a form and its answer, if it is a page, is there."""
    if not window.locator("main form[method=post]").count():
        return False
    try:
        with window.expect_navigation(timeout=5000):
            window.evaluate(SEND_EMPTY)
    except Error:
        pass  # the page answered by itself, or it led to a file
    window.wait_for_load_state()
    return True


if __name__ == "__main__":
    main()
