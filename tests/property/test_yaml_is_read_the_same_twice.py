"""What the quick reader of YAML takes, ruamel.yaml reads the same: data, places, nothing to find."""

from __future__ import annotations

import inspect
import random
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialwright.protocol import quick_yaml, yaml_source
from trialwright.protocol.yaml_source import YamlSource, read_yaml

STUDY = sorted((Path(__file__).parents[2] / "studies" / "frexalimab-sc-iv").rglob("*.yaml"))
PIECES = (
    *"abN0159.eE+-_:,{}[]\"'|>#?~@`%&*!=<\\/ \n\té\u2028",
    *(": ", "- ", "? ", "\n- ", "\n  ", "{a: ", "a: ", "[b, ", " #", "<<: ", "---\n", "...", "&x ", "*x", "!!str "),
    *("null", "true", "01", "1e5", ".5e3", "0o7", "''", "'a'", '"b"'),
    *("|\n ", ">-\n  ", "|2\n", "|+\n  ", "|#", ">1-#\n ", "\n \n  "),
)  # fmt: skip


def slowly(text: str) -> YamlSource:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_yaml, "compose", lambda text, deepest: None)
        return read_yaml(text, "file.yaml")


def quickly(text: str) -> YamlSource | None:
    """None where the quick reader leaves a text to the other."""
    if quick_yaml.compose(text, 40) is None:
        return None
    return read_yaml(text, "file.yaml")


def differs(text: str) -> bool:
    quick, slow = quickly(text), slowly(text)
    # Beside equality: 1 == 1.0 == True, and data tell them apart.
    return quick is not None and (quick != slow or repr(quick.data) != repr(slow.data))


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here each text is parsed each time: that is what is compared."""
    monkeypatch.setattr(yaml_source, "_root", inspect.unwrap(yaml_source._root))


def test_the_files_of_a_study_are_read_quickly_and_the_same() -> None:
    texts = [path.read_text(encoding="utf-8") for path in STUDY]
    assert len(texts) > 20
    assert [path.name for path, text in zip(STUDY, texts, strict=True) if quickly(text) is None] == []
    assert [path.name for path, text in zip(STUDY, texts, strict=True) if differs(text)] == []


@settings(max_examples=600)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_read_the_same(text: str) -> None:
    assert not differs(text)


def test_spoilt_parts_of_a_study_are_read_the_same() -> None:
    chance = random.Random(5)
    lines = [path.read_text(encoding="utf-8").splitlines(keepends=True) for path in STUDY]
    read_quickly = 0
    for _ in range(250):
        file = chance.choice(lines)
        begin = chance.randrange(len(file))
        text = dedent("".join(file[begin : begin + chance.randint(1, 9)]))
        for _ in range(chance.randint(0, 3)):
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(("", chance.choice(PIECES))) + text[at + chance.randint(0, 1) :]
        read_quickly += quickly(text) is not None
        assert not differs(text), text
    assert read_quickly > 60


@pytest.mark.parametrize(
    "text",
    [
        "", "a:\n", "a: .5e3\n", "a: &x 1\n", "a: !!str 1\n", "a: 1\n---\nb: 2\n", "a:\t1\n", "[a]: 1\n",
        "<<: {a: 1}\n", "a: |\n \n  b\n", "a: [", "a: \u2028b\n", "- " * 60,
    ],
)  # fmt: skip
def test_what_two_readers_might_read_differently_is_left_to_one(text: str) -> None:
    assert quick_yaml.compose(text, 40) is None


def test_without_libyaml_everything_is_left_to_ruamel(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    assert quick_yaml.compose("a: 1\n", 40) is not None
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert quick_yaml.compose("a: 1\n", 40) is None
    assert read_yaml("a: 1\n", "file.yaml").data == {"a": 1}
