"""Django's backend for PostgreSQL, which notices a lost server without asking it."""
