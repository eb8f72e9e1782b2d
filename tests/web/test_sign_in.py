"""Signing in: the door to every desk."""

from __future__ import annotations

import re


def test_somebody_with_one_desk_in_a_study_is_led_to_their_tasks(serve, visit):
    page = visit(serve("staff"), "/smart-ms/", "study_nurse.01")
    assert page.url.endswith("/smart-ms/")
    assert page.locator("h1").inner_text() == "My tasks"


def test_nobody_reaches_a_desk_without_signing_in(serve):
    answer = serve("staff").client().get("/smart-ms/")
    assert answer.url.path == "/accounts/login/"


def test_the_closed_process_has_no_desk_for_a_blinded_role(serve):
    answer = serve("closed").client("study_nurse.01").get("/smart-ms/")
    assert answer.status_code in (403, 404)


def test_the_staff_process_has_no_desk_for_a_role_that_knows_the_arm(serve):
    answer = serve("staff").client("cell_laboratory.1").get("/smart-ms/")
    assert answer.status_code in (403, 404)


def test_every_answer_forbids_inline_script_and_third_parties(serve):
    answer = serve("staff").client().get("/accounts/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_page_of_the_second_factor_can_be_opened(serve):
    client = serve("staff").client("study_nurse.01")
    for page in ("", "totp/activate/", "recovery-codes/generate/", "webauthn/", "webauthn/add/"):
        assert client.get(f"/accounts/2fa/{page}").status_code == 200, page


def test_a_form_of_a_password_says_what_is_wrong_beside_its_field_and_offers_no_mailed_one(serve):
    client = serve("staff").client("study_nurse.01")
    page = client.get("/accounts/password/change/")
    assert "password/reset" not in page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    given = {"csrfmiddlewaretoken": token, "oldpassword": "wrong", "password1": "short", "password2": "short"}
    answer = client.post("/accounts/password/change/", data=given)
    described = dict(re.findall(r'<input[^>]* aria-describedby="([^"]*)"[^>]* id="(id_\w+)"', answer.text))
    assert sorted(described.values()) == ["id_oldpassword", "id_password1"]
    for names in described:
        assert all(f'id="{name}"' in answer.text for name in names.split())
