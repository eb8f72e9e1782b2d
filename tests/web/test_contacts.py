"""Who a participant is lies sealed under the key of the site: its staff write, and read with its passphrase."""

from __future__ import annotations

import base64
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from trialwright.stores import open_store
from trialwright.trial.enrolment.views import DISPOSITION

STUDY = "smart-ms"
HOME = f"/{STUDY}/contacts/"
NURSE = ("study_nurse.01", f"{STUDY}:study_nurse@01")
PASSPHRASE = "seven quiet boats in June"
PERSON = {
    "name": "Ærlend Ødegård-Nøstvik",
    "address": "Fjordgløttvegen 217\n5099 Bergen",
    "telephone": "+47 55 90 31 77",
    "email": "aerlend@example.org",
    "national_id": "01019012344",
}
CORRECTED = "+47 55 90 42 88"


def post(client, address, page=None, /, **fields):
    """Send a form of a page, with its token; a page that asks again is answered, too."""
    page = page or client.get(address)
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {**fields, "csrfmiddlewaretoken": token}
    return client.post(address, data=form, headers={"Referer": str(page.url)})


def unlock(client, passphrase=PASSPHRASE, wanted=HOME):
    return post(client, f"{HOME}open", passphrase=passphrase, next=wanted)


def second_worker(server, client):
    """The same browser at another process of the application."""
    other = server.client()
    for cookie in client.cookies.jar:
        other.cookies.set(cookie.name, cookie.value, path=cookie.path)
    return other


@pytest.fixture(scope="module")
def codes(installation):
    """Two participants of site 01 and one of site 02."""
    with open_store(f"sqlite:///{installation}/{STUDY}.db") as store:
        own = [row["participant"] for row in store.rows.where(DISPOSITION, site="01")]
        other = [row["participant"] for row in store.rows.where(DISPOSITION, site="02")]
    return own[0], own[1], other[0]


@pytest.fixture(scope="module")
def staff(serve):
    """A staff process where site 01 has a key."""
    server = serve("staff")
    made = post(server.client(*NURSE), f"{HOME}key", passphrase=PASSPHRASE, again=PASSPHRASE)
    assert made.status_code == 200, made.text[:500]
    return server


def spellings(text):
    """A text as a dump might hold it."""
    for raw in (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("latin-1")):
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for shift in range(3):  # base64 of a text inside a longer one, at each of its three places
            encoded = base64.b64encode(b"\0" * shift + raw)
            yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]


def test_a_contact_is_entered_locked_opened_and_corrected(staff, codes, acts):
    client = staff.client(*NURSE)
    address = f"{HOME}participant/{codes[0]}"
    # Entering needs no passphrase; reading does.
    entered = post(client, address, **PERSON)
    assert 'name="passphrase"' in entered.text
    assert not any(text in entered.text for text in PERSON.values())
    opened = unlock(client, wanted=address)
    assert str(opened.url).endswith(address)
    for text in PERSON.values():
        assert all(line in acts.words(opened) for line in text.splitlines())
    assert PERSON["name"] in client.get(HOME).text
    # A correction of what was shown replaces it; one of what somebody else replaced meanwhile does not.
    shown = re.search(r'name="revision" value="(\d+)"', opened.text)[1]
    changed = {**PERSON, "telephone": CORRECTED, "revision": shown}
    corrected = post(client, address, opened, **changed)
    assert CORRECTED in corrected.text
    assert PERSON["telephone"] not in corrected.text
    late = post(client, address, corrected, **{**changed, "telephone": "+47 00"})
    assert (late.status_code, acts.refusal(late)) == (409, "web.contact_changed")
    assert "+47 00" in late.text  # nothing typed is lost
    assert CORRECTED in client.get(address).text


def test_what_cannot_be_kept_is_refused_and_stands_in_the_form(staff, codes, acts):
    client = staff.client(*NURSE)
    address = f"{HOME}participant/{codes[1]}"
    nameless = post(client, address, **{**PERSON, "name": " "})
    assert (nameless.status_code, acts.refusal(nameless)) == (422, "web.contact_unfit")
    assert PERSON["telephone"] in nameless.text
    long = post(client, address, **{**PERSON, "national_id": "9" * 41})
    assert (long.status_code, acts.refusal(long)) == (422, "web.contact_unfit")


def test_the_longest_contact_has_the_length_of_the_shortest(staff, installation, codes):
    client = staff.client(*NURSE)
    longest = {"name": 200, "address": 500, "telephone": 60, "email": 200, "national_id": 40}
    assert post(client, f"{HOME}new", **{name: "\x01" * n + "x" for name, n in longest.items()}).status_code == 422
    assert (
        post(client, f"{HOME}new", **{n: "a" + "\x01" * (m - 2) + "b" for n, m in longest.items()}).status_code == 200
    )
    assert post(client, f"{HOME}new", name="a").status_code == 200
    with closing(sqlite3.connect(installation / "identity.db")) as database, database:
        lengths = {length for (length,) in database.execute("SELECT length(sealed) FROM participant_contact")}
    assert len(lengths) == 1


def test_no_database_holds_what_was_typed_or_the_passphrase(staff, installation, codes):
    client = staff.client(*NURSE)
    unlock(client)  # the session lies in the database of accounts now
    client.get(f"{HOME}participant/{codes[0]}")
    dumps = {path.name: path.read_bytes() for path in installation.iterdir() if path.is_file()}
    assert len(dumps["identity.db"]) > 0
    wanted = {*PERSON.values(), "Ødegård-Nøstvik", "Fjordgløttvegen", CORRECTED, PASSPHRASE, "quiet boats"}
    for name, dump in dumps.items():
        for text in wanted:
            assert not any(spelled in dump for spelled in spellings(text)), (name, text)


def test_the_search_would_find_a_text_in_every_spelling():
    text = PERSON["telephone"]
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        raw = b'{"telephone":"' + text.encode(encoding) + b'"} and more'
        for dump in (raw, raw.hex().encode(), base64.b64encode(raw)):
            assert any(spelled in dump for spelled in spellings(text))


def test_signing_out_and_closing_lock_again_on_every_worker(staff, server_on, codes):
    other = server_on(staff.folder, "staff")
    try:
        client = staff.client(*NURSE)
        address = f"{HOME}participant/{codes[0]}"
        unlock(client)
        elsewhere = second_worker(other, client)
        # Any worker reads with the cookie; without it, none.
        assert PERSON["name"] in elsewhere.get(address).text
        bare = second_worker(other, client)
        bare.cookies.delete("trialwright_staff_contacts")
        assert PERSON["name"] not in bare.get(address).text
        bare.cookies.set("trialwright_staff_contacts", "A" * 43 + "=", path=HOME)
        assert PERSON["name"] not in bare.get(address).text
        post(client, f"{HOME}close", client.get(HOME))
        assert PERSON["name"] not in elsewhere.get(address).text
        unlock(client)
        again = second_worker(other, client)
        assert PERSON["name"] in again.get(address).text
        post(client, "/accounts/logout/")
        client.get("/accounts/login/")
        # Whoever kept both cookies has nothing to open any more.
        assert PERSON["name"] not in again.get(address).text
        assert PERSON["name"] not in staff.client(*NURSE).get(address).text
    finally:
        other.stop()


def test_the_cookie_is_of_these_pages_alone_and_out_of_reach_of_scripts(staff):
    client = staff.client(*NURSE)
    page = client.get(f"{HOME}open")
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    for wanted in (HOME, "https://example.org/", "//example.org/", f"/\\example.org{HOME}"):
        form = {"passphrase": PASSPHRASE, "next": wanted, "csrfmiddlewaretoken": token}
        answer = client.post(f"{HOME}open", data=form, headers={"Referer": str(page.url)}, follow_redirects=False)
        assert answer.headers["Location"] == HOME
    (cookie,) = [
        one for one in answer.headers.get_list("set-cookie") if one.startswith("trialwright_staff_contacts=")
    ]
    assert {"HttpOnly", "SameSite=Strict", f"Path={HOME}"} <= {part.strip() for part in cookie.split(";")}
    assert "expires" not in cookie.lower()


def test_the_key_file_is_given_once_and_opens_with_the_passphrase(staff, acts):
    from trialwright.sealing import KeyPurpose, read_key

    client = staff.client(*NURSE)
    page = client.get(f"{HOME}key")
    assert "Whoever loses the passphrase loses every contact" in acts.words(page)
    file = post(client, f"{HOME}key/file", page)
    assert "attachment" in file.headers["Content-Disposition"]
    assert read_key(file.content, PASSPHRASE).purpose is KeyPurpose.IDENTITY
    again = post(client, f"{HOME}key/file", client.get(HOME))
    assert "Content-Disposition" not in again.headers
    assert "Fetch the key file" not in acts.words(again)


def test_a_key_is_made_once_under_a_long_passphrase_typed_twice(staff, acts):
    investigator = staff.client("investigator.02", f"{STUDY}:investigator@02")
    page = investigator.get(f"{HOME}key")
    for passphrase, again in (("thirteen char", "thirteen char"), (PASSPHRASE, PASSPHRASE + ".")):
        refused = post(investigator, f"{HOME}key", page, passphrase=passphrase, again=again)
        assert (refused.status_code, acts.refusal(refused)) == (422, "web.passphrase_unfit")
    client = staff.client(*NURSE)
    second = post(
        client, f"{HOME}key", client.get(HOME), passphrase="another long passphrase", again="another long passphrase"
    )
    assert (second.status_code, acts.refusal(second)) == (409, "web.site_key_exists")
    assert unlock(client).status_code == 200


def test_other_sites_and_other_roles_reach_nothing(staff, codes):
    own, _second, other = codes
    nurse = staff.client(*NURSE)
    assert nurse.get(f"{HOME}participant/{other}").status_code == 404
    elsewhere = staff.client("study_nurse.02", f"{STUDY}:study_nurse@02")
    assert elsewhere.get(f"{HOME}participant/{own}").status_code == 404
    assert own not in elsewhere.get(HOME).text
    for person in ("sponsor.1", "monitor.1", "data_manager.1"):
        client = staff.client(person)
        for address in ("", "key", "open", "new", f"participant/{own}"):
            assert client.get(HOME + address).status_code == 403, (person, address)


def test_somebody_waits_and_becomes_a_participant_or_is_forgotten(staff, installation, codes, acts):
    client = staff.client(*NURSE)
    waits = post(client, f"{HOME}new", **PERSON)
    assert "/waiting/" in str(waits.url)
    address = str(waits.url)
    taken = post(client, f"{address}/attach", client.get(HOME), participant=codes[0])
    assert acts.refusal(taken) == "web.contact_changed"
    assert post(client, f"{address}/attach", client.get(HOME), participant=codes[2]).status_code == 404
    joined = post(client, f"{address}/attach", client.get(HOME), participant=codes[1])
    assert str(joined.url).endswith(f"{HOME}participant/{codes[1]}")
    unlock(client)
    assert PERSON["name"] in client.get(f"{HOME}participant/{codes[1]}").text
    assert client.get(address).status_code == 404


def test_wrong_passphrases_are_refused_and_counted(staff, acts):
    # Last of the file's tests that open the key: the site's is locked for five minutes afterwards.
    client = staff.client(*NURSE)
    for _ in range(5):
        wrong = unlock(client, "not the passphrase")
        assert (wrong.status_code, acts.refusal(wrong)) == (409, "web.passphrase_refused")
    right = unlock(client)
    assert (right.status_code, acts.refusal(right)) == (409, "web.passphrase_refused")
    assert "too many tries" in acts.words(right).lower()


def test_the_worker_forgets_who_became_no_participant(staff, installation):
    import os
    import subprocess
    import sys

    from trialwright_web.config.demo import environment

    client = staff.client(*NURSE)
    kept = str(post(client, f"{HOME}new", **PERSON).url).rpartition("/")[2]
    old = str(post(client, f"{HOME}new", **PERSON).url).rpartition("/")[2]
    before = (datetime.now(UTC) - timedelta(days=31)).strftime("%Y-%m-%d %H:%M:%S")
    with closing(sqlite3.connect(installation / "identity.db")) as database, database:
        database.execute("UPDATE participant_contact SET entered_at = ? WHERE id = ?", (before, old))
    one_round = (
        "import django; django.setup()\n"
        "from trialwright.foundation.operating_system import SystemClock\n"
        "from trialwright_web.config.worker import Worker\n"
        "worker = Worker(SystemClock()); worker._forget()\n"
    )
    own = {**os.environ, **environment(installation, "staff")}
    subprocess.run([sys.executable, "-c", one_round], env=own, check=True)
    with closing(sqlite3.connect(installation / "identity.db")) as database, database:
        left = {number for (number,) in database.execute("SELECT id FROM participant_contact")}
        joined = database.execute("SELECT count(*) FROM participant_contact WHERE participant IS NOT NULL").fetchone()
    assert kept in left
    assert old not in left
    assert joined[0] >= 1


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_have_no_barriers(staff, visit, codes, width):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(staff, HOME, NURSE[0], width=width)
    for address in (HOME, f"{HOME}key", f"{HOME}open", f"{HOME}new", f"{HOME}participant/{codes[0]}"):
        page.goto(address)
        assert page.url.endswith(address), page.url
        assert Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == []
