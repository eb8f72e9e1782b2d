"""Two worlds in the browser: arms exchanged, and every byte that a blinded person can fetch is the same.

    python tests/campaigns/two_worlds_pages.py [participants] [seed] [links of each kind]

Two rehearsals of one seed, the second with every allocation exchanged, are installed and served, each by processes
of its own. Both are asked the same things in the same order: every link is followed as every blinded role, as every
participant, and as an investigator who visits the closed process up to the reveal; every form met on the way is sent
with nothing filled in; every operation of the API is asked; files and mails are made by the worker. Time and chance
follow from the number of the question (``same_step.py``), so status, headers, their order and every byte of a body
are compared without a mask; only the server's own date, which comes from the machine, is compared by its shape.

``tests/web/test_two_worlds_pages.py`` runs the same in a short form, and with planted faults.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from in_both_worlds import Answers, Pair, Tally, crawl, differences, read
from pages import STUDY
from two_installations import BLINDED, UNTIL, Worlds, person_of, run, two_worlds

from trialwright.protocol.roles import Role

EVERY = 10**9
API = f"/{STUDY}/api/v1"
EMERGENCY = f"/{STUDY}/laboratory/emergency"
NOBODY = "NO-99-999"
CAMPAIGNS = Path(__file__).parent

FAULTS = (
    "header", "order_of_headers", "size", "order_of_rows", "count", "file_name", "link", "status", "request_id",
)  # fmt: skip
"""Of an answer; see ``leaky.py``."""
FILE_FAULTS = ("size_of_file", "name_in_file", "rows_of_file")
MAIL_FAULTS = ("fewer_mails", "words_of_mails", "order_of_mails")
"""Of a worker; see ``leaky_worker.py``."""


def pages(worlds: Worlds, role: Role, *, each_kind: int = EVERY, posting: bool = True) -> Tally:
    """The staff process, as a blinded role."""
    return crawl(worlds.role(role), f"/{STUDY}/", each_kind=each_kind, posting=posting)


def refusals(worlds: Worlds, role: Role) -> Tally:
    """People, things and pages that are not there, or not for the role."""
    tally, see = Tally(), worlds.role(role)
    kinds = (
        "participants/{}/", "participants/{}/nothing/", "products/{}/none", "verification/{}", "consents/{}/paper",
        "downloads/audit-trail/?participant={}", "randomise/{}/", "safety/{}/none", "laboratory/look/{}",
    )  # fmt: skip
    paths = [f"/{STUDY}/{kind.format(code)}" for kind in kinds for code in (*worlds.people, NOBODY)]
    for path in (*paths, f"/{STUDY}/laboratory", EMERGENCY, f"/{STUDY}/downloads/files/999.zip", "/nothing/"):
        tally.note("refusals", f"{see.name} {path}", see.compared(path))
    for fields in ({}, {"login": person_of(role, worlds.site), "password": "wrong"}):
        stranger = worlds.anybody(f"stranger as {role.value}", "staff")
        answers = stranger.send("/accounts/login/", fields)
        tally.note("refusals", f"{stranger.name} {sorted(fields)}", differences(*answers))
    return tally


def api(worlds: Worlds, role: Role) -> Tally:
    """Every operation that the API describes, as a program of a blinded role; commands as they are refused."""
    tally, see = Tally(), worlds.program(role)
    described = see.get(f"{API}/openapi.json")[0].json()["paths"]
    for path, operations in described.items():
        for method, address in product(operations, _addresses(path, worlds.people, see)):
            if method == "get":
                tally.note("answers of the API", f"{see.name} {address}", see.compared(address))
                continue
            for number, command in enumerate(({}, {"command": {}}, {"command": {"participant": worlds.people[0]}})):
                key = {"Idempotency-Key": f"refused-{role.value}-{number}"}
                answers = see.ask("POST", address, "", [{"json": command}] * 2, **key)
                tally.note("answers of the API", f"{see.name} {address} {command}", differences(*answers))
    for path in ("/nothing", "/participants?limit=0", "/participants?limit=1", "/participants?offset=1"):
        tally.note("answers of the API", f"{see.name} {path}", see.compared(API + path))
    stranger = worlds.anybody("program without a token", "staff")
    tally.note("answers of the API", stranger.name, stranger.compared(f"{API}/participants"))
    return tally


def _addresses(path: str, people: Sequence[str], see: Pair) -> list[str]:
    """A described path with its placeholders filled in."""
    path = path.replace("{study}", STUDY)
    if "{code}" in path:
        return [path.replace("{code}", code) for code in (*people, NOBODY)]
    if "{name}" in path:
        listed = see.get(f"{API}/views")[0]
        names = listed.json() if listed.status_code == 200 else ["form", "disposition"]
        return [path.replace("{name}", name) for name in (*names, "allocation")]
    return [path]


def a_command(worlds: Worlds) -> Tally:
    """A command that a program gives, the same again, and the pages afterwards."""
    tally, see = Tally(), worlds.program(Role.STUDY_NURSE)
    rows = see.get(f"{API}/participants")[0].json()["rows"]
    person = next(row["participant"] for row in rows if row["participant"] in worlds.people)
    visit = {"command": {"participant": person, "encounter": "unscheduled_66", "date": UNTIL.date().isoformat()}}
    for repeated in (False, True):
        key = {"Idempotency-Key": "two-worlds-visit"}
        answers = see.ask("POST", f"{API}/commands/RecordVisit", "", [{"json": visit}] * 2, **key)
        assert (answers[0].status_code, answers[0].json()["repeated"]) == (200, repeated), answers[0].text
        tally.note("answers of the API", f"{see.name} RecordVisit", differences(*answers))
    nurse = worlds.role(Role.STUDY_NURSE)
    for path in ("", f"participants/{person}/", f"downloads/audit-trail/?participant={person}"):
        tally.note("pages", f"{nurse.name} {path}", nurse.compared(f"/{STUDY}/{path}"))
    return tally


def own_pages(worlds: Worlds, code: str, *, each_kind: int = EVERY) -> Tally:
    """Everything that a participant sees, and a wrong password."""
    see = worlds.participant(code)
    tally = crawl(see, "/me/", each_kind=each_kind, posting=True)
    stranger = worlds.anybody(f"stranger as {code}", "public")
    wrong = stranger.send("/me/enter", {"number": code, "secret": "wrong"})
    tally.note("refusals", stranger.name, differences(*wrong))
    return tally


def emergency(worlds: Worlds, *, each_kind: int = EVERY) -> Tally:
    """The closed process, as an investigator who is about to unblind, up to the reveal."""
    see = worlds.role(Role.INVESTIGATOR, "closed")
    tally = crawl(see, EMERGENCY, each_kind=each_kind, posting=True)
    page = see.get(EMERGENCY)[0].text
    offered = [code for code in worlds.people if f'value="{code}"' in page]
    assert offered
    for code in (*offered, NOBODY):
        path = f"{EMERGENCY}?participant={code}"
        tally.note("pages", f"{see.name} {path}", see.compared(path))
        wrong = {"participant": code, "reason": "for care", "password": "wrong"}
        for path in (EMERGENCY, f"{EMERGENCY}/envelope"):
            answers = see.send(path, wrong)
            assert answers[0].status_code in (409, 422), answers[0].status_code
            tally.note("forms sent", f"{see.name} POST {path} {code}", differences(*answers))
    for path in ("laboratory", "laboratory/allocations", "laboratory/unblinding", "downloads/", "participants/"):
        answers = see.get(f"/{STUDY}/{path}")
        assert answers[0].status_code == 403, (path, answers[0].status_code)
        tally.note("refusals", f"{see.name} {path}", differences(*answers))
    return tally


def without_business(worlds: Worlds, role: Role) -> Tally:
    """The closed process, as a blinded role that has nothing to do there."""
    tally, see = Tally(), worlds.role(role, "closed")
    people = [f"participants/{code}/" for code in (*worlds.people, NOBODY)]
    for path in ("", "laboratory", "laboratory/emergency", "laboratory/allocations", *people):
        answers = see.get(f"/{STUDY}/{path}")
        assert answers[0].status_code in (302, 403, 404), (see.name, path, answers[0].status_code)
        tally.note("refusals", f"{see.name} {path}", differences(*answers))
    return tally


def files(worlds: Worlds, roles: Sequence[Role], *, wanted: Sequence[str] = ()) -> tuple[Tally, dict[str, bool]]:
    """What the worker makes for blinded roles; and fault of the worker → whether it was reported.

    Args:
        wanted: of what the pages offer; everything by default.
    """
    tally, honest = Tally(), 0
    seen = [see for role in roles if offered(see := worlds.role(role))]
    for see in seen:
        for name in [name for name in offered(see) if name in wanted or not wanted]:
            ask_for(see, name)
            honest += 1
    for _ in FILE_FAULTS:
        ask_for(seen[-1], "views.csv")
    for folder in worlds.folders:
        run(folder, "staff", str(CAMPAIGNS / "leaky_worker.py"), "files", str(honest), *FILE_FAULTS)
    found = [(see, name, what) for see in seen for name, what in fetched(see)]
    for see, name, what in found[: -len(FILE_FAULTS)]:
        tally.note("files", f"{see.name} {name}", what)
    assert tally.compared["files"] == honest + len(seen), tally
    reported = {}
    for fault, (_, link, what) in zip(FILE_FAULTS, found[-len(FILE_FAULTS) :], strict=True):
        reported[fault] = bool(what)
        for folder in worlds.folders:
            (folder / "files" / "staff" / Path(link).name).unlink()  # whoever follows links would find it again
    return tally, reported


def offered(see: Pair) -> list[str]:
    """Files that somebody can ask for."""
    forms = read(_downloads(see)[0]).forms
    return [value for form in forms for name, value, _ in form.buttons if name == "wanted"]


def _downloads(see: Pair) -> Answers:
    return see.get(f"/{STUDY}/downloads/")


def ask_for(see: Pair, name: str) -> None:
    """Ask the worker for a file."""
    pages = _downloads(see)
    fields = [
        dict(form.fields) for answer in pages for form in read(answer).forms if "request_id" in dict(form.fields)
    ]
    answers = see.ask("POST", f"/{STUDY}/downloads/", "", [{"data": {**own, "wanted": name}} for own in fields])
    assert answers[0].status_code == 302, (name, answers[0].status_code)


def fetched(see: Pair) -> list[tuple[str, list[str]]]:
    """Every finished file of somebody, the oldest first, and what differs."""
    lists = [re.findall(r"/downloads/files/\d+\.zip", answer.text) for answer in _downloads(see)]
    found = [("list of files", [] if lists[0] == lists[1] else [f"{lists}"])]
    for link in sorted(set(lists[0]), key=lambda one: int(re.findall(r"\d+", one)[0])):
        answers = see.get(f"/{STUDY}{link}")
        assert answers[0].status_code == 200, (link, answers[0].status_code)
        found.append((link, differences(*answers)))
    return found


def mails(worlds: Worlds) -> tuple[Tally, dict[str, bool]]:
    """Mails about the whole record; and fault of a worker that sends them → whether it was reported."""
    for folder in worlds.folders:
        run(folder, "staff", str(CAMPAIGNS / "leaky_worker.py"), "mails", str(folder))

    def sent(name: str) -> list[bytes]:
        return [(folder / f"{name}.mails").read_bytes() for folder in worlds.folders]

    one, other = sent("honest")
    tally = Tally()
    for number in range(max(1, one.count(b"Subject: "))):
        tally.note("mails", f"mail {number}", ["differs"] if number == 0 and one != other else [])
    assert one, "nobody is told of anything, so nothing is proven"
    return tally, {fault: len(set(sent(fault))) == 2 for fault in MAIL_FAULTS}


PLACES = ("staff", "staff, refused", "api", "closed", "closed, refused", "participant", "participant, refused")


def place(worlds: Worlds, name: str) -> Callable[[str], Answers]:
    """What somebody does at a place where the faults of an answer are planted: fault → the answers."""
    if name == "staff":
        see = worlds.role(Role.STUDY_NURSE)
        return lambda fault: see.get(f"/{STUDY}/downloads/", fault)
    if name == "staff, refused":
        see = worlds.role(Role.STUDY_NURSE)
        path = f"/{STUDY}/api/tokens/"
        return lambda fault: see.send(path, {"name": "", "days": "0"}, fault)
    if name == "api":
        see = worlds.program(Role.STUDY_NURSE)
        return lambda fault: see.get(f"{API}/participants", fault)
    if name == "closed":
        see = worlds.role(Role.INVESTIGATOR, "closed")
        return lambda fault: see.get(EMERGENCY, fault)
    if name == "closed, refused":
        see = worlds.role(Role.INVESTIGATOR, "closed")
        wrong = {"participant": worlds.people[0], "reason": "for care", "password": "wrong"}
        return lambda fault: see.send(EMERGENCY, wrong, fault)
    see = worlds.participant(worlds.people[0])
    if name == "participant":
        return lambda fault: see.get("/me/", fault)
    return lambda fault: see.send("/me/stop/", {}, fault)


NOT_THERE = {
    "staff, refused": {"order_of_rows", "request_id"},
    "api": {"link", "request_id"},
    "participant": {"order_of_rows", "request_id"},
    "participant, refused": {"order_of_rows", "request_id"},
}
"""Faults of what a place's answer does not have: JSON has no links, a page without an act no request id."""


def planted(worlds: Worlds, name: str) -> dict[str, bool]:
    """Fault at a place → whether it was reported; honest answers must be equal."""
    do = place(worlds, name)
    assert differences(*do("")) == [], name
    return {fault: bool(differences(*do(fault))) for fault in FAULTS if fault not in NOT_THERE.get(name, ())}


# --- the campaign ---------------------------------------------------------------------------------------------------


def parts(worlds: Worlds, limit: int) -> Iterator[tuple[str, Callable[[], Tally]]]:
    """Everything that is asked, in this order."""
    for role in BLINDED:
        yield f"API, {role.value}", partial(api, worlds, role)
    yield "a command", partial(a_command, worlds)
    for role in BLINDED:
        yield f"refusals, {role.value}", partial(refusals, worlds, role)
    yield "emergency", partial(emergency, worlds, each_kind=limit)
    for role in BLINDED:
        if role is not Role.INVESTIGATOR:
            yield f"closed, {role.value}", partial(without_business, worlds, role)
    for code in worlds.people:
        yield f"/me/, {code}", partial(own_pages, worlds, code, each_kind=limit)
    for role in BLINDED:
        yield f"pages, {role.value}", partial(pages, worlds, role, each_kind=limit)


def main(participants: str = "3", seed: str = "2", each_kind: str = str(EVERY)) -> int:
    """Command line."""
    whole, faults = Tally(), dict[str, bool]()

    def told(name: str, tally: Tally) -> None:
        whole.add(tally)
        said = ", ".join(f"{number:,} {what}" for what, number in sorted(tally.compared.items()))
        print(f"{name}: {said}; {len(tally.differences)} differences", flush=True)
        for difference in tally.differences[:10]:
            print(f"  {difference}", flush=True)

    with (
        tempfile.TemporaryDirectory() as home,
        two_worlds(Path(home), participants=int(participants), seed=int(seed)) as worlds,
    ):
        for name in PLACES:
            faults |= {f"{name}: {fault}": seen for fault, seen in planted(worlds, name).items()}
        for name, part in (("mails", mails), ("files", partial(files, roles=BLINDED))):
            tally, found = part(worlds)
            told(name, tally)
            faults |= {f"{name}: {fault}": seen for fault, seen in found.items()}
        for name, ask in parts(worlds, int(each_kind)):
            told(name, ask())
    missed = [fault for fault, seen in faults.items() if not seen]
    print(f"in all: {', '.join(f'{number:,} {what}' for what, number in sorted(whole.compared.items()))}")
    print(f"{len(whole.differences)} differences; {len(faults)} faults planted, {len(missed)} missed {missed or ''}")
    return 1 if whole.differences or missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
