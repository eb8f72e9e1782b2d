"""A study whose every text is an attack: each is text wherever it is shown, printed, exported or put into a calendar.

Titles, labels, options, arms, sites, criteria, consent and public texts of the template are replaced by a formula, a
script, both kinds of quotation marks, a template's tag, a line of a calendar, right-to-left marks and an emoji. The
study is rehearsed and served; public, participants', staff's and closed pages are followed and read by a parser.

The rule TW136 refuses such a study; it is switched off here (``unchecked/sitecustomize.py``), to see what comes
after it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from collections import Counter, deque
from html.parser import HTMLParser
from importlib.resources import as_file, files
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from trialwright.build import check_study
from trialwright.protocol import StudyFolderError, load_study
from trialwright_web.config.demo import PASSWORD, DemoStudy, prepare

STUDY = "hostile-study"
UNTIL = "2026-09-15"
SCRIPT = '<script>alert("planted")</script>'
ATTACK = (
    f"=1+1 {SCRIPT}\"'><img src=x onerror=planted()>' onfocus='planted() \" onclick=\"planted() {{{{ planted }}}} "
    "& &lt;b&gt; \u202etxet \u05d0\u05d1\u05d2 \U0001f9ea"
)
LINES = f"{ATTACK}\r\nX-PLANTED:1\r\nEND:VEVENT"
"""For texts that may have several lines."""
LONG = "ж" * 100_000
EACH_KIND = 2
HERE = Path(__file__).parent
UNCHECKED = os.pathsep.join(filter(None, (str(HERE / "unchecked"), str(HERE), os.environ.get("PYTHONPATH", ""))))


def read_yaml(text):
    """As the loader reads it."""
    return YAML(typ="safe", pure=True).load(text)


def attacked(part, number):
    """A part of a study's file with every text in it replaced, each by another one."""
    if isinstance(part, list):
        return [attacked(one, number) for one in part]
    if not isinstance(part, dict):
        return part
    if set(part) == {"en"} and isinstance(part["en"], str):
        number.update(["text"])
        return {"en": f"{LINES if number['text'] % 3 == 0 else ATTACK} {number['text']}"}
    return {key: attacked(value, number) for key, value in part.items()}


def hostile_study(folder):
    """The template with an attack for every text, blinded, with roles of the closed space."""
    with as_file(files("trialwright.protocol") / "template") as template:
        shutil.copytree(template, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    number = Counter()
    for path in sorted(folder.rglob("*.yaml")):
        content = attacked(read_yaml(path.read_text(encoding="utf-8")), number)
        if path.name == "study.yaml":
            content |= {"id": STUDY, "acronym": f"{ATTACK[:6]}{SCRIPT}"}
            content["blinding"] = {
                "kind": "blinded",
                "unblinded_roles": ["unblinded_monitor", "safety_officer", "independent_statistician"],
            }
            content["roles"] += ["unblinded_monitor", "medical_monitor"]
            content["sponsor"]["name"] = ATTACK
            for site in content["sites"]:
                site |= {"name": f"{ATTACK} {site['id']}", "town": ATTACK}
            for arm in content["arms"]:
                arm["revealing_words"] = ["zalvexid"]
        if path.name == "demographics.yaml":
            content["groups"][0]["items"][0]["help"] = {"en": LONG}
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    for path in sorted(folder.rglob("*.md")):
        _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
        fields = read_yaml(head)
        fields["title"] = ATTACK
        for question in fields.get("teach_back", ()):
            question |= {"question": ATTACK, "explanation": LINES}
            question["answers"] = {name: f"{ATTACK} {name}" for name in question["answers"]}
        if "update_source" in fields:
            fields["update_source"] = ATTACK
        body = re.sub(r"^## .* (\{#\w+\})$", lambda found: f"## {ATTACK} {found[1]}", body, flags=re.MULTILINE)
        body = re.sub(r"^(?=[A-Z])", lambda _: f"{ATTACK} ", body, flags=re.MULTILINE)
        text = f"---\n{json.dumps(fields, ensure_ascii=False)}\n---\n{body}"
        path.write_text(text, encoding="utf-8")
    return folder


class Reader(HTMLParser):
    """What a browser would run on a page, and what it would show."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.runs, self.shown, self._script = [], [], None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        if any(name.startswith("on") or "planted" in name for name, _ in attrs):
            self.runs.append((tag, attrs))
        known = dict(attrs)
        self._script = None
        if tag == "script" and "src" not in known and "json" not in (known.get("type") or ""):
            self._script = self.getpos()
            if "nonce" not in known:
                self.runs.append((tag, attrs))
        if tag == "img" and known.get("src") == "x":
            self.runs.append((tag, attrs))
        if any((value or "").strip().lower().startswith("javascript:") for _, value in attrs):
            self.runs.append((tag, attrs))
        self.shown += [value for _, value in attrs if value]

    def handle_data(self, data):
        if self._script is not None and "planted" in data:
            self.runs.append(("script", data[:100]))
        self.shown.append(data)

    @property
    def shows_the_attack(self):
        return any(SCRIPT in text for text in self.shown)


def formulas_in(text):
    """Cells that a spreadsheet would run."""
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    return [cell for cell in cells if cell.startswith(("=", "@", "\t", "\r")) or re.match(r"[+-](?![\d.,]*\Z)", cell)]


def faults_of(response):
    """What is wrong with an answer; nothing where every text is text."""
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    found = [f"status {response.status_code}"] if response.status_code >= 500 else []
    if any("planted" in value.lower() for value in response.headers.values()):
        found.append("a header")
    if kind == "text/html":
        found += [str(one) for one in Reader(response.text).runs]
        if re.search(r"\{\{ ?planted", response.text) is None and "{{" in response.text:
            found.append("a tag of a template")
    elif kind == "text/csv":
        found += formulas_in(response.text)
    elif kind == "text/calendar":
        found += [line for line in re.split(r"\r\n|\n|\r", response.text) if line.startswith(("X-PLANTED", "<"))]
        ends = response.text.count("END:VEVENT\r\n"), response.text.count("BEGIN:VEVENT\r\n")
        if ends[0] != ends[1]:
            found.append(f"events {ends}")
    elif kind == "application/pdf" and not response.content.startswith(b"%PDF-"):
        found.append("no PDF")
    elif kind in ("application/xml", "text/xml"):
        ElementTree.fromstring(response.content)
    return found


def links_of(response, path):
    """Addresses of this process that a page names."""
    if response.headers.get("Content-Type", "").startswith("text/html"):
        links = []
        reader = HTMLParser()
        reader.handle_starttag = lambda tag, attrs: links.extend(
            value for name, value in attrs if name in ("href", "src", "formaction") and value
        )
        reader.feed(response.text)
        for link in links:
            target = urlsplit(urljoin(f"http://x{path}", link))
            if target.netloc == "x" and not target.path.startswith(("/static/", "/accounts/logout")):
                yield target.path + (f"?{target.query}" if target.query else "")


def kind_of(path):
    path = re.sub(r"[A-Z]{2}-\d\d-\d{3}", "CODE", path)
    path = re.sub(r"[0-9a-f]{32,64}", "HASH", path)
    path = re.sub(r"(?<=field=)[^&]+|(?<=margin/)[^/]+", "NAME", path)
    return re.sub(r"\d+", "N", path)


def crawl(client, start):
    """Follow links; answers what was fetched, by address."""
    fetched, kinds, waiting = {}, Counter(), deque([start])
    while waiting:
        path = waiting.popleft()
        if path in fetched:
            continue
        fetched[path] = response = client.get(path)
        for link in links_of(response, path):
            if link not in fetched and kinds[kind_of(link)] < EACH_KIND:
                kinds[kind_of(link)] += 1
                waiting.append(link)
    return fetched


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An installation with the hostile study in the middle of its rehearsal."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", UNCHECKED)
        prepare(folder / "demo", (DemoStudy(hostile_study(folder / STUDY), UNTIL),))
    return folder / "demo"


@pytest.fixture(scope="module")
def servers(home, server_on):
    """Process → its server, able to draw a template without escaping."""
    found = {
        process: server_on(home, process, application="weakened:application", PYTHONPATH=UNCHECKED)
        for process in ("staff", "closed", "public")
    }
    yield found
    for server in found.values():
        server.stop()


def entered(server):
    """A client of the first participant."""
    client = server.client()
    page = client.get("/me/enter")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"number": "NO-01-001", "secret": PASSWORD, "csrfmiddlewaretoken": token}
    assert client.post("/me/enter", data=form).url.path == "/me/"
    return client


VISITS = {
    "public": ("public", None, "/", 6),
    "participant": ("public", "participant", "/me/", 12),
    "study_nurse": ("staff", "study_nurse.01", f"/{STUDY}/", 40),
    "investigator": ("staff", "investigator.01", f"/{STUDY}/", 40),
    "sponsor": ("staff", "sponsor.1", f"/{STUDY}/", 20),
    "monitor": ("staff", "monitor.1", f"/{STUDY}/", 20),
    "independent_statistician": ("closed", "independent_statistician.1", f"/{STUDY}/laboratory/allocations", 10),
    "safety_officer": ("closed", "safety_officer.1", f"/{STUDY}/", 10),
    "emergency": ("closed", "investigator.01", f"/{STUDY}/laboratory/emergency", 1),
}
"""Who → process, user name, where they begin, how many addresses there are at the least."""


@pytest.mark.parametrize("who", VISITS)
def test_every_text_is_text_to(servers, who):
    process, person, start, least = VISITS[who]
    server = servers[process]
    client = entered(server) if person == "participant" else server.client(person)
    fetched = crawl(client, start)
    faults = {path: found for path, response in fetched.items() if (found := faults_of(response))}
    assert faults == {}
    pages = [r for r in fetched.values() if r.headers.get("Content-Type", "").startswith("text/html")]
    assert len(fetched) >= least
    assert sum(Reader(page.text).shows_the_attack for page in pages) >= 1
    assert sum(page.status_code == 200 for page in pages) > len(pages) / 2


def test_printed_forms_calendars_copies_and_tables_are_made(servers):
    nurse = servers["staff"].client("study_nurse.01")
    me = entered(servers["public"])
    copies = re.findall(r"/me/consent/copy-\d+\.pdf", me.get("/me/consent/").text)
    made = {
        "application/pdf": [nurse.get(f"/{STUDY}/blank-forms/demographics.pdf"), me.get(copies[0])],
        "text/calendar": [nurse.get(f"/{STUDY}/calendar.ics"), me.get("/me/visits.ics")],
        "text/csv": [nurse.get(f"/{STUDY}/downloads/audit-trail.csv")],
    }
    for kind, responses in made.items():
        for response in responses:
            assert response.status_code == 200, (kind, response.url)
            assert response.headers["Content-Type"].startswith(kind)
            assert faults_of(response) == []
    assert "END:VEVENT" in made["text/calendar"][0].text


@pytest.mark.parametrize(
    ("process", "person", "page", "template"),
    [
        ("public", None, f"/trials/{STUDY}/", "public/trial.html"),
        ("staff", "study_nurse.01", f"/{STUDY}/calendar/", "capture/calendar.html"),
    ],
)
def test_a_template_that_trusts_a_text_is_reported(servers, process, person, page, template):
    client = servers[process].client(person)
    assert faults_of(client.get(page)) == []
    weak = client.get(page, headers={"X-Planted-Fault": f"safe:{template}"})
    assert faults_of(weak) != []


def test_a_table_without_the_guard_is_reported(servers):
    nurse = servers["staff"].client("study_nurse.01")
    weak = nurse.get(f"/{STUDY}/downloads/audit-trail.csv", headers={"X-Planted-Fault": "no_guard"})
    assert faults_of(weak) != []


def test_the_rules_refuse_a_text_with_markup(tmp_path):
    """The first line of defence, which the other tests do without."""
    findings = check_study(load_study(hostile_study(tmp_path / STUDY)))
    assert {finding.rule for finding in findings} == {"TW136"}
    assert len(findings) > 50


def test_ten_megabytes_of_label_are_refused_by_a_rule_with_a_name(tmp_path):
    folder = hostile_study(tmp_path / STUDY)
    assert load_study(folder).study.identity.id == STUDY
    path = folder / "forms" / "demographics.yaml"
    content = read_yaml(path.read_text(encoding="utf-8"))
    content["groups"][0]["items"][0]["label"] = {"en": "x" * 10_000_000}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(StudyFolderError) as refused:
        load_study(folder)
    assert [finding.rule for finding in refused.value.findings] == ["TW910"]


def test_a_long_text_is_carried_whole(servers):
    nurse = servers["staff"].client("study_nurse.01")
    assert LONG in nurse.get(f"/{STUDY}/blank-forms/demographics/").text
