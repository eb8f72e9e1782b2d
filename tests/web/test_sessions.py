"""Sessions on real servers: time-out, lock-out by user and by address, the second factor, both components to sign."""

from __future__ import annotations

import base64
import hmac
import inspect
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import httpx
import pytest

from trialwright_web.config.demo import PASSWORD, environment

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NEW_PASSWORD = "quite another password 7"


def program(folder, text, *arguments):
    """A program in the application's environment; what it printed."""
    own = {**os.environ, **environment(folder, "staff")}
    command = [sys.executable, "-c", "import sys, django; django.setup()\n" + text, *arguments]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def code_now(drift=0):
    """What an authenticator shows (RFC 6238)."""
    digest = hmac.new(base64.b32decode(SECRET), struct.pack(">Q", int(time.time()) // 30 + drift), "sha1").digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def token_on(page):
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def posted(client, address, **form):
    """A form sent from its page."""
    return client.post(address, data={**form, "csrfmiddlewaretoken": token_on(client.get(address))})


@pytest.fixture(scope="module")
def strict(rehearsed, server_on, tmp_path_factory):
    """A server that demands the second factor; a nurse has an authenticator, everybody else nothing yet."""
    folder = tmp_path_factory.mktemp("strict") / "demo"
    shutil.copytree(rehearsed, folder)
    program(
        folder,
        "from allauth.mfa.totp.internal.auth import TOTP\nfrom trialwright_web.accounts.models import Account\n"
        "for person in ('study_nurse.01', 'investigator.01', 'study_nurse.03'):\n"
        "    TOTP.activate(Account.objects.get(username=person), sys.argv[1])",
        SECRET,
    )
    server = server_on(folder, "staff", TRIALWRIGHT_SECOND_FACTOR="required")
    yield server
    server.stop()


@pytest.fixture
def browser(strict):
    clients = []

    def make(**headers):
        headers = {"Referer": strict.address, **headers}
        clients.append(httpx.Client(base_url=strict.address, follow_redirects=True, timeout=60, headers=headers))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_a_password_alone_opens_nothing_where_a_factor_is_set_up(browser):
    client = browser()
    page = posted(client, "/accounts/login/", login="study_nurse.01", password=PASSWORD)
    assert page.url.path == "/accounts/2fa/authenticate/"
    assert client.get("/smart-ms/").url.path.startswith("/accounts/")
    assert posted(client, "/accounts/2fa/authenticate/", code="000000").url.path == "/accounts/2fa/authenticate/"
    assert client.get("/smart-ms/").url.path.startswith("/accounts/")
    posted(client, "/accounts/2fa/authenticate/", code=code_now())
    assert client.get("/smart-ms/").url.path == "/smart-ms/"


def test_a_code_works_once(browser):
    codes = []
    for _ in "ab":
        client = browser()
        posted(client, "/accounts/login/", login="study_nurse.03", password=PASSWORD)
        codes.append(codes[0] if codes else code_now())
        page = posted(client, "/accounts/2fa/authenticate/", code=codes[-1])
    assert page.url.path == "/accounts/2fa/authenticate/"


def test_somebody_without_a_factor_reaches_only_the_page_that_sets_one_up(browser):
    client = browser()
    posted(client, "/accounts/login/", login="monitor.1", password=PASSWORD)
    for path in ("/smart-ms/", "/", "/smart-ms/downloads/audit-trail.csv", "/smart-ms/api/tokens/"):
        assert client.get(path).url.path in ("/accounts/2fa/totp/activate/", "/accounts/reauthenticate/"), path


def test_the_first_signature_of_a_session_takes_both_components_and_the_next_the_password(strict):
    """Signing as its code runs it, over a session of the database."""
    text = """
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory
from trialwright_web.accounts.models import Account
from trialwright_web.shell.desk import desk_of
from trialwright_web.shell.signing import SignatureRefused, needs_code, sign
account = Account.objects.get(username="investigator.01")
desk = desk_of(account, "smart-ms", "investigator@01")
session = SessionStore()
def tried(**form):
    request = RequestFactory().post("/", form); request.user = account; request.session = session
    try:
        given = sign(request, desk, "sign_form", "ab" * 32)
    except SignatureRefused as refused:
        return f"refused({refused.message})"
    return f"{given.person} {given.meaning} {given.shown[:4]}"
def asks():
    request = RequestFactory().get("/"); request.user = account; request.session = session
    return needs_code(request) or "nothing more"
(password,) = sys.argv[1:]
print(asks())
print(tried(password=password))
print(tried(password="wrong", code=code_now()))
print(tried(password=password, code="000000"))
given = tried(password=password, code=code_now())
if "code" in given:  # spent by another sign-in of this half minute, or the half minute ended just now
    time.sleep(30.5 - time.time() % 30)
    given = tried(password=password, code=code_now())
print(given)
print(asks())
print(tried(password=password))
print(tried(password="wrong"))
print(tried())
"""
    # The authenticator is asked when the code is typed: the program may take longer to start than a code lives.
    authenticator = f"import base64, hmac, struct, time\nSECRET = {SECRET!r}\n{inspect.getsource(code_now)}"
    found = program(strict.folder, authenticator + text, PASSWORD).splitlines()
    assert found == [
        "code",
        "refused(the code is not right)",
        "refused(the password is not right)",
        "refused(the code is not right)",
        "investigator.01 sign_form abab",
        "nothing more",
        "investigator.01 sign_form abab",
        "refused(the password is not right)",
        "refused(the password is not right)",
    ]


def test_a_user_name_is_locked_out_after_wrong_passwords_and_others_are_not(browser):
    client = browser()
    for _ in range(6):
        posted(client, "/accounts/login/", login="sponsor.1", password="wrong")
    page = posted(client, "/accounts/login/", login="sponsor.1", password=PASSWORD)
    assert page.url.path == "/accounts/login/"
    assert client.get("/smart-ms/").url.path == "/accounts/login/"


def test_an_idle_session_ends_and_the_sign_in_page_says_why(serve):
    server = serve("staff")
    client = server.client("data_manager.1")
    assert client.get("/smart-ms/").url.path == "/smart-ms/"
    age = (
        "from django.contrib.sessions.models import Session\n"
        "from django.contrib.sessions.backends.db import SessionStore\n"
        "for one in Session.objects.all():\n"
        "    kept = SessionStore(one.session_key)\n"
        "    if 'seen_at' in kept: kept['seen_at'] -= int(sys.argv[1]); kept.save()"
    )
    program(server.folder, age, str(29 * 60))
    assert client.get("/smart-ms/").url.path == "/smart-ms/"
    program(server.folder, age, str(31 * 60))
    page = client.get("/smart-ms/participants/")
    assert page.url.path == "/accounts/login/"
    assert "ended=idle" in str(page.url)
    assert "nothing happened for a while" in page.text
    assert "next=/smart-ms/participants/" in str(page.url)


def test_who_may_no_longer_sign_in_is_a_stranger_at_the_next_request(serve):
    """Neither an account nor a session is remembered from one request to the next."""
    server = serve("staff")
    change = (
        "from django.contrib.auth.hashers import make_password\n"
        "from django.contrib.sessions.models import Session\n"
        "from django.utils import timezone\n"
        "from trialwright_web.accounts.models import Account\n"
        "of = Account.objects.filter(username=sys.argv[1])\n"
    )
    client = server.client("data_manager.1")
    for ends, again in (
        ("of.update(is_active=False)", "of.update(is_active=True)"),
        ("Session.objects.update(expire_date=timezone.now())", ""),
        ("of.update(password=make_password('another one'))", f"of.update(password=make_password({PASSWORD!r}))"),
        ("Session.objects.all().delete()", ""),
    ):
        assert client.get("/smart-ms/").url.path == "/smart-ms/", ends
        program(server.folder, change + ends, "data_manager.1")
        assert client.get("/smart-ms/").url.path == "/accounts/login/", ends
        program(server.folder, change + again, "data_manager.1")
        client = server.client("data_manager.1")


def test_signing_out_ends_the_session_on_the_server_too(serve):
    client = serve("staff").client("monitor.1")
    kept = dict(client.cookies)
    client.post("/accounts/logout/", data={"csrfmiddlewaretoken": token_on(client.get("/smart-ms/"))})
    with httpx.Client(base_url=client.base_url, cookies=kept, follow_redirects=True) as thief:
        assert thief.get("/smart-ms/").url.path == "/accounts/login/"


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(serve):
    address = serve("staff").address
    with httpx.Client(base_url=address) as fresh:
        page = fresh.get("/accounts/login/")
        form = {"login": "sponsor.1", "password": PASSWORD, "csrfmiddlewaretoken": token_on(page)}
        answer = fresh.post("/accounts/login/", data=form, headers={"Referer": address})
    assert "trialwright_staff" in answer.cookies
    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly" in cookie, cookie
        assert "SameSite=Lax" in cookie, cookie


def test_over_https_cookies_and_browser_stay_with_it(strict, server_on):
    """As the proxy in front hands requests on."""
    server = server_on(strict.folder, "staff", TRIALWRIGHT_HTTPS="yes")
    try:
        behind = {"X-Forwarded-Proto": "https"}
        answer = httpx.get(f"{server.address}/accounts/login/", headers=behind)
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        cookies = answer.headers.get_list("set-cookie")
        assert cookies
        assert all("Secure" in cookie for cookie in cookies)
        plain = httpx.get(f"{strict.address}/accounts/login/", headers=behind)
        assert "strict-transport-security" not in plain.headers
    finally:
        server.stop()


def test_a_user_name_is_one_persons_for_ever_and_no_password_is_kept(strict):
    """Also of somebody who left: their name is not given to the next."""
    text = """
from django.contrib.auth.hashers import identify_hasher
from django.db import IntegrityError, transaction
from trialwright_web.accounts.invitations import AlreadySignsIn, first_invitation
from trialwright_web.accounts.models import Account
one = Account.objects.get(username="monitor.1")
try:
    with transaction.atomic(): Account.objects.create(username="monitor.1")
except IntegrityError: print("one account")
Account.objects.filter(pk=one.pk).update(is_active=False)
try: first_invitation("monitor.1")
except AlreadySignsIn: print("not given again")
Account.objects.filter(pk=one.pk).update(is_active=True)
print(sys.argv[1] in one.password, identify_hasher(one.password).algorithm)
"""
    assert program(strict.folder, text, PASSWORD).splitlines() == ["one account", "not given again", "False argon2"]


def test_an_invitation_lets_a_person_choose_their_own_password_once_and_asks_for_a_factor(strict, browser):
    own = {**os.environ, **environment(strict.folder, "staff")}
    invite = [sys.executable, "-m", "trialwright_web", "invite", "new.nurse"]
    said = subprocess.run(invite, env=own, capture_output=True, text=True, check=True).stdout
    path = re.search(r"(/accounts/invitation/\S+)", said)[1]
    client = browser()
    assert "new.nurse" in client.get(path).text
    for first, second in (("short", "short"), (NEW_PASSWORD, "something else 9"), ("new.nurse", "new.nurse")):
        page = posted(client, path, new_password1=first, new_password2=second)
        assert page.url.path == path
        assert 'role="alert"' in page.text
    page = posted(client, path, new_password1=NEW_PASSWORD, new_password2=NEW_PASSWORD)
    assert page.url.path == "/accounts/2fa/totp/activate/"
    other = browser()
    assert other.get(path).status_code == 410
    page = posted(other, "/accounts/login/", login="new.nurse", password=NEW_PASSWORD)
    assert page.url.path != "/accounts/login/"


def test_who_is_invited_again_loses_password_and_factor_at_once(strict, browser):
    own = {**os.environ, **environment(strict.folder, "staff")}
    invite = [sys.executable, "-m", "trialwright_web", "invite", "study_nurse.02"]
    subprocess.run(invite, env=own, capture_output=True, check=True)
    page = posted(browser(), "/accounts/login/", login="study_nurse.02", password=PASSWORD)
    assert page.url.path == "/accounts/login/"


def test_who_is_invited_again_loses_the_tokens_of_the_api_too(strict):
    text = """
from datetime import datetime, timedelta, UTC
from trialwright_web.accounts.invitations import invite
from trialwright_web.accounts.models import Account
from trialwright_web.store.tokens import find_token, make_token
now = datetime.now(UTC)
one, other = (Account.objects.get(username=name) for name in ("data_manager.1", "monitor.1"))
lost, kept = (make_token(a.pk, "smart-ms", "x", "laptop", timedelta(days=9), now) for a in (one, other))
invite("data_manager.1")
print(find_token(lost, datetime.now(UTC)), find_token(kept, datetime.now(UTC)) is not None)
"""
    assert program(strict.folder, text) == "None True"


@pytest.mark.parametrize("path", ["signup/", "email/", "password/reset/", "password/set/", "confirm-email/"])
def test_nobody_signs_up_and_no_password_is_mailed(strict, path):
    assert httpx.get(f"{strict.address}/accounts/{path}").status_code == 404


def test_a_passkey_is_added_and_signs_in_without_a_password(serve, visit):
    """A real Chromium with an authenticator of its own; our policy forbids inline script, so this shows that none is
    needed."""
    server = serve("staff")
    page = visit(server, "/accounts/2fa/webauthn/add/", "medical_monitor.1")
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    authenticator = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
    if "reauthenticate" in page.url:
        page.fill("input[type=password]", PASSWORD)
        page.click("main button[type=submit]")
    page.check("input[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(re.compile(r"recovery-codes|webauthn/$"))
    page.goto("/smart-ms/")
    page.click("text=Sign out")
    page.goto("/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url(lambda address: "/accounts/login/" not in address)
    page.goto("/smart-ms/")
    assert page.url.endswith("/smart-ms/")


def test_an_address_is_locked_out_after_wrong_passwords_for_many(serve):
    """The last of this file: everybody here comes from one address, and it stays locked for a minute."""
    address = serve("closed").address
    with httpx.Client(base_url=address, follow_redirects=True, headers={"Referer": address}) as client:
        for number in range(11):
            posted(client, "/accounts/login/", login=f"nobody.{number}", password="wrong")
        page = posted(client, "/accounts/login/", login="cell_laboratory.1", password=PASSWORD)
        assert page.url.path == "/accounts/login/"
        assert client.get("/smart-ms/").url.path == "/accounts/login/"
