"""Published outcome measures of multiple sclerosis as plain functions: scores, confirmed change, composites.

Every function says its source. Numbers come in as integers, decimals, floats or text and are computed exactly
(a float counts as the decimal it prints as); a score comes out as a :class:`~decimal.Decimal` or an integer.
``None`` is a missing value and accepted only where the signature says so: an instrument never guesses.
"Unable because of the disease" is :data:`UNABLE`, an outcome that has a score, never a missing value.

Forms name them in a derivation, for example ``edss.score``; names with an underscore are not public.
"""

from trialwright.instruments import (
    edss,
    evoked_potentials,
    msfc,
    neda,
    nhpt,
    progression,
    relapse,
    sdmt,
    t25fw,
)
from trialwright.instruments.exact import UNABLE, Number, Trial, Unable

__all__ = [
    "UNABLE",
    "Number",
    "Trial",
    "Unable",
    "edss",
    "evoked_potentials",
    "msfc",
    "neda",
    "nhpt",
    "progression",
    "relapse",
    "sdmt",
    "t25fw",
]
