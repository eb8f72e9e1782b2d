"""Somebody in two worlds at once: one question, both answers, what differs; and a walk along all links and forms.

Used by ``two_worlds_pages.py``.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

Answers = list[httpx.Response]
"""Of both worlds, to one question."""


@dataclass
class Tally:
    """What was compared, and what differed."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def note(self, what: str, about: str, found: Sequence[str]) -> None:
        """One comparison of a kind, and what it found."""
        self.compared[what] += 1
        self.differences += [f"{about}: {difference}" for difference in found]

    def add(self, other: Tally) -> None:
        """Everything that another one holds."""
        self.compared += other.compared
        self.differences += other.differences


# --- what an answer is ----------------------------------------------------------------------------------------------

SERVER_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")


def headers_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """Names and values in their order; the server's date by its shape."""
    return [
        (name, SERVER_DATE.sub("a date", value) if name.lower() == "date" else value)
        for name, value in answer.headers.multi_items()
    ]


def differences(one: httpx.Response, other: httpx.Response) -> list[str]:
    """What differs between two answers."""
    found = []
    if one.status_code != other.status_code:
        found.append(f"status {one.status_code} / {other.status_code}")
    if headers_of(one) != headers_of(other):
        found.append(f"headers {headers_of(one)} / {headers_of(other)}")
    a, b = one.content, other.content
    if a != b:
        at = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        found.append(f"body {len(a)} / {len(b)}, at {at}: {a[at - 80 : at + 60]!r} / {b[at - 80 : at + 60]!r}")
    return found


@dataclass
class Form:
    """A form as it stands on a page, with nothing filled in.

    Attributes:
        action: where it is sent; empty for the page itself.
        fields: hidden ones.
        buttons: name, value and address of each.
    """

    action: str
    is_posted: bool
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class Read(HTMLParser):
    """Links of a page, and the forms of its main part that are posted."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._in_main, self._form = False, Form("", is_posted=False)
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of everything that leads somewhere."""
        found = {name: value or "" for name, value in attrs}
        self.links += [found[name] for name in ("href", "src", "formaction") if found.get(name)]
        if tag == "main":
            self._in_main = True
        elif tag == "form":
            self._form = Form(found.get("action", ""), found.get("method", "").lower() == "post")
            if self._form.is_posted and self._in_main:
                self.forms.append(self._form)
        elif tag == "input" and found.get("type") == "hidden":
            self._form.fields.append((found.get("name", ""), found.get("value", "")))
        elif tag == "button" and found.get("type", "submit") == "submit":
            self._form.buttons.append((found.get("name", ""), found.get("value", ""), found.get("formaction", "")))

    def handle_endtag(self, tag: str) -> None:
        """Fields behind a form are not its own."""
        if tag == "form":
            self._form = Form("", is_posted=False)


def read(answer: httpx.Response) -> Read:
    """Links and forms; none of what is no page."""
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    return Read(answer.text if is_page else "")


def links_of(answer: httpx.Response, path: str) -> Iterator[str]:
    """Addresses of this process that a page names, or that an answer leads to."""
    found = [answer.headers["Location"]] if answer.has_redirect_location else read(answer).links
    for link in found:
        target = urlsplit(urljoin(f"http://here{path}", link))
        if target.netloc == "here":
            yield target.path + (f"?{target.query}" if target.query else "")


def kind_of(path: str) -> str:
    """Addresses of one kind differ in codes and numbers only."""
    path = re.sub(r"[A-Z]{2}-\d\d-\d{3}", "CODE", path)
    path = re.sub(r"[0-9a-f]{32,64}", "HASH", path)
    path = re.sub(r"(?<=field=)[^&]+|(?<=margin/)[^/]+", "NAME", path)
    path = re.sub(r"/participants/CODE/\w+/\w+/\d+/", "/participants/CODE/VISIT/FORM/N/", path)
    path = re.sub(r"/participants/CODE/(?!assess|record|case|new)\w+/", "/participants/CODE/VISIT/", path)
    path = re.sub(r"/(products|queries|safety|verification|deviations)/CODE/[^?]*", r"/\1/CODE/THING", path)
    path = re.sub(r"/(questionnaires)/\w+/\w+/", r"/\1/VISIT/FORM/", path)
    path = re.sub(r"blank-forms/\w+", "blank-forms/FORM", path)
    return re.sub(r"\d+", "N", path)


# --- somebody in both worlds ----------------------------------------------------------------------------------------


class Pair:
    """Somebody, in both worlds at once.

    Args:
        name: in what is reported.
        addresses: of the process in each world.
        steps: numbers of the questions; nobody else uses them.
        threads: asks both worlds at the same time.
    """

    def __init__(
        self, name: str, addresses: Sequence[str], steps: Iterator[int], threads: ThreadPoolExecutor
    ) -> None:
        self.name, self._steps, self._threads = name, steps, threads
        self.clients = [httpx.Client(base_url=address, timeout=120) for address in addresses]

    def close(self) -> None:
        """Let go of the connections."""
        for client in self.clients:
            client.close()

    def ask(self, method: str, path: str, fault: str = "", given: Sequence[Any] = ({}, {}), **more: str) -> Answers:
        """One question to both worlds.

        Args:
            given: what httpx sends with it in each world.
            more: headers.
        """
        headers = {**more, "X-Step": str(next(self._steps)), **({"X-Planted-Fault": fault} if fault else {})}

        def one(client: httpx.Client, what: dict[str, Any]) -> httpx.Response:
            return client.request(method, path, headers=headers, **what)

        answers = list(self._threads.map(one, self.clients, given))
        assert answers[0].status_code < 500, (self.name, method, path, answers[0].text[:2000])
        return answers

    def get(self, path: str, fault: str = "") -> Answers:
        """Fetch a page."""
        return self.ask("GET", path, fault)

    def send(self, path: str, fields: dict[str, str], fault: str = "", *, page: str = "") -> Answers:
        """Fill in and send the form of a page, with its token in each world."""
        tokens = [token_on(answer) for answer in self.get(page or path)]
        given = [{"data": {**fields, "csrfmiddlewaretoken": token}} for token in tokens]
        return self.ask("POST", path, fault, given)

    def compared(self, path: str, fault: str = "") -> list[str]:
        """What differs at an address."""
        return differences(*self.get(path, fault))


def token_on(page: httpx.Response) -> str:
    """The token that a post from this page needs."""
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


SIGNED_OUT = re.compile(r"/accounts/login/|/me/enter")
NOT_SENT = re.compile(r"/accounts/logout|/me/leave|/language|/accounts/login|/me/enter")
"""Forms that sign out, or in, or only choose a language; they have places of their own."""


def crawl(see: Pair, start: str, *, each_kind: int, posting: bool) -> Tally:
    """Follow links, and send the forms met on the way with nothing filled in.

    Args:
        each_kind: how many addresses of one kind are followed, and how often one kind of form is sent.
    """
    tally, seen, kinds, waiting = Tally(), {start}, Counter[str](), deque([start])
    while waiting:
        path = waiting.popleft()
        answers = see.get(path)
        tally.note("pages", f"{see.name} {path}", differences(*answers))
        away = answers[0].headers.get("Location", "")
        assert not SIGNED_OUT.match(away) or path.startswith(("/accounts/", "/me/enter")), (see.name, path, away)
        for link in links_of(answers[0], path):
            if link not in seen and not link.startswith("/static/") and kinds[kind_of(link)] < each_kind:
                seen.add(link)
                kinds[kind_of(link)] += 1
                waiting.append(link)
        if posting:
            tally.add(_forms_sent(see, path, answers, kinds, each_kind))
    return tally


def _forms_sent(see: Pair, path: str, answers: Answers, kinds: Counter[str], each_kind: int) -> Tally:
    """Every posted form of a page, once with each of its buttons."""
    tally = Tally()
    for forms in zip(*(read(answer).forms for answer in answers), strict=False):
        for number, (name, value, address) in enumerate(forms[0].buttons or [("", "", "")]):
            target = urljoin(path, address or forms[0].action)
            kind = f"send {kind_of(target)} {name} {number if name else ''}"
            if NOT_SENT.match(target) or kinds[kind] >= each_kind:
                continue
            kinds[kind] += 1
            given = [
                {"data": _by_name([*form.fields, *([(name, value)] if name else [])]), "follow_redirects": False}
                for form in forms
            ]
            tally.note(
                "forms sent", f"{see.name} POST {target} {name}", differences(*see.ask("POST", target, "", given))
            )
    return tally


def _by_name(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {name: [value for other, value in fields if other == name] for name, _ in fields}
