"""Questions on a datum: raised by a check or a person, answered by the site, closed."""
