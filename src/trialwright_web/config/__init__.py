"""Settings, routes and entry points of the three processes."""
