"""Accessibility: axe-core on every template, in three languages, at two widths: empty, filled, and refused.

    python tests/campaigns/axe.py [--folder FOLDER] [--only WORD] [--log FILE] [--report FILE]

One page of each kind is found by its links, in a demonstration (*filled*) and in one that has only begun (*empty*);
*refused* is the page after its first form was sent with nothing in it. Of pages that the same templates draw, the
first is looked at in every language, the others in one each, by turns. Pages that no link leads to are reached as
people reach them (``scenes.py``). Each answer names the templates that drew it; one that was not looked at in each
language at each width fails by its name, unless it stands in ``ON_PAPER``.

A look is: axe's rules (WCAG 2.0, 2.1 and 2.2, A and AA, and best practices), no scrolling sideways, at 320 pixels
(400 %) neither, and on Norwegian pages no text that we translated left in English. Exit code 1 where anything is
violated. With ``--log`` each page is written down as it is done, and a later run with the same file goes on where
this one stopped. ``--report`` writes the table of templates.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from babel.messages.pofile import read_po
from pages import REPOSITORY, STUDY, Page, chromium, demonstration, kind_of, pages_of, served, signed_in
from playwright.sync_api import Error, sync_playwright
from scenes import SCENES, asking_a_hospital, every_type

from trialwright_web.config.demo import DemoStudy

PACKAGE = REPOSITORY / "src" / "trialwright_web"
LANGUAGES = ("en", "nb", "nn")
WIDTHS = (1280, 390)
NARROWEST = 320
"""Of 1280 pixels at 400 % (WCAG 1.4.10)."""
BEGUN = "2026-01-20"
"""A site is open, and nobody was screened yet."""
ON_PAPER = {
    "participant/copy.html": "the copy of a consent, as PDF",
    "shell/labels.html": "labels, as PDF",
}
"""Templates that no browser shows, and what they are."""

FOLDED = 5
"""Of things that are folded in one list, those that are unfolded: a history has hundreds of one template."""

SEND_EMPTY = """
() => { const form = document.querySelector('main form[method=post]');
        form.noValidate = true;
        (form.querySelector('button[type=submit]:not([disabled]), button:not([type])') || form).click?.(); }
"""
LOOK = """
async (folded) => {
  const opened = new Map();
  for (const closed of document.querySelectorAll('main details')) {
    const list = closed.closest('ol, ul, tbody, dl, section, main');
    opened.set(list, (opened.get(list) ?? 0) + 1);
    if (opened.get(list) <= folded) closed.open = true;
  }
  const found = (await axe.run({resultTypes: ['violations']})).violations;
  return found.map(one => `${one.id} (${one.impact}): ${one.nodes[0].html.slice(0, 160)}`);
}
"""
TEXTS = """
() => { const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const node = walker.currentNode, element = node.parentElement;
          if (!element.closest('[lang=en], script, style')) found.add(node.data.replace(/\\s+/g, ' ').trim());
        }
        for (const name of ['aria-label', 'title', 'placeholder', 'alt'])
          for (const element of document.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name));
        return [...found]; }
"""


@dataclass(frozen=True)
class Look:
    """One page, as it stood before axe."""

    name: str
    language: str
    width: int
    state: str
    templates: list[str]
    found: list[str]


class Walk:
    """The three processes of one installation, walked through in one language."""

    def __init__(self, browser: Any, addresses: dict[str, str], language: str, pictures: Path | None = None) -> None:
        self.browser, self.addresses, self.language, self.pictures = browser, addresses, language, pictures
        self.looks: list[Look] = []
        self._drawn: dict[Any, list[str]] = {}
        self._open: list[Any] = []

    def window(self, process: str, person: str | None = None) -> Any:
        """A window of a person; templates of its documents are noted."""
        size = {"width": WIDTHS[0], "height": 900}
        window = signed_in(self.browser, self.addresses[process], person, locale=self.language, viewport=size)
        window.add_init_script(AXE_SCRIPT)  # half a megabyte: sent once, not with each page
        window.on("response", lambda response: self._note(window, response))
        self._open.append(window)
        return window

    def _note(self, window: Any, response: Any) -> None:
        request = response.request
        if request.is_navigation_request() and request.frame == window.main_frame:
            self._drawn[window] = [name for name in response.headers.get("x-templates", "").split(",") if name]

    def look(self, window: Any, name: str, state: str = "filled") -> None:
        """Everything that is wrong with what a window shows, at each width."""
        templates = self._drawn.get(window, [])
        for width in WIDTHS:
            window.set_viewport_size({"width": width, "height": 900})
            if self.pictures is not None and (self.language == "en") == (width == WIDTHS[0]):
                words = re.sub(r"[^a-z]+", "-", name.lower()).strip("-")
                file = self.pictures / f"{words}-{state}-{self.language}-{width}.png"
                window.screenshot(path=file, full_page=True)
            self.looks.append(Look(name, self.language, width, state, templates, self._wrong(window, width)))
        window.set_viewport_size({"width": NARROWEST, "height": 900})
        self.looks[-1].found.extend(_sideways(window, NARROWEST))
        window.set_viewport_size({"width": WIDTHS[0], "height": 900})

    def _wrong(self, window: Any, width: int) -> list[str]:
        found = [*window.evaluate(LOOK, FOLDED), *_sideways(window, width)]
        if self.language != "en" and width == WIDTHS[0]:
            left = sorted(set(window.evaluate(TEXTS)) & translated(self.language))
            found += [f"language: {text!r} is English" for text in left]
        return found

    def close(self) -> None:
        """Let go of every window."""
        for window in self._open:
            window.context.close()
        self._open = []


def _sideways(window: Any, width: int) -> list[str]:
    for _ in range(10):
        wide = window.evaluate("document.documentElement.scrollWidth")
        if wide <= width:
            break
        window.wait_for_timeout(100)  # a chart is drawn anew after the width has changed
    return [f"sideways: {wide} pixels wide at {width}"] if wide > width else []


@cache
def translated(language: str) -> frozenset[str]:
    """English texts that are other words in a language."""
    found, ours = set(), set()
    for path in PACKAGE.glob(f"*/locale/{language}/LC_MESSAGES/django.po"):
        with path.open("rb") as file:
            messages = list(read_po(file, locale=language))
        ours |= {m.string for m in messages}  # "By" is a town, and "No" is now
        found |= {m.id for m in messages if isinstance(m.id, str) and m.string and m.string != m.id}
    # A word in small letters may be a value of the record, which stays as it is.
    return frozenset(text for text in found - ours if " " in text or text[:1].isupper())


def templates() -> frozenset[str]:
    """Every template of the application, by the name Django knows it by."""
    return frozenset(
        str(path.relative_to(folder)) for folder in PACKAGE.glob("*/templates") for path in folder.rglob("*.html")
    )


def unseen(looks: Iterable[Look]) -> dict[str, list[str]]:
    """Template → language and width in which nobody looked at it."""
    seen = {(name, look.language, look.width) for look in looks for name in look.templates}
    wanted = [(language, width) for language in LANGUAGES for width in WIDTHS]
    missing = {
        name: [f"{language} {width}" for language, width in wanted if (name, language, width) not in seen]
        for name in sorted(templates() - set(ON_PAPER))
    }
    return {name: where for name, where in missing.items() if where}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a demonstration to act in, or to make; the begun one beside")
    parser.add_argument("--only", default="", help="pages and scenes whose name has this word")
    parser.add_argument("--log", type=Path, help="what is done already; a page is added as soon as it is")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures: English wide, the others narrow")
    parser.add_argument("--report", type=Path, help="where the table of templates is written")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        log = Log(options.log)
        browser = chromium(playwright)
        folder = options.folder or Path(temporary) / "filled"
        with demonstration(folder, application="recorded:application") as addresses:
            _scenes(browser, addresses, options, log)
            if not options.only.startswith("scene"):
                pages = pages_of(browser, addresses, folder)
                _pages(browser, addresses, _covering(pages, unseen(log.looks)), options, log, "filled", refused=False)
                _real(browser, Path(temporary) / "real", options, log)
                _empty(browser, folder.with_name(f"{folder.name}-begun"), options, log)
                _pages(browser, addresses, _firsts(pages), options, log, "filled")
                _pages(browser, addresses, _by_turns(pages), options, log, "filled")
        browser.close()
    sys.exit(_told(log.looks, time.monotonic() - began, options))


class Log:
    """What was looked at; with a file, an earlier run's too."""

    def __init__(self, path: Path | None) -> None:
        lines = path.read_text(encoding="utf-8").splitlines() if path is not None and path.exists() else []
        self.path = path
        self.done: dict[str, list[Look]] = {}
        for line in lines:
            name, looks = json.loads(line)
            self.done[name] = [Look(**look) for look in looks]

    def add(self, name: str, looks: list[Look]) -> None:
        """Write down what was seen under a name."""
        self.done[name] = looks
        told = sorted({f"{look.state}: {one}" for look in looks for one in look.found})
        print(name, f"{len(looks)} looks", *told, sep="\n    ", flush=True)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([name, [asdict(look) for look in looks]], ensure_ascii=False) + "\n")

    @property
    def looks(self) -> list[Look]:
        """All of them."""
        return [look for looks in self.done.values() for look in looks]


def _scenes(browser: Any, addresses: dict[str, str], options: argparse.Namespace, log: Log) -> None:
    for scene in SCENES:
        for language in LANGUAGES:
            name = f"scene {scene.__name__} {language}"
            if options.only not in name or name in log.done:
                continue
            walk = Walk(browser, addresses, language, options.pictures)
            try:
                scene(walk)
            except Error as error:
                walk.looks.append(Look(name, language, 0, "refused", [], [f"stopped: {error.message[:400]}"]))
            walk.close()
            log.add(name, walk.looks)


def _pages(
    browser: Any,
    addresses: dict[str, str],
    pages_in_languages: Iterable[tuple[Page, str]],
    options: argparse.Namespace,
    log: Log,
    state: str,
    *,
    refused: bool = True,
) -> None:
    wanted = defaultdict(list)
    for page, language in pages_in_languages:
        wanted[page.process, page.person, language].append(page)
    part = state if refused else "cover"
    for (process, person, language), pages in wanted.items():
        left = [page for page in pages if options.only in page.name and _key(page, language, part) not in log.done]
        if left:
            walk = Walk(browser, addresses, language, options.pictures)
            window = walk.window(process, person)
            for page in left:
                _one(walk, window, page, state, refused=refused)
                log.add(_key(page, language, part), walk.looks)
                walk.looks = []
            walk.close()


def _covering(pages: list[Page], wanted: Iterable[str]) -> Iterator[tuple[Page, str]]:
    """Few pages with all templates that nothing has drawn yet, in all languages: first, for a run may be stopped."""
    left = set(wanted)
    while pages:
        best = max(pages, key=lambda page: len(left.intersection(page.templates)))
        if not left.intersection(best.templates):
            return
        left.difference_update(best.templates)
        yield from ((best, language) for language in LANGUAGES)


def _firsts(pages: list[Page]) -> Iterator[tuple[Page, str]]:
    """Of pages that the same templates draw the first, in all languages."""
    first = {page.templates: page for page in reversed(pages)}
    yield from ((page, language) for page in first.values() for language in LANGUAGES)


def _by_turns(pages: list[Page]) -> Iterator[tuple[Page, str]]:
    """The others, each in one language."""
    known: Counter[tuple[str, ...]] = Counter()
    for page in pages:
        if known[page.templates]:
            yield page, LANGUAGES[known[page.templates] % len(LANGUAGES)]
        known[page.templates] += 1


def _empty(browser: Any, begun: Path, options: argparse.Namespace, log: Log) -> None:
    """Pages of an installation that has only begun; its study has a form with every type of item and a table."""
    study = begun.with_name(f"{begun.name}-study") / STUDY
    if not study.exists():
        shutil.copytree(REPOSITORY / "studies" / STUDY, study)
        for form in (REPOSITORY / "tests" / "web" / "forms" / "study").glob("*.yaml"):
            shutil.copy(form, study / "forms")
        schedule = study / "schedule.yaml"
        text = schedule.read_text(encoding="utf-8")
        schedule.write_text(text.replace("\nlog_forms: [", "\nlog_forms: [every_type, syringe, "), encoding="utf-8")
    with demonstration(begun, (DemoStudy(study, BEGUN),), application="recorded:application") as addresses:
        for language in LANGUAGES:
            if f"every type {language}" not in log.done:
                walk = Walk(browser, addresses, language, options.pictures)
                every_type(walk)
                walk.close()
                log.add(f"every type {language}", walk.looks)
        _pages(browser, addresses, _firsts(pages_of(browser, addresses, begun)), options, log, "empty")


def _real(browser: Any, folder: Path, options: argparse.Namespace, log: Log) -> None:
    """The public pages of a trial that is no demonstration."""
    sys.path.append(str(REPOSITORY / "tests" / "web"))
    from test_public_production import REAL, real_installation

    left = [language for language in LANGUAGES if f"real {language}" not in log.done]
    if not left:
        return
    folder.mkdir()
    real_installation(folder, REPOSITORY / "studies")
    with served(folder, ("public",), "recorded:application", **REAL) as addresses:
        for language in left:
            walk = Walk(browser, addresses, language, options.pictures)
            asking_a_hospital(walk)
            walk.close()
            log.add(f"real {language}", walk.looks)


def _key(page: Page, language: str, part: str) -> str:
    return f"{part} {page.name} {language}"


def _one(walk: Walk, window: Any, page: Page, state: str, *, refused: bool) -> None:
    window.goto(page.path)
    here = window.url.partition(walk.addresses[page.process])[2]
    if kind_of(page.process, here) != kind_of(page.process, page.path):
        return  # an empty form that was sent before did act, and the page leads on
    walk.look(window, page.name, state)
    # Where an empty form does act, it acts in a demonstration.
    if refused and "accounts" not in page.path and _sent_empty(window) and "accounts/login" not in window.url:
        walk.look(window, page.name, "refused")


def _sent_empty(window: Any) -> bool:
    """Whether the page has a form and its answer, if it is a page, is there."""
    if not window.locator("main form[method=post]").count():
        return False
    try:
        with window.expect_navigation(timeout=3000):
            window.evaluate(SEND_EMPTY)
    except Error:
        pass  # the page answered by itself, or it led to a file
    window.wait_for_load_state()
    return True


def _told(looks: list[Look], seconds: float, options: argparse.Namespace) -> int:
    """Say what was found; 1 where something was."""
    broken = sorted({f"{look.name} ({look.state}): {one}" for look in looks for one in look.found})
    left = {} if options.only else unseen(looks)
    states = Counter(look.state for look in looks)
    print(f"{len(templates())} templates, {len(ON_PAPER)} on paper, {len({look.name for look in looks})} pages,")
    told = ", ".join(f"{number} {state}" for state, number in states.items())
    print(f"{len(looks)} looks ({told}) in {seconds / 60:.0f} min:")
    print(f"{len(broken)} violations, {len(left)} templates not looked at in each language at each width")
    print(*broken, *(f"{name}: not seen in {', '.join(where)}" for name, where in left.items()), sep="\n")
    if options.report is not None:
        _report(options.report, looks)
    return 1 if broken or left else 0


def _report(path: Path, looks: list[Look]) -> None:
    """The table: template, how often it was looked at in each state, in how many combinations, what was wrong."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["template", "filled", "empty", "refused", "of 6 languages and widths", "with violations"])
        for name in sorted(templates()):
            mine = [look for look in looks if name in look.templates]
            states = Counter(look.state for look in mine)
            places = len({(look.language, look.width) for look in mine})
            wrong = ON_PAPER.get(name, str(sum(bool(look.found) for look in mine)))
            writer.writerow([name, states["filled"], states["empty"], states["refused"], places, wrong])


if __name__ == "__main__":
    main()
