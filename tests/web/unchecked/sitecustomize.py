"""Switches off, for processes that have this folder on their path, the rule that refuses texts with markup.

What is left is the second line: that a text which came through is text wherever it is shown.
"""

from trialwright.build import check

check.RULES = tuple(rule for rule in check.RULES if rule.code != "TW136")
