"""Safety: the blinded board with its clocks, reports and follow-ups, assessments, coding, submissions."""
