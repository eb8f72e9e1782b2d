"""Accessibility: axe-core on one page of every kind, in three languages, at two widths, as it is and refused.

    python tests/campaigns/axe.py [--folder demo/application] [--only WORD] [--log FILE]

Rules: WCAG 2.0, 2.1 and 2.2, A and AA, and axe's best practices. *Refused* is the page after its first form was sent
empty. Exit code 1 where anything is violated. With ``--log`` each page is written down as it is done, and a later
run with the same file goes on where this one stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from pages import Page, chromium, demonstration, pages_of, signed_in
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
    parser.add_argument("--log", type=Path, help="what is done already; a page is added as soon as it is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = chromium(playwright)
        folder = options.folder or Path(temporary) / "demo"
        with demonstration(folder) as addresses:
            pages = [page for page in pages_of(browser, addresses, folder) if options.only in page.name]
            done = check(browser, addresses, pages, options.log)
        browser.close()
    broken = [name for name, states in done.items() if any(states.values())]
    looks = sum(len(states) for states in done.values())
    print(f"{len(pages)} kinds of page, {len(done)} of {len(pages) * 6} combinations, {looks} looks:", end=" ")
    print(f"{len(broken)} with violations", *broken, sep="\n")
    sys.exit(1 if broken else 0)


def _read(log: Path | None) -> dict[str, dict[str, list[str]]]:
    if log is None or not log.exists():
        return {}
    return dict(map(json.loads, log.read_text(encoding="utf-8").splitlines()))


def check(
    browser: Any, addresses: dict[str, str], pages: list[Page], log: Path | None
) -> dict[str, dict[str, list[str]]]:
    """Page, language and width → state → what axe objects to."""
    done = _read(log)
    for width in WIDTHS:
        for language in LANGUAGES:
            for process, person in sorted({(page.process, page.person or "") for page in pages}):
                mine = [page for page in pages if (page.process, page.person or "") == (process, person)]
                left = [page for page in mine if f"{page.name} {language} {width}" not in done]
                if not left:
                    continue
                size = {"width": width, "height": 900}
                window = signed_in(browser, addresses[process], person or None, locale=language, viewport=size)
                for page in left:
                    name = f"{page.name} {language} {width}"
                    done[name] = _one(window, page)
                    print(name, {state: len(found) for state, found in done[name].items()}, flush=True)
                    if log is not None:
                        with log.open("a", encoding="utf-8") as file:
                            file.write(json.dumps([name, done[name]], ensure_ascii=False) + "\n")
                window.context.close()
    return done


def _one(window: Any, page: Page) -> dict[str, list[str]]:
    found = {}
    window.goto(page.path)
    found["as it is"] = violations(window)
    # Where an empty form does act, it acts in a demonstration.
    if "accounts" not in page.path and _sent_empty(window) and "accounts/login" not in window.url:
        found["refused"] = violations(window)
    return found


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
