"""Texts become plain data; what is no mark is a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwright.finder import Block, Span, blocks, plain, spans


def test_paragraphs_lists_and_stress_are_told_apart():
    text = "One *word*\ngoes on.\n\n1. **First.** A\n   second line\n2. Then\n\n- a\n- b"
    assert blocks(text) == (
        Block("paragraph", ((Span("One "), Span("word", 1), Span(" goes on.")),)),
        Block("numbers", ((Span("First.", 2), Span(" A second line")), (Span("Then"),))),
        Block("bullets", ((Span("a"),), (Span("b"),))),
    )


def test_a_list_may_follow_a_paragraph_at_once():
    assert [block.kind for block in blocks("You choose:\n- this\n- that")] == ["paragraph", "bullets"]


@pytest.mark.parametrize("text", ["5 * 3 * 2", "a*b*c", "**", "* ", "2026. A year", "<b>x</b>", "-5 degrees"])
def test_what_is_no_mark_stays_as_written(text):
    assert plain(text).replace(" ", "") == text.replace(" ", "") or text in ("* ",)


@given(st.text(alphabet=st.sampled_from("ab *-1.\n<>&"), max_size=60))
def test_every_text_reads_and_no_letter_is_lost_or_made(text):
    found = plain(text)
    assert [c for c in found if c in "ab<>&"] == [c for c in text if c in "ab<>&"]
    assert all(span.text for block in blocks(text) for line in block.lines for span in line)


def test_spans_join_to_the_line():
    assert spans("a **b** *c* d") == (Span("a "), Span("b", 2), Span(" "), Span("c", 1), Span(" d"))
