"""Searching a dictionary: the synthetic one, and files laid out as MedDRA's are (contents invented here)."""

from __future__ import annotations

from pathlib import Path

import pytest

from trialwright_web.safety.dictionary import DictionaryUnreadable, meddra, synthetic

HIERARCHY = (
    "100$200$300$400$Invented ache$High$Higher$Invented system$IS$$400$Y$\n"
    "100$201$301$401$Invented ache$High$Higher$Another system$AS$$400$N$\n"
    "101$200$300$400$Invented fever$High$Higher$Invented system$IS$$400$Y$\n"
)
LOWEST = (
    "900$Ache, invented$100$$$$$$$Y$$\n"
    "901$Old ache$100$$$$$$$N$$\n"
    "902$Invented fever$101$$$$$$$Y$$\n"
    "903$Fever after ache$101$$$$$$$Y$$\n"
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "meddra_release.asc").write_text("99.0$English$$$$\n", encoding="utf-8")
    (tmp_path / "mdhier.asc").write_text(HIERARCHY, encoding="utf-8")
    (tmp_path / "llt.asc").write_text(LOWEST, encoding="utf-8")
    return tmp_path


def test_lowest_level_terms_are_searched_and_the_preferred_term_is_coded(copy: Path) -> None:
    dictionary = meddra(copy)
    assert dictionary.version == "99.0"
    (ache,) = dictionary.search("ACHE inv")
    assert (ache.code, ache.term, ache.body_system) == ("100", "Invented ache", "Invented system")
    assert dictionary.by_code("101") == dictionary.search("fever")[0]


def test_terms_that_are_no_longer_current_are_not_offered(copy: Path) -> None:
    assert meddra(copy).search("old") == []


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(DictionaryUnreadable, match=r"meddra_release\.asc"):
        meddra(tmp_path / "nothing")


def test_the_whole_word_stands_before_longer_ones_and_nothing_finds_nothing() -> None:
    dictionary = synthetic()
    assert dictionary.search("pain")[0].term == "pain"
    assert len(dictionary.search("pain")) > 3
    assert dictionary.search("  ") == []
    assert dictionary.search("no such thing") == []
