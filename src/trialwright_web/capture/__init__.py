"""Where site staff work: tasks, participants × visits, forms, calendar, enrolment, imports."""
