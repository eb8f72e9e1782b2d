"""From the analysis data sets to the answer: the plan's models, tables, figures and the report.

Runs on the data sets alone; nothing is estimated that the plan does not ask for. Needs ``trialwright[analysis]``.
"""
