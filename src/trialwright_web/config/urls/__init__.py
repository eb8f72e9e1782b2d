"""One table of routes for each process."""
