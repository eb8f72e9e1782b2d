def test_somebody_who_was_signed_off_is_randomised(trial_world):
    participant = trial_world.randomised()
    assert trial_world.trial.allocations.label(participant) in {"cells_first", "saline_first"}
