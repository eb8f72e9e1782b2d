"""Operating characteristics: very many fast simulated trials, from the same study folder that runs the trial.

Needs the extra ``trialwright[analysis]``; ``trialwright[fast]`` adds compiled kernels that give the same decisions.
"""

from trialwright.operating_characteristics.answers import Answer, ConductAnswer, LooksAnswer, Report, report
from trialwright.operating_characteristics.cases import Case, NotSimulated, cases
from trialwright.operating_characteristics.errors import CannotSimulate
from trialwright.operating_characteristics.pages import as_html
from trialwright.operating_characteristics.randomisation_methods import Assessed, assess
from trialwright.operating_characteristics.replay import KnownValues, Replayed, from_record, known_values, replay
from trialwright.operating_characteristics.running import Plan, run
from trialwright.operating_characteristics.sample_size import Size, Tried, sample_size
from trialwright.operating_characteristics.settings import Setting, settings
from trialwright.operating_characteristics.sheets import as_csv
from trialwright.operating_characteristics.streams import BLOCK, Streams
from trialwright.operating_characteristics.workers import workers

__all__ = [
    "BLOCK",
    "Answer",
    "Assessed",
    "CannotSimulate",
    "Case",
    "ConductAnswer",
    "KnownValues",
    "LooksAnswer",
    "NotSimulated",
    "Plan",
    "Replayed",
    "Report",
    "Setting",
    "Size",
    "Streams",
    "Tried",
    "as_csv",
    "as_html",
    "assess",
    "cases",
    "from_record",
    "known_values",
    "replay",
    "report",
    "run",
    "sample_size",
    "settings",
    "workers",
]
