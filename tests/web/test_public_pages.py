"""A patient finds a trial, reads its page and sees whether they might join; also without JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from trialwright.build import compile_study
from trialwright.finder import PreScreener, ages, journey
from trialwright.protocol import load_study

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = (
    "/",
    "/?q=nothing+at+all",
    "/?age=old",
    "/trials/smart-ms/",
    "/trials/smart-ms/join",
    "/trials/smart-ms/checklist",
)
FITTING = {"age": "40", "edss": "5", "disease_duration": "10", "course": "SPMS", "willing_without_therapy": "yes"}
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def public(serve):
    return serve("public")


@pytest.fixture(scope="module")
def smart_ms():
    return compile_study(load_study(REPOSITORY / "studies" / "smart-ms"))


def violations(page):
    found = Axe().run(page, options=WCAG)
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]]


def answer(page, given=None):
    """Answer the question that is shown: as somebody who fits would, else no."""
    question = page.locator(".question.now")
    fact = question.get_attribute("data-fact")
    value = (given or FITTING).get(fact, "no")
    if question.locator("input[type=radio]").count():
        question.locator(f"input[value='{value}']").check()
    else:
        question.locator("input").fill(value)
    page.click("#go")
    return fact


# --- finding ------------------------------------------------------------------------------------------------------


def test_a_patient_finds_the_trial_and_pre_screens_at_home(public, visit):
    page = visit(public, "/")
    page.fill("#q", "stem cells ms")
    page.fill("#age", "40")
    page.get_by_role("button", name="Search").click()
    assert page.locator(".trial-card").count() == 1
    page.get_by_role("link", name=re.compile("stem cells")).click()
    assert "Completed" in page.locator(".tags").first.inner_text()
    assert "takes virtual participants" not in page.inner_text("#where")
    page.get_by_role("link", name="Answer the questions").click()

    page.wait_for_selector(".screener.one-by-one")
    assert "This trial is over. Nobody can join it any more." in page.inner_text("#closed")
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    asked = []
    while page.locator(".question.now").count():
        asked.append(answer(page))
    assert asked[:2] == ["age", "course"]
    assert len(asked) == 25
    assert page.locator(".result-title").inner_text() == "The rules of this study might fit you"
    pills = page.locator(".verdict-pill").all_inner_texts()
    assert set(pills) == {"Fits", "Not known yet"}
    assert sent == [], "nothing may leave the device"
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
    assert page.context.cookies() == []


def test_one_answer_that_does_not_fit_ends_the_questions_and_can_be_changed(public, visit):
    page = visit(public, "/trials/smart-ms/join")
    page.wait_for_selector(".screener.one-by-one")
    answer(page, {"age": "70"})
    assert page.locator(".result-title").inner_text() == "This study probably does not fit you"
    assert page.locator(".question.now").count() == 0
    page.get_by_role("button", name=re.compile("Change: You are between 18 and 55")).click()
    answer(page, {"age": "50"})
    assert page.locator(".result-title").inner_text() == "So far nothing speaks against it"
    assert page.locator(".question.now").get_attribute("data-fact") == "course"

    # What speaks against it stands first, and the way goes on to other trials.
    answer(page, {"course": "RRMS"})
    assert page.locator(".verdict-pill").first.inner_text() == "Does not fit"
    assert "progressive" in page.locator(".verdict").first.inner_text()
    page.get_by_role("link", name="Other trials to consider").click()
    assert page.url.endswith("/trials/smart-ms/#other_trials")


def test_the_browsers_back_goes_to_the_question_before_and_keeps_the_answers(public, visit):
    page = visit(public, "/trials/smart-ms/join", width=390)
    page.wait_for_selector(".screener.one-by-one")
    assert not page.locator("#before").is_visible()
    for _ in range(3):
        answer(page)
    fourth = page.locator(".question.now").get_attribute("data-fact")
    page.go_back()
    page.locator("#before").click()
    assert page.url.endswith("/join"), "nobody leaves the page and loses the answers"
    assert page.locator(".question.now").get_attribute("data-fact") == "course"
    assert page.evaluate("document.activeElement.checked"), "what was chosen is chosen still"
    page.go_forward()
    page.go_forward()
    assert page.locator(".question.now").get_attribute("data-fact") == fourth
    page.go_back()
    page.go_back()
    page.go_back()
    assert page.input_value("#f-age") != ""
    answer(page, {"age": "70"})
    assert page.locator(".result-title").inner_text() == "This study probably does not fit you"
    assert "70" not in page.evaluate("JSON.stringify(history.state)"), "the browser keeps no answer"


def test_no_answer_and_i_do_not_know_are_told_apart(public, visit):
    page = visit(public, "/trials/smart-ms/join")
    page.wait_for_selector(".screener.one-by-one")
    page.click("#go")
    assert page.locator(".question.now .field-error").inner_text().startswith("Write a number")
    assert page.get_attribute("#f-age", "aria-invalid") == "true"
    page.fill("#f-age", "forty")
    page.click("#go")
    assert page.locator(".question.now").get_attribute("data-fact") == "age"
    page.locator(".question.now .not-known").click()
    row = page.locator(".verdict[data-criterion=age_18_55]")
    assert row.locator(".verdict-pill").inner_text() == "Not known yet"
    assert "Your doctor may" in row.locator(".verdict-why").inner_text()


def test_the_keyboard_alone_is_enough(public, visit):
    page = visit(public, "/trials/smart-ms/join")
    page.wait_for_selector(".screener.one-by-one")
    page.locator("#f-age").focus()
    page.keyboard.type("40")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "course"
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert page.locator(".question.now").get_attribute("data-fact") == "disease_duration"
    assert page.evaluate("document.activeElement.id") == "f-disease_duration"


def test_the_printed_page_for_the_doctor_has_the_exact_wording(public, visit):
    page = visit(public, "/trials/smart-ms/join")
    page.wait_for_selector(".screener.one-by-one")
    answer(page, {"age": "40"})
    page.emulate_media(media="print")
    assert page.locator(".verdict .exact").first.is_visible()
    assert not page.locator("#screener").is_visible()
    assert not page.locator(".public-header").is_visible()


# --- without JavaScript, without cookies --------------------------------------------------------------------------


def test_without_javascript_answers_are_judged_after_a_notice_and_not_logged(public, visit, smart_ms):
    page = visit(public, "/trials/smart-ms/join", javascript=False)
    assert "must be sent to this server" in page.inner_text("noscript .ds-alert")
    page.fill("#f-age", "56")
    page.locator("#q-course input[value=PPMS]").check()
    page.locator("#q-pregnant input[value='?']").check()
    page.click("#go")
    assert page.locator(".result-title").inner_text() == "This study probably does not fit you"
    shown = page.locator(".verdict .pill").all_inner_texts()
    judged = PreScreener(smart_ms).judge(PreScreener(smart_ms).read({"age": "56", "course": "PPMS", "pregnant": "?"}))
    words = {"yes": "Fits", "no": "Does not fit", "unknown": "Not known yet"}
    assert shown == [words[verdict.fits.value] for verdict in judged.verdicts]
    assert page.context.cookies() == []
    assert "PPMS" not in (public.folder / "public.log").read_text()


def test_an_answer_that_cannot_be_read_is_said_at_its_question(public):
    with public.client() as client:
        page = client.post("/trials/smart-ms/join/answers", data={"age": "forty", "edss": "5"})
    assert page.status_code == 422
    assert 'href="#q-age"' in page.text
    assert 'value="5"' in page.text


def test_no_page_sets_a_cookie_or_asks_another_host(public):
    with public.client() as client:
        for path in (*PAGES, "/robots.txt", "/sitemap.xml"):
            answered = client.get(path)
            assert "set-cookie" not in answered.headers, path
            assert not re.search(r'(?:src|srcset|<link[^>]+href)="(?:https?:)?//', answered.text), path
            assert "'unsafe" not in answered.headers.get("content-security-policy", ""), path


def test_the_page_of_the_questions_may_not_connect_anywhere(public):
    with public.client() as client:
        assert "connect-src 'none'" in client.get("/trials/smart-ms/join").headers["content-security-policy"]


# --- what the page says -------------------------------------------------------------------------------------------


def test_the_page_says_what_the_study_says(public, smart_ms):
    with public.client() as client:
        text = client.get("/trials/smart-ms/?lang=en").text
    plan = journey(smart_ms, "en")
    low, high = ages(smart_ms)
    assert f"{low} to {high} years" in text
    assert f"{plan.days_at_hospital} days at the hospital" in text
    assert f"About {plan.months} months" in text
    for site in smart_ms.study.sites.values():
        assert site.name in text
    order = [
        text.index(f'id="{name}"') for name in ("status", "about", "journey", "who", "where", "burden", "treatment")
    ]
    assert order == sorted(order)


def test_a_demonstration_says_so_and_no_machine_takes_it_for_real(public):
    with public.client() as client:
        for path in PAGES:
            text = client.get(path).text
            assert '<meta name="robots" content="noindex">' in text, path
            assert "Demonstration." in text, path
            assert "application/ld+json" not in text, path
        assert "<loc>" not in client.get("/sitemap.xml").text
        assert client.get("/trials/smart-ms/contact").status_code == 404


def test_nothing_of_the_staff_is_reachable_in_the_public_process(public):
    with public.client() as client:
        for path in (
            "/accounts/login/",
            "/smart-ms/",
            "/smart-ms/consents/",
            "/trials/none/",
            "/trials/smart-ms/join/0.js",
        ):
            assert client.get(path).status_code == 404, path


def test_three_languages_stand_in_the_address(public):
    with public.client() as client:
        assert "Accept-Language" in client.get("/trials/smart-ms/").headers["vary"], "no cache mixes languages"
        norwegian = client.get("/trials/smart-ms/?lang=nn").text
    assert 'lang="nn"' in norwegian
    assert "Kva handlar studien om?" in norwegian
    assert "/trials/smart-ms/join?lang=nn" in norwegian


def test_a_study_without_the_readers_language_falls_back_and_says_so(public):
    with public.client() as client:
        text = client.get("/trials/ocrelizumab-sc/?lang=nb").text
    assert 'lang="en"' in text


@pytest.mark.parametrize(
    "path", ["/?q=<script>alert(1)</script>", "/trials/smart-ms/?from=<b>", "/?age=1e9&phase=%00"]
)
def test_what_is_typed_is_text(public, path):
    with public.client() as client:
        answered = client.get(path)
    assert answered.status_code in (200, 422)
    assert "<script>alert" not in answered.text
    assert "<b>" not in answered.text


# --- for everybody ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "language", "width"),
    [
        ("/", "en", 390),
        ("/?age=old", "nb", 1280),
        ("/trials/smart-ms/", "en", 1280),
        ("/trials/smart-ms/", "nn", 390),
        ("/trials/ocrelizumab-sc/", "nb", 390),
        ("/trials/smart-ms/join", "nb", 390),
        ("/trials/smart-ms/checklist", "nn", 1280),
    ],
)
def test_axe_finds_nothing(public, visit, path, language, width):
    page = visit(public, path, width=width, language=language)
    for summary in page.locator("summary").all():
        summary.click()
    assert violations(page) == []


def test_axe_finds_nothing_on_the_verdicts_and_errors(public, visit):
    page = visit(public, "/trials/smart-ms/join", width=390)
    page.wait_for_selector(".screener.one-by-one")
    page.click("#go")
    assert violations(page) == []
    answer(page)
    answer(page)
    assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_off_at_400_percent(public, visit, path):
    """1280 pixels at 400 % are 320 CSS pixels (WCAG 1.4.10)."""
    page = visit(public, path, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
