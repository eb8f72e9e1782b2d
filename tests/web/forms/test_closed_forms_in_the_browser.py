"""A form of the closed space from its first value to its signature, in the closed process; nothing of it outside."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import httpx
import pytest

from trialwright_web.config.demo import PASSWORD

P = "/smart-ms/participants/NO-01-002"
SYRINGE = f"{P}/log/syringe/1/"
WORDS = ("syringe", "What was in the syringe", "Measured twice", "A large syringe", "Which syringe")


@pytest.fixture(scope="module")
def physician(serve: Any) -> httpx.Client:
    return serve("closed").client("injecting_physician.01", "smart-ms:injecting_physician@01")


@pytest.fixture(scope="module")
def monitor(serve: Any) -> httpx.Client:
    return serve("closed").client("unblinded_monitor.1", "smart-ms:unblinded_monitor@")


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', text)
    assert found, f"no field {name} in the page"
    return unescape(found[1])


def send(client: httpx.Client, address: str, act: str, fields: dict[str, str] | None = None) -> httpx.Response:
    """What the page at the address sends when a button is pressed, with fields filled in."""
    page = client.get(address)
    assert page.status_code == 200, page.text[:500]
    basic = {name: hidden(page.text, name) for name in ("csrfmiddlewaretoken", "version", "request_id")}
    return client.post(address.partition("?")[0], data={**basic, "act": act, **(fields or {})})


def sign(client: httpx.Client) -> httpx.Response:
    page = client.get(f"{SYRINGE}sign/")
    names = ("csrfmiddlewaretoken", "request_id", "shown.log.syringe.1")
    data = {name: hidden(page.text, name) for name in names} | {"password": PASSWORD}
    return client.post(f"{SYRINGE}sign/", data=data, headers={"Referer": str(page.url)})


def tasks(client: httpx.Client) -> str:
    return client.get("/smart-ms/").text


def test_filled_asked_answered_signed_verified_and_voided(
    serve: Any, acts: Any, physician: httpx.Client, monitor: httpx.Client
) -> None:
    send(physician, SYRINGE, "save", {"v.volume": "9"})
    asked = physician.get(f"{SYRINGE}?field=volume").text
    assert 'value="confirm:1"' in asked
    assert "What was in the syringe" in tasks(physician)
    about = {"query.1": hidden(asked, "query.1"), "text.1": "A large syringe.", "item.1": "volume"}
    confirmed = send(physician, SYRINGE, "confirm:1", about)
    assert "A large syringe." in confirmed.text
    remarked = send(physician, SYRINGE, "comment:volume", {"text.comment": "Measured twice."})
    assert "Measured twice." in remarked.text

    listed = monitor.get("/smart-ms/queries?form=syringe&status=all").text
    assert "A large syringe." in listed
    settled = acts.send(monitor, f"/smart-ms/queries/NO-01-002/{about['query.1']}/close")
    assert not acts.refusal(settled)
    questioned = send(monitor, f"{SYRINGE}?field=volume", "ask:volume", {"text.ask": "Which syringe?"})
    assert questioned.status_code == 200, questioned.text[:500]
    assert 'name="password"' not in physician.get(f"{SYRINGE}sign/").text, "a query is open"

    page = physician.get(SYRINGE).text
    about = {"query.1": hidden(page, "query.1"), "text.1": "The large one.", "item.1": "volume"}
    send(physician, SYRINGE, "answer:1", about)
    signed = sign(physician)
    assert signed.url.params["done"] == "signed", signed.text[:500]
    assert "signed by injecting_physician.01" in signed.text

    verify = "/smart-ms/verification/NO-01-002/log/syringe/1"
    page = monitor.get(verify)
    data = {name: hidden(page.text, name) for name in ("csrfmiddlewaretoken", "request_id")}
    answer = monitor.post(verify, data={**data, "item": "volume"}, headers={"Referer": str(page.url)})
    assert "1 value is verified" in answer.text
    assert "verified against source" in physician.get(SYRINGE).text

    changed = send(physician, SYRINGE, "save", {"v.volume": "3", "reason": "misread"})
    assert "fell: data changed after it" in changed.text
    assert "verified against source" not in changed.text
    voided = send(physician, SYRINGE, "void", {"reason.whole": "other participant"})
    assert voided.url.params["done"] == "voided"
    left = send(physician, SYRINGE, "leave_out:not_done", {"reason.whole": "no syringe"})
    assert left.url.params["done"] == "not_done"


def test_a_monitor_who_knows_the_arm_changes_nothing_on_the_form(monitor: httpx.Client) -> None:
    page = monitor.get(SYRINGE).text
    assert 'value="save"' not in page
    assert send(monitor, SYRINGE, "void", {"reason.whole": "x"}).status_code == 409
    assert monitor.get(f"{SYRINGE}sign/").status_code == 403


def test_nothing_of_it_is_told_in_the_staff_process(serve: Any) -> None:
    staff = serve("staff")
    for person, desk in (
        ("study_nurse.01", "smart-ms:study_nurse@01"),
        ("monitor.1", "smart-ms:monitor@"),
        ("data_manager.1", "smart-ms:data_manager@"),
    ):
        client = staff.client(person, desk)
        for path in (
            "/smart-ms/",
            "/smart-ms/queries?status=all",
            f"{P}/",
            f"{P}/log/",
            "/smart-ms/verification/NO-01-002",
        ):
            page = client.get(path)
            told = [word for word in WORDS if word in page.text]
            assert told == [], (person, path)
        for path in (
            SYRINGE,
            f"{SYRINGE}sign/",
            f"{SYRINGE}margin/volume/",
            "/smart-ms/verification/NO-01-002/log/syringe/1",
        ):
            assert client.get(path).status_code in (403, 404), (person, path)
