"""The public side: find a study, read its page, see whether one might join, what else to consider, whom to ask.

Works without cookies and without JavaScript; nothing a reader answers is stored or logged.
"""
