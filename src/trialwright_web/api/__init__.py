"""The JSON API of the open space: the same desks, rights and commands as the screens."""
