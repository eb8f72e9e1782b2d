"""The API: the rights of the desk that a token stands for, commands that are done once, and no answer of 500."""

from __future__ import annotations

import os
import re
from collections import Counter

import httpx
import pytest
from schemathesis.core.failures import FailureGroup

API = "/smart-ms/api/v1"
TOKENS = "/smart-ms/api/tokens/"
PASSWORD = "rehearsal-only-2026"


def posted(client, address, **form):
    """A form sent from its page."""
    token = client.get(address).text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    return client.post(address, data={**form, "csrfmiddlewaretoken": token})


def made(client, days="30", password=PASSWORD, name="a program"):
    """The answer to asking for a token, and the token."""
    answer = posted(client, TOKENS, name=name, days=days, password=password)
    found = re.search(r"tw_[0-9a-f]{64}", answer.text)
    return answer, found.group(0) if found else None


@pytest.fixture(scope="module")
def staff(serve):
    return serve("staff")


@pytest.fixture(scope="module")
def program(staff):
    """Person → a client with a token of theirs."""
    clients = []

    def make(person):
        _, token = made(staff.client(person))
        assert token is not None
        clients.append(
            httpx.Client(base_url=staff.address + API, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def nurse(program):
    return program("study_nurse.01")


def test_without_a_token_nothing_is_answered(staff):
    for headers in ({}, {"Authorization": "Bearer tw_" + "0" * 64}, {"Authorization": "Bearer é"}):
        assert (
            httpx.get(f"{staff.address}{API}/me", headers={k: v.encode() for k, v in headers.items()}).status_code
            == 401
        )


def test_a_session_is_no_token(staff):
    assert staff.client("study_nurse.01").get(f"{API}/me").status_code == 401


def test_a_token_stands_for_one_desk(nurse):
    me = nurse.get("/me").json()
    assert (me["person"], me["role"], me["site"], me["study"]) == ("study_nurse.01", "study_nurse", "01", "smart-ms")


def test_a_token_is_worth_nothing_in_another_study(staff, nurse):
    headers = {"Authorization": nurse.headers["Authorization"]}
    assert httpx.get(f"{staff.address}/frexalimab-sc-iv/api/v1/me", headers=headers).status_code == 401


def test_a_token_needs_the_password_and_is_shown_once(staff):
    client = staff.client("monitor.1")
    answer, token = made(client, password="wrong")
    assert token is None
    assert answer.status_code == 409
    assert 'value="a program"' in answer.text
    _, token = made(client)
    assert token is not None
    assert token not in client.get(TOKENS).text
    for folder_file in staff.folder.glob("staff.db*"):
        assert token.encode() not in folder_file.read_bytes()


@pytest.mark.parametrize("days", ["0", "367", "-1", "", "x", "٣"])
def test_a_token_ends_within_a_year(staff, days):
    assert made(staff.client("monitor.1"), days=days)[0].status_code == 422


def test_a_revoked_token_is_worth_nothing(staff, program):
    client = staff.client("data_manager.1")
    program_of = program("data_manager.1")
    assert program_of.get("/me").status_code == 200
    number = re.search(r'name="revoke" value="(\d+)"', client.get(TOKENS).text).group(1)
    posted(staff.client("sponsor.1"), TOKENS, revoke=number)
    assert program_of.get("/me").status_code == 200, "somebody else's token was revoked"
    posted(client, TOKENS, revoke=number)
    assert program_of.get("/me").status_code == 401


def test_a_nurse_sees_the_own_site_and_a_monitor_all(nurse, program):
    own = {row["participant"]: row["site"] for row in nurse.get("/participants").json()["rows"]}
    everyone = {row["participant"]: row["site"] for row in program("monitor.1").get("/participants").json()["rows"]}
    assert set(own.values()) == {"01"}
    assert own == {code: site for code, site in everyone.items() if site == "01"}
    stranger = next(code for code, site in everyone.items() if site != "01")
    for path in ("", "/visits", "/items"):
        assert nurse.get(f"/participants/{stranger}{path}").status_code == 404
        assert nurse.get(f"/participants/none{path}").json() == nurse.get(f"/participants/{stranger}{path}").json()


def test_a_rater_reads_no_values_of_others(program):
    rater = program("blinded_rater.01")
    assert rater.get("/participants").status_code == 200
    for path in ("/views", "/views/form", "/participants/x/items"):
        assert rater.get(path).status_code in (403, 404)


def test_pages_of_a_table_join_to_the_whole(nurse):
    whole = nurse.get("/views/visit", params={"limit": 5000}).json()
    first = nurse.get("/views/visit", params={"limit": 7}).json()
    second = nurse.get("/views/visit", params={"limit": 7, "offset": 7}).json()
    assert first["more"]
    assert first["rows"] + second["rows"] == whole["rows"][:14]


def test_no_table_of_the_closed_space_has_a_name_here(nurse):
    from trialwright.trial.event import Space
    from trialwright.trial.views import VIEWS

    names = set(nurse.get("/views").json())
    closed = {table.name for view in VIEWS if view.space is Space.CLOSED for table in view.tables}
    assert closed
    assert not names & closed
    for name in closed:
        assert nurse.get(f"/views/{name}").status_code == 404


def test_a_command_is_done_once_however_often_it_is_sent(nurse):
    row = next(row for row in nurse.get("/participants").json()["rows"] if row["status"] == "randomised")
    body = {"command": {"participant": row["participant"], "encounter": "unscheduled_77", "date": "2028-02-01"}}
    answers = [nurse.post("/commands/RecordVisit", json=body, headers={"Idempotency-Key": "visit-77"}) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["repeated"] for answer in answers] == [False, True]
    assert answers[0].json()["events"] == answers[1].json()["events"]
    body["command"]["date"] = "2028-02-02"
    other = nurse.post("/commands/RecordVisit", json=body, headers={"Idempotency-Key": "visit-77"})
    assert other.status_code in (409, 422)
    assert other.json()["error"] == "request.reused" or "reused" in other.json()["error"]


def test_a_command_has_the_rights_of_the_desk(nurse, program):
    query = {"command": {"participant": "x", "encounter": "x", "form": "x", "item": "x", "text": "x"}}
    refused = nurse.post("/commands/OpenQuery", json=query, headers={"Idempotency-Key": "query-0001"})
    assert (refused.status_code, refused.json()["error"]) == (403, "api.not_your_desk")
    stranger = next(row for row in program("monitor.1").get("/participants").json()["rows"] if row["site"] != "01")
    visit = {"command": {"participant": stranger["participant"], "encounter": "unscheduled_1", "date": "2028-02-01"}}
    refused = nurse.post("/commands/RecordVisit", json=visit, headers={"Idempotency-Key": "visit-0001"})
    assert (refused.status_code, refused.json()["error"]) == (409, "permission.other_site")


def test_a_command_that_needs_a_signature_has_no_operation(nurse):
    operations = nurse.get("/openapi.json").json()["paths"]
    commands = {path.rpartition("/")[2] for path in operations if "/commands/" in path}
    assert "SaveForm" in commands
    assert not commands & {"SignForm", "SignCaseBook", "SignOffEligibility", "ApproveBuild", "RandomiseParticipant"}


@pytest.mark.parametrize(
    ("path", "sent", "status", "error"),
    [
        ("/me", {"headers": {"Authorization": "Bearer none"}}, 401, "api.no_token"),
        ("/participants?limit=x", {}, 422, "api.unreadable"),
        ("/views/no%20name", {}, 422, "api.unreadable"),
        ("/views/nothing", {}, 404, "api.absent"),
        (
            "/commands/SaveForm",
            {"content": b"\xff{", "headers": {"Idempotency-Key": "broken-01"}},
            400,
            "api.no_json",
        ),
        ("/commands/SaveForm", {"json": {"command": {"planted": 1}}}, 422, "api.unreadable"),
    ],
)
def test_every_refusal_has_the_form_that_the_description_promises(nurse, path, sent, status, error):
    method = "POST" if "commands" in path else "GET"
    answer = nurse.request(method, path, **sent)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) >= {"error", "message", "remedy"}
    assert "planted" not in answer.json()["remedy"]


EXAMPLES = int(os.environ.get("API_EXAMPLES", "6"))
"""For each operation; ``make campaign-api`` asks for more."""


def attacked(description, address, token):
    """Every operation with valid, invalid and absurd input, held against the description; status → how many."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    held = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    schema = schemathesis.openapi.from_dict(description)
    statuses = Counter()
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            case=st.one_of(
                operation.as_strategy(), operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
            )
        )
        def attack(case):
            answer = case.call(base_url=address, headers=token, timeout=120)
            statuses[answer.status_code] += 1
            assert "Traceback" not in answer.text
            case.validate_response(answer, checks=held)

        attack()
    return statuses


def test_the_description_can_be_attacked_and_every_answer_is_as_it_says(staff, nurse):
    """schemathesis: every operation, from the service's own description."""
    description = nurse.get("/openapi.json").json()
    token = {"Authorization": nurse.headers["Authorization"]}
    statuses = attacked(description, staff.address, token)
    told = f"{len(description['paths'])} paths, {sum(statuses.values()):,} requests"
    print(f"{told}, answers: {dict(sorted(statuses.items()))}")
    assert {200, 422} <= set(statuses)


@pytest.mark.parametrize("lie", ["a name that no answer has", "a status that is not told"])
def test_an_answer_that_is_not_as_described_is_reported(staff, nurse, lie):
    description = nurse.get("/openapi.json").json()
    me = description["paths"]["/smart-ms/api/v1/me"]["get"]
    description["paths"] = {"/smart-ms/api/v1/me": {"get": me}}
    if lie == "a name that no answer has":
        description["components"]["schemas"]["Me"]["required"].append("planted")
    else:
        me["responses"] = {"404": me["responses"]["404"]}
    with pytest.raises(FailureGroup):
        attacked(description, staff.address, {"Authorization": nurse.headers["Authorization"]})


def test_metrics_are_for_who_brings_the_token_and_hold_nobody(serve, staff):
    token = "m" * 40
    (staff.folder / "metrics.token").write_text(token)
    assert httpx.get(f"{staff.address}/metrics").status_code == 404
    closed = serve("closed", TRIALWRIGHT_METRICS_TOKEN_FILE=str(staff.folder / "metrics.token"))
    assert httpx.get(f"{closed.address}/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    text = httpx.get(f"{closed.address}/metrics", headers={"Authorization": f"Bearer {token}"}).text
    assert 'trialwright_ledger_entries{study="smart-ms",space="open"}' in text
    assert 'space="closed"' not in text, "a count of the closed ledger depends on the arm"
    for line in text.splitlines():
        assert re.fullmatch(
            r'(# TYPE [a-z_]+ [a-z]+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+)', line
        ), line
