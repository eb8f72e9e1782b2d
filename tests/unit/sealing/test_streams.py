"""Minimisation committed to by its stream: every recorded draw can be proved, and no altered one can."""

from dataclasses import replace
from functools import partial

import pytest

from trialwright.randomisation import Tally, declare_minimisation, minimise
from trialwright.sealing import (
    CommitmentMismatch,
    CommittedNumber,
    ContentTooLong,
    DrawRecord,
    IdealSealer,
    InProcessDispensing,
    KeyPurpose,
    Kind,
    Place,
    ReplayMismatch,
    SealBroken,
    expand_numbers,
    open_draw,
    open_list,
    replay,
    seal_draw,
    seal_stream,
)

DESIGN = declare_minimisation(
    {"A": 1, "B": 1}, {"country": ["de", "fr", "it"], "sex": ["f", "m"]}, probability="4/5", measure="range"
)
PEOPLE = [{"country": ("de", "fr", "it")[i % 3], "sex": "fm"[i % 5 % 2]} for i in range(24)]


def run_trial(sealer, entropy, dispensing):
    """Seal a stream, minimise each participant with the next number, seal each draw."""
    numbers = expand_numbers(bytes(range(32)), 40)
    stream = seal_stream(numbers, ledger="smart-ms", sealer=sealer, entropy=entropy)
    tally, sealed_draws = Tally(DESIGN), []
    for position, person in enumerate(PEOPLE):
        number = int(dispensing.dispense(stream.row("", position)))
        draw = minimise(DESIGN, tally, person, CommittedNumber(number))
        tally.add(person, draw.label)
        record = DrawRecord.of(draw, position=position, factors=person, number=number)
        sealed_draws.append(seal_draw(record, ledger="smart-ms", sealer=sealer))
    return stream, sealed_draws


@pytest.fixture
def trial(sealer, entropy, dispensing):
    return run_trial(sealer, entropy, InProcessDispensing(dispensing))


@pytest.fixture
def opened(trial, unblinding):
    stream, sealed_draws = trial
    return [open_draw(draw, unblinding) for draw in sealed_draws], open_list(stream, unblinding), stream.root


def test_after_unblinding_every_draw_is_replayed(opened):
    records, numbers, root = opened

    replay(records, numbers, root, partial(minimise, DESIGN))

    assert {record.label for record in records} == {"A", "B"}
    assert records[5].factors == PEOPLE[5]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda r: replace(r, label="B" if r.label == "A" else "A"), "label"),
        (lambda r: replace(r, number=r.number ^ 1), "number"),
        (lambda r: replace(r, probability="1/3"), "probability"),
        (lambda r: replace(r, totals={**r.totals, "sex": (9, 9)}), "totals"),
        (lambda r: replace(r, position=r.position + 1), "position"),
        (lambda r: replace(r, factors={**r.factors, "country": "it"}), "totals"),
    ],
)
def test_an_altered_draw_is_named(opened, change, named):
    records, numbers, root = opened
    with pytest.raises(ReplayMismatch) as found:
        replay([*records[:10], change(records[10]), *records[11:]], numbers, root, partial(minimise, DESIGN))
    assert found.value.given == {"position": 10, "field": named}


def test_a_dropped_or_doubled_draw_is_found(opened):
    records, numbers, root = opened
    for wrong in (records[:3] + records[4:], records[:4] + records[3:]):
        with pytest.raises(ReplayMismatch):
            replay(wrong, numbers, root, partial(minimise, DESIGN))


def test_numbers_that_were_not_committed_to_are_found(opened):
    records, numbers, root = opened
    better = replace(numbers[0], value="1")
    with pytest.raises(CommitmentMismatch):
        replay(records, [better, *numbers[1:]], root, partial(minimise, DESIGN))
    with pytest.raises(CommitmentMismatch):
        replay(records, numbers[:-1], root, partial(minimise, DESIGN))


def test_another_design_does_not_explain_the_draws(opened):
    records, numbers, root = opened
    with pytest.raises(ReplayMismatch):
        replay(records, numbers, root, partial(minimise, replace(DESIGN, probability="1")))


def test_more_draws_than_numbers_are_found(opened):
    records, numbers, root = opened
    longer = [*records, *(replace(records[0], position=i) for i in range(len(records), 41))]
    with pytest.raises(ReplayMismatch):
        replay(longer, numbers, root, partial(minimise, DESIGN))


def test_sealed_draws_have_one_length_whatever_they_hold(trial):
    _, sealed_draws = trial

    assert len({len(token) for draw in sealed_draws for token in draw.tokens.values()}) == 1


def test_a_draw_shows_nothing_of_itself(opened):
    records, *_ = opened
    assert "label" not in repr(records[0])
    assert str(records[0].number) not in repr(records[0])


def test_the_ideal_sealer_serves_the_same_trial(entropy):
    sealer = IdealSealer()
    stream, draws = run_trial(sealer, entropy, InProcessDispensing(sealer.opener(KeyPurpose.DISPENSING)))
    opener = sealer.opener(KeyPurpose.UNBLINDING)
    records, numbers = [open_draw(draw, opener) for draw in draws], open_list(stream, opener)

    replay(records, numbers, stream.root, partial(minimise, DESIGN), commit=sealer.commit)


def test_a_record_that_does_not_fit_is_refused(sealer):
    record = DrawRecord(position=0, factors={"f" * 5000: "a"}, totals={}, probability="1/2", number=1, label="A")
    with pytest.raises(ContentTooLong):
        seal_draw(record, ledger="smart-ms", sealer=sealer)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"totals":{}}',
        b'{"position":7,"factors":{},"totals":{},"probability":"1","number":1,"label":"A"}',
    ],
)
def test_a_seal_that_holds_no_draw_is_refused(content, sealer, unblinding):
    with pytest.raises(SealBroken):
        open_draw(sealer.seal(Place("smart-ms", Kind.DRAW, "", 0), content), unblinding)


def test_a_row_of_numbers_says_so_in_its_place(trial):
    stream, draws = trial
    assert {row.place.kind for row in stream.rows} == {Kind.NUMBER}
    assert {draw.place.kind for draw in draws} == {Kind.DRAW}
