"""What every other room stands on: ids, truth, missing reasons, partial dates, quantities, ports, errors.

Nothing in here knows a trial, a file format or a database.
"""
