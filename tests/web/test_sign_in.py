"""Signing in: the door to every desk."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from trialwright_web.config.demo import PASSWORD


@pytest.fixture(scope="module")
def staff(serve):
    """The staff's process as it is, its passwords as slow as they are meant to be."""
    return serve("staff", application="trialwright_web.config.wsgi:application")


def test_somebody_with_one_desk_in_a_study_is_led_to_their_tasks(staff, visit):
    page = visit(staff, "/smart-ms/")
    assert "/accounts/login/" in page.url
    page.fill("#id_login", "study_nurse.01")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile("/smart-ms/$"))
    assert page.url.endswith("/smart-ms/")
    assert page.locator("h1").inner_text() == "My tasks"


def test_a_password_is_hashed_with_two_rounds_over_a_hundred_megabytes_and_a_weaker_hash_goes_at_the_next_sign_in(
    staff,
):
    def hashed():
        with closing(sqlite3.connect(staff.folder / "staff.db")) as connection:
            (found,) = connection.execute("SELECT password FROM accounts_account WHERE username = 'study_nurse.02'")
        return found[0]

    assert hashed().startswith("argon2$argon2id$v=19$m=8,t=1,p=1$")
    staff.client("study_nurse.02")
    assert hashed().startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")


def test_nobody_reaches_a_desk_without_signing_in(staff):
    answer = staff.client().get("/smart-ms/")
    assert answer.url.path == "/accounts/login/"


def test_the_closed_process_has_no_desk_for_a_blinded_role(serve):
    answer = serve("closed").client("study_nurse.01").get("/smart-ms/")
    assert answer.status_code in (403, 404)


def test_the_staff_process_has_no_desk_for_a_role_that_knows_the_arm(staff):
    answer = staff.client("cell_laboratory.1").get("/smart-ms/")
    assert answer.status_code in (403, 404)


def test_every_answer_forbids_inline_script_and_third_parties(staff):
    answer = staff.client().get("/accounts/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_page_of_the_second_factor_can_be_opened(staff):
    client = staff.client("study_nurse.01")
    for page in ("", "totp/activate/", "recovery-codes/generate/", "webauthn/", "webauthn/add/"):
        assert client.get(f"/accounts/2fa/{page}").status_code == 200, page


def test_a_form_of_a_password_says_what_is_wrong_beside_its_field_and_offers_no_mailed_one(staff):
    client = staff.client("study_nurse.01")
    page = client.get("/accounts/password/change/")
    assert "password/reset" not in page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    given = {"csrfmiddlewaretoken": token, "oldpassword": "wrong", "password1": "short", "password2": "short"}
    answer = client.post("/accounts/password/change/", data=given)
    described = dict(re.findall(r'<input[^>]* aria-describedby="([^"]*)"[^>]* id="(id_\w+)"', answer.text))
    assert sorted(described.values()) == ["id_oldpassword", "id_password1"]
    for names in described:
        assert all(f'id="{name}"' in answer.text for name in names.split())
