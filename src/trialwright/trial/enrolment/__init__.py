"""From first contact to eligibility signed off: screening log, criteria, sign-off, screen failure."""
