"""The fast kernels against the full functions of the statistics, trial by trial.

Both mixed models stop where a further Newton step promises less than 1e-10 of log-likelihood, so θ̂ is known to 1e-5
of its standard error, and what follows from it to some 1e-6.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trialwright.operating_characteristics.compiled import HAVE_NUMBA
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.groups import alternating
from trialwright.operating_characteristics.mixed import Repeated, crossover_design, visits_design
from trialwright.operating_characteristics.repeated import RepeatedData, RepeatedWorld, simulate_repeated
from trialwright.operating_characteristics.streams import Streams
from trialwright.operating_characteristics.two_means import CompareMeans, CompletePairs
from trialwright.statistics import CannotEstimate

needs_numba = pytest.mark.skipif(not HAVE_NUMBA, reason="the compiled engine (numba) is absent: nothing to compare")
ENGINES = [pytest.param(True, marks=needs_numba, id="compiled"), pytest.param(False, id="plain")]


def _covariance(q: int) -> np.ndarray:
    return 0.6 ** np.abs(np.subtract.outer(range(q), range(q))) * np.outer(np.arange(1, q + 1), np.arange(1, q + 1))


def _world(n: int, q: int, *, dropout: float = 0.0, missed: float = 0.0, lists: int = 1) -> RepeatedWorld:
    rng = np.random.default_rng(20)
    drawn = alternating(n) if lists == 1 else rng.integers(0, 2, (lists, n)).astype(np.int8)
    return RepeatedWorld(
        means=np.arange(q) * 10.0 + 300.0,
        covariance=_covariance(q),
        shifts=rng.normal(size=(2, 1, q)),
        lists=drawn,
        dropout=np.full(q, dropout),
        missed=missed,
        always=(0,),
    )


def _first(data: RepeatedData, trials: int) -> RepeatedData:
    """The first trials of a block: what is not compared need not be analysed."""
    observed = None if data.observed is None else np.ascontiguousarray(data.observed[..., :trials])
    group = data.group if data.group.shape[1] == 1 else np.ascontiguousarray(data.group[:, :trials])
    return replace(data, y=np.ascontiguousarray(data.y[..., :trials]), observed=observed, group=group)


def _assert_agrees(
    world: RepeatedWorld, analysis, *, trials: int = 25, relative: float = 1e-5, compiled: bool = True
):
    data = _first(simulate_repeated(world, Streams(3, "common", 1, compiled=compiled)), trials)
    found = analysis.analyse(data)
    compared = 0
    for trial in range(trials):
        try:
            full = analysis.reference(data, trial)
        except CannotEstimate:
            assert np.isnan(found.value[trial]), f"trial {trial}: only the fast kernel has an estimate"
            continue
        fast = found.one(trial)
        assert fast.value == pytest.approx(full.value, rel=relative, abs=1e-9)
        assert fast.standard_error == pytest.approx(full.standard_error, rel=relative)
        assert fast.df == pytest.approx(full.df, rel=relative)
        assert (found.p_values()[trial] < 0.05) == (full.p_value < 0.05)
        compared += 1
    assert compared >= trials // 4, "hardly any trial had a full estimate to compare with"


@pytest.mark.parametrize("covariate", [None, 0])
@pytest.mark.parametrize("change_from", [None, 0])
@pytest.mark.parametrize("lists", [1, 7])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_compared_means_are_those_of_the_analysis_of_covariance(covariate, change_from, lists, dropout):
    world = _world(11, 3, dropout=dropout, lists=lists)

    _assert_agrees(world, CompareMeans(2, change_from=change_from, covariate=covariate))


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_complete_pairs_are_those_of_the_closed_form(dropout):
    _assert_agrees(_world(13, 2, dropout=dropout), CompletePairs(0, 1))


@pytest.mark.parametrize("compiled", ENGINES)
@pytest.mark.parametrize("structure", ["unstructured", "compound_symmetry"])
@pytest.mark.parametrize("method", ["kenward_roger", "satterthwaite"])
@pytest.mark.parametrize("sequence", [True, False])
def test_a_mixed_crossover_is_that_of_the_mixed_model(structure, method, sequence, compiled):
    design, contrast = crossover_design(sequence=sequence)
    world = _world(12, 2, dropout=0.15, missed=0.05, lists=5)

    _assert_agrees(world, Repeated((0, 1), design, contrast, structure, method), compiled=compiled)


@pytest.mark.parametrize("compiled", ENGINES)
@pytest.mark.parametrize("structure", ["unstructured", "compound_symmetry", "toeplitz"])
@pytest.mark.parametrize("covariate", [None, 0])
def test_repeated_measures_are_those_of_the_mixed_model(structure, covariate, compiled):
    design, contrast = visits_design(3, covariate=covariate is not None)
    world = _world(24, 4, dropout=0.08, missed=0.05)

    _assert_agrees(
        world, Repeated((1, 2, 3), design, contrast, structure, covariate=covariate), trials=8, compiled=compiled
    )


def test_changes_from_baseline_and_a_covariate_at_once_agree():
    design, contrast = crossover_design(sequence=True, covariate=True)
    world = _world(18, 3, dropout=0.1)

    _assert_agrees(world, Repeated((1, 2), design, contrast, change_from=0, covariate=0))


@pytest.mark.parametrize("compiled", ENGINES)
def test_trials_too_small_to_estimate_are_marked_and_do_not_disturb_the_others(compiled):
    design, contrast = crossover_design(sequence=True)
    analysis = Repeated((0, 1), design, contrast)
    world = replace(_world(6, 2, lists=40), dropout=np.array([0.0, 0.5]), always=())

    found = analysis.analyse(simulate_repeated(world, Streams(3, "common", 1, compiled=compiled)))

    lacking = np.isnan(found.value)
    assert 0 < lacking.mean() < 1
    # The likelihood of such trials is nearly flat, and the adjusted standard error leans on its curvature.
    _assert_agrees(world, analysis, trials=40, relative=5e-3, compiled=compiled)


def test_a_structure_without_a_fast_form_is_refused():
    design, contrast = crossover_design(sequence=True)

    with pytest.raises(CannotSimulate, match="autoregressive"):
        Repeated((0, 1), design, contrast, "autoregressive")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covariance": np.array([[1.0, 2.0], [2.0, 1.0]])}, "positive definite"),
        ({"covariance": np.eye(3)}, "no fit"),
        ({"missed": 1.2}, "probability"),
        ({"dropout": np.array([0.0, -0.1])}, "probability"),
        ({"lists": np.array([[0, 2]], dtype=np.int8)}, "list names a group"),
        ({"not_given": np.zeros((3, 1))}, "not_given"),
    ],
)
def test_an_impossible_world_is_refused(crossover_world, change, message):
    with pytest.raises(CannotSimulate, match=message):
        replace(crossover_world, **change)


@needs_numba
@pytest.mark.parametrize("structure", ["unstructured", "compound_symmetry"])
def test_the_two_engines_decide_alike_in_thousands_of_trials(structure):
    design, contrast = visits_design(3)
    analysis = Repeated((1, 2, 3), design, contrast, structure)
    world = _world(16, 4, dropout=0.15, missed=0.05)
    data = simulate_repeated(world, Streams(4, "common", 0))

    compiled, plain = analysis.analyse(data), analysis.analyse(replace(data, compiled=False))

    assert (np.isnan(compiled.value) == np.isnan(plain.value)).all()
    kept = ~np.isnan(plain.value)
    assert compiled.value[kept] == pytest.approx(plain.value[kept], rel=1e-4, abs=1e-5)
    assert ((compiled.p_values() < 0.05) == (plain.p_values() < 0.05)).all()
