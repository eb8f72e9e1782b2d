"""Every text of the application is there in bokmål and nynorsk, with the same places to fill in."""

from __future__ import annotations

import ast
import io
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "trialwright_web"
LANGUAGES = ("nb", "nn")
KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2),
    "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
FROM_ALLAUTH = (
    "account/reauthenticate.html", "account/password_change.html", "account/account_inactive.html",
    "account/base_reauthenticate.html", "mfa/index.html", "mfa/authenticate.html", "mfa/reauthenticate.html",
    "mfa/totp/activate_form.html", "mfa/totp/deactivate_form.html",
    "mfa/recovery_codes/generate.html", "mfa/webauthn/add_form.html", "mfa/webauthn/authenticator_list.html",
    "mfa/webauthn/authenticator_confirm_delete.html", "mfa/webauthn/edit_form.html",
    "mfa/webauthn/reauthenticate.html",
)  # fmt: skip
"""Pages of allauth that are used as they are, in our frame."""


def texts_in(path):
    """The texts of a file that are to be translated: (context, singular, plural)."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # What is left of the page around the texts is no Python; its indentation must not matter.
        source = "\n".join(line.strip() for line in templatize(source).splitlines())
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
    for _line, message, _comments, context in found:
        singular, plural = message if isinstance(message, tuple) else (message, None)
        if singular:
            yield context, singular, plural


def texts_within_formatted_strings(path):
    """Calls for a translation inside an f-string: not every version of the extractor sees those."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = (node for string in ast.walk(tree) if isinstance(string, ast.JoinedStr) for node in ast.walk(string))
    for node in inside:
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KEYWORDS:
            yield node.lineno


@cache
def catalogue(language):
    """Everything that is translated: (context, text) → translation or translations."""
    files = [*PACKAGE.glob(f"*/locale/{language}/LC_MESSAGES/django.po")]
    found = {}
    for path in files:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and not message.fuzzy:
                    singular = message.id[0] if isinstance(message.id, tuple) else message.id
                    found[message.context, singular] = message.string
    return found


def of_allauth():
    spec = find_spec("allauth")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


@cache
def allauth_catalogue(language):
    path = of_allauth() / "locale" / language / "LC_MESSAGES" / "django.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        messages = [m for m in read_po(file, locale=language) if m.id and m.string and not m.fuzzy]
    return {(m.context, m.id[0] if isinstance(m.id, tuple) else m.id): m.string for m in messages}


def wrong(text, translated, plural):
    """Why a translation will not do, or nothing."""
    if plural is not None:
        if not isinstance(translated, tuple) or len(translated) != 2 or not all(translated):
            return "needs two forms"
        places = [set(PLACE.findall(text)) | set(PLACE.findall(plural))] * 2
        return "" if all(set(PLACE.findall(t)) <= p for t, p in zip(translated, places, strict=True)) else "places"
    if not isinstance(translated, str) or not translated.strip():
        return "is missing"
    return "" if sorted(PLACE.findall(text)) == sorted(PLACE.findall(translated)) else "has other places to fill in"


APPS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())


def missing(app, language):
    found = {}
    for path in sorted((PACKAGE / app).rglob("*")):
        if path.suffix in (".py", ".html") and "migrations" not in path.parts:
            for context, text, plural in texts_in(path):
                why = wrong(text, catalogue(language).get((context, text)), plural)
                if why:
                    found[text] = f"{why} ({path.relative_to(PACKAGE)})"
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("app", APPS)
def test_every_text_of_a_screen_is_translated(app, language):
    assert missing(app, language) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_pages_that_allauth_lends_us_is_translated(language):
    found = {}
    for name in FROM_ALLAUTH:
        for context, text, plural in texts_in(of_allauth() / "templates" / name):
            known = catalogue(language).get((context, text)) or allauth_catalogue(language).get((context, text))
            why = wrong(text, known, plural)
            if why:
                found[text] = f"{why} ({name})"
    assert found == {}


def test_the_extraction_finds_texts_in_code_and_templates():
    texts = {text for _, text, _ in texts_in(PACKAGE / "shell" / "templates" / "shell" / "sign.html")}
    assert "Your signature" in texts
    assert "Study nurse" in {text for _, text, _ in texts_in(PACKAGE / "shell" / "templatetags" / "shell.py")}


def test_no_text_stands_inside_a_formatted_string():
    found = [(str(path.relative_to(PACKAGE)), line) for path in sorted(PACKAGE.rglob("*.py"))
             for line in texts_within_formatted_strings(path)]  # fmt: skip
    assert found == []


def test_a_text_inside_a_formatted_string_is_found(tmp_path):
    (tmp_path / "page.py").write_text("told = f'{_(\"Possible from\")} {day}'\n", encoding="utf-8")
    assert list(texts_within_formatted_strings(tmp_path / "page.py")) == [1]


def test_no_text_is_translated_twice_in_different_words():
    """Screens share words; the first catalogue that Django finds wins, whatever the other says."""
    for language in LANGUAGES:
        seen, differing = {}, []
        for path in sorted(PACKAGE.glob(f"*/locale/{language}/LC_MESSAGES/django.po")):
            with path.open("rb") as file:
                for message in read_po(file, locale=language):
                    key = (message.context, str(message.id))
                    if message.id and seen.setdefault(key, message.string) != message.string:
                        differing.append((path.parts[-5], message.id, seen[key], message.string))
        assert differing == []
