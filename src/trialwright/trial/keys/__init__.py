"""Which public keys are in force: the record of every key that seals or signs for the study, and of its rotation."""
