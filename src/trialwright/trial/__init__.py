"""The running trial: one room an act, each with its events, the state they add up to, commands and views.

How to read this folder: ``events.py`` says what can have happened; ``state.py`` folds a stream of it into what
decisions need; ``commands.py`` says what may be done, by whom, and what is refused; ``views.py`` folds events
into the tables that screens and exports read. ``dispatch.py`` is the one door for writes.
"""
