"""The blind over pages: arms exchanged, and every byte that a blinded role can fetch is the same.

Two rehearsals of one seed, the second with every allocation exchanged, are served by two staff processes whose clock
stands still. Every link is followed as every blinded role; status, headers, their order, and bodies are compared.
Masked are only fields of fixed width: date, session, CSRF token, nonce, request id.

In CI two addresses of each kind of page are followed for each role; ``EVERY_LINK=1`` follows all of them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, deque
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright.protocol.roles import SITE_ROLES, Role
from trialwright.rehearsal import Wishes, rehearse
from trialwright.stores import open_store
from trialwright.trial.allocation.views import RANDOMISATION
from trialwright_web.config.demo import PASSWORD, environment

REPOSITORY = Path(__file__).resolve().parents[2]
STUDY = "smart-ms"
UNTIL = datetime(2027, 9, 1, 7, tzinfo=UTC)
EACH_KIND = 10**9 if "EVERY_LINK" in os.environ else 2
FAULTS = (
    "header", "order_of_headers", "size", "order_of_rows", "count", "file_name", "link", "status", "request_id",
)  # fmt: skip

MASKS = (
    (re.compile(rb'(name="csrfmiddlewaretoken" value=")[A-Za-z0-9]{64}'), rb"\1"),
    (re.compile(rb"(web\.)[0-9a-f]{32}\b"), rb"\1"),
    (re.compile(rb'(nonce=")[A-Za-z0-9+/_=-]{22,24}"'), rb'\1"'),
)
"""What may differ in a body, each of one width."""
MASKED_HEADERS = {
    "date": re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"),
    "set-cookie": re.compile(r".{20,400}"),
    "content-security-policy": re.compile(r".*"),
}


def masked(body):
    for pattern, kept in MASKS:
        body = pattern.sub(kept, body)
    return body


def masked_headers(response):
    """Names and values in their order; what may differ is shown by its name and shape alone."""
    found = []
    for name, value in response.headers.multi_items():
        pattern = MASKED_HEADERS.get(name.lower())
        if name.lower() == "set-cookie":
            value = re.sub(r"=[^;]*", "", value.split(";")[0])
        elif name.lower() == "content-security-policy":
            value = re.sub(r"nonce-[A-Za-z0-9+/_=-]{22,24}", "nonce", value)
        elif pattern is not None and pattern.fullmatch(value):
            value = ""
        found.append((name, value))
    return found


class Worlds:
    """Both worlds, as somebody sees them."""

    def __init__(self, servers, person, desk):
        self.person = person
        self.clients = [server.client(person, desk) for server in servers]

    def fetch(self, path, fault=""):
        headers = {"X-Planted-Fault": fault} if fault else {}
        return [client.get(path, headers=headers, follow_redirects=False) for client in self.clients]

    def differences(self, path, fault=""):
        """What differs between the worlds at an address, and the links of the first one's page."""
        one, other = self.fetch(path, fault)
        assert one.status_code < 500, (self.person, path, one.text[:500])
        found = []
        if one.status_code != other.status_code:
            found.append(f"status {one.status_code} / {other.status_code}")
        if masked_headers(one) != masked_headers(other):
            found.append(f"headers {masked_headers(one)} / {masked_headers(other)}")
        a, b = masked(one.content), masked(other.content)
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            found.append(f"body {len(a)} / {len(b)}, at {at}: {a[at - 80 : at + 60]!r} / {b[at - 80 : at + 60]!r}")
        return [f"{self.person} {path}: {what}" for what in found], links_of(one, path)


def links_of(response, path):
    """Addresses of this process that a page names."""
    if response.is_redirect:
        found = [response.headers["Location"]]
    elif response.headers.get("Content-Type", "").startswith("text/html"):
        found = re.findall(r'(?:href|src|formaction)="([^"#]+)', response.text)
    else:
        found = []
    for link in found:
        target = urlsplit(urljoin(f"http://x{path}", unescape(link)))
        if target.netloc == "x":
            yield target.path + (f"?{target.query}" if target.query else "")


def kind_of(path):
    """Addresses of one kind differ in codes and numbers only."""
    path = re.sub(r"[A-Z]{2}-\d\d-\d{3}", "CODE", path)
    path = re.sub(r"[0-9a-f]{32,64}", "HASH", path)
    path = re.sub(r"(?<=field=)[^&]+|(?<=margin/)[^/]+", "NAME", path)
    path = re.sub(r"/participants/CODE/\w+/\w+/\d+/", "/participants/CODE/VISIT/FORM/N/", path)
    path = re.sub(r"/participants/CODE/(?!assess|record|case|new)\w+/", "/participants/CODE/VISIT/", path)
    path = re.sub(r"/(products|queries|safety|verification|deviations)/CODE/[^?]*", r"/\1/CODE/THING", path)
    path = re.sub(r"blank-forms/\w+", "blank-forms/FORM", path)
    return re.sub(r"\d+", "N", path)


def crawl(worlds, start):
    """Follow links from an address; answers every difference and how many pages were compared."""
    seen, kinds, waiting, differences = {start}, Counter(), deque([start]), []
    compared = 0
    while waiting:
        path = waiting.popleft()
        if path.startswith(("/accounts/logout", "/static/")) and compared > 50:
            continue
        found, links = worlds.differences(path)
        differences += found
        compared += 1
        for link in links:
            if link not in seen and kinds[kind_of(link)] < EACH_KIND:
                seen.add(link)
                kinds[kind_of(link)] += 1
                waiting.append(link)
    return differences, compared


def _store(path):
    """A store that a rehearsal fills: it can be made again from its seed and need not wait for the disk."""
    return open_store(f"sqlite:///{path}", acts_per_commit=100)


def make_world(folder, *, mirrored):
    """An installation over a rehearsal; and who is in which arm."""
    folder.mkdir()
    build = compiled(load_study(REPOSITORY / "studies" / STUDY).study)
    wishes = Wishes(participants=3, seed=2, ideal_seals=True, mirrored=mirrored, responses=False, until=UNTIL)
    with (
        _store(folder / f"{STUDY}.db") as opened,
        _store(folder / "closed.db") as closed,
    ):
        done = rehearse(build, opened, closed, wishes)
        people = [row["participant"] for row in opened.rows.where(RANDOMISATION)]
        arms = {person: done.trial.allocations.label(person) for person in people}
    (folder / "arms.json").write_text(json.dumps(arms))
    (folder / "secret.key").write_text("of two worlds " * 5)
    (folder / "checkpoint.key").write_text("00" * 32)
    (folder / "installation.toml").write_text(
        f'[studies.{STUDY}]\nfolder = "{REPOSITORY}/studies/{STUDY}"\nstore = "sqlite:///{STUDY}.db"\n'
        f'mode = "rehearsal"\nbegan = {UNTIL.isoformat().replace("+00:00", "Z")}\n'
    )
    people = sorted(f"{role.value}.{'01' if role in SITE_ROLES else '1'}" for role in BLINDED)
    for command in (["prepare_databases"], ["make_rehearsal_accounts", PASSWORD, *people]):
        own = {**os.environ, **environment(folder, "staff")}
        subprocess.run([sys.executable, "-m", "django", *command], env=own, check=True)
    return arms


BLINDED = (
    Role.INVESTIGATOR, Role.STUDY_NURSE, Role.BLINDED_RATER, Role.MONITOR, Role.DATA_MANAGER, Role.MEDICAL_MONITOR,
    Role.SPONSOR, Role.CENTRAL_READER, Role.INSPECTOR,
)  # fmt: skip


@pytest.fixture(scope="module")
def worlds(tmp_path_factory, server_on):
    """Somebody → both worlds as they see them."""
    home = tmp_path_factory.mktemp("worlds")
    folders = [home / "one", home / "other"]
    arms = [make_world(folder, mirrored=mirrored) for folder, mirrored in zip(folders, (False, True), strict=True)]
    assert arms[0].keys() == arms[1].keys()
    assert all(arms[0][person] != arms[1][person] for person in arms[0])
    assert (folders[0] / "closed.db").read_bytes() != (folders[1] / "closed.db").read_bytes()
    servers = [
        server_on(
            folder,
            "staff",
            application="leaky:application",
            ARMS=str(folder / "arms.json"),
            PYTHONHASHSEED="0",  # the order of sets is chance, not knowledge
            PYTHONPATH=str(Path(__file__).parent),
            TRIALWRIGHT_STAFF_ADDRESS="http://localhost:8000",
        )
        for folder in folders
    ]

    def see(role):
        """Signed in as somebody in the role."""
        site = "01" if role in SITE_ROLES else ""
        person = f"{role.value}.{site or '1'}"
        return Worlds(servers, person, f"{STUDY}:{role.value}@{site}")

    see.folders = folders
    yield see
    for server in servers:
        server.stop()


@pytest.mark.parametrize("role", BLINDED, ids=lambda role: role.value)
def test_every_page_of_a_blinded_role_is_the_same_whatever_is_given(worlds, role):
    differences, compared = crawl(worlds(role), f"/{STUDY}/")
    assert differences[:3] == []
    assert compared > 15


@pytest.mark.parametrize("role", [Role.STUDY_NURSE, Role.SPONSOR], ids=lambda role: role.value)
def test_every_file_that_a_worker_makes_is_the_same(worlds, role):
    see, home = worlds(role), f"/{STUDY}/downloads/"
    wanted = [
        name for name in ("items.csv", "views.csv", "ledger.zip") if f'value="{name}"' in see.fetch(home)[0].text
    ]
    assert len(wanted) >= 2
    for client, folder in zip(see.clients, worlds.folders, strict=True):
        for name in wanted:
            page = client.get(home).text
            fields = {
                field: page.split(f'name="{field}" value="')[1].split('"')[0]
                for field in ("request_id", "csrfmiddlewaretoken")
            }
            client.post(home, data={**fields, "wanted": name})
        own = {**os.environ, **environment(folder, "staff")}
        subprocess.run([sys.executable, "-m", "trialwright_web", "worker", "--once"], env=own, check=True)
    links = [re.findall(r"/downloads/files/\d+\.zip", page.text) for page in see.fetch(home)]
    assert len(links[0]) == len(wanted)
    assert links[0] == links[1]
    for link in links[0]:
        one, other = see.fetch(f"/{STUDY}{link}")
        assert one.status_code == 200
        assert (len(one.content), one.content) == (len(other.content), other.content)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_lets_the_arm_out_is_reported(worlds, fault):
    see = worlds(Role.STUDY_NURSE)
    pages = (f"/{STUDY}/participants/", f"/{STUDY}/downloads/", f"/{STUDY}/downloads/audit-trail/")
    assert all(see.differences(page)[0] == [] for page in pages)
    assert any(see.differences(page, fault)[0] for page in pages)


def test_every_fault_is_tried():
    text = Path(__file__).with_name("leaky.py").read_text(encoding="utf-8")
    names = re.findall(r'^    "(\w+)": _', text, re.MULTILINE)
    assert tuple(names) == FAULTS
    assert len(FAULTS) >= 6


def test_a_field_that_is_masked_is_masked_in_one_width_only():
    token = b'name="csrfmiddlewaretoken" value="' + b"a" * 64 + b'"'
    assert masked(token) == masked(token.replace(b"a" * 64, b"b" * 64))
    assert masked(token) != masked(token.replace(b"a" * 64, b"b" * 63))
    assert masked(b"web." + b"0" * 32) != masked(b"web." + b"0" * 31)
