"""A study checked, compiled and content-addressed; the difference of two builds.

``check_study`` finds what is wrong with a study beyond its files' form, ``compile_study`` makes the build that a
running trial uses, ``diff`` says what an amendment means for participants, data and sites.
"""

from trialwright.build.assumptions import Assumption, assumptions
from trialwright.build.changes import Change
from trialwright.build.check import check_study, compile_study
from trialwright.build.compile import Build
from trialwright.build.compiled import (
    CompiledCheck,
    CompiledCriterion,
    CompiledFact,
    CompiledForm,
    CompiledGate,
    CompiledItem,
    CompiledRelease,
    CompiledStratum,
)
from trialwright.build.consequences import Approval, Consequence, DataEffect
from trialwright.build.diff import Classified, Difference, diff
from trialwright.build.errors import CheckFailed, NotCompiled
from trialwright.build.explanation import ALL_RULES, explain_rule
from trialwright.build.formulas import CompiledExpression, CompiledInstrument, ItemReference
from trialwright.build.values import (
    Field,
    ItemValue,
    missing_value,
    number_of,
    outcome_value,
    parse_item_value,
    size_of,
    value_of,
)
from trialwright.build.verification import to_verify

__all__ = [
    "ALL_RULES",
    "Approval",
    "Assumption",
    "Build",
    "Change",
    "CheckFailed",
    "Classified",
    "CompiledCheck",
    "CompiledCriterion",
    "CompiledExpression",
    "CompiledFact",
    "CompiledForm",
    "CompiledGate",
    "CompiledInstrument",
    "CompiledItem",
    "CompiledRelease",
    "CompiledStratum",
    "Consequence",
    "DataEffect",
    "Difference",
    "Field",
    "ItemReference",
    "ItemValue",
    "NotCompiled",
    "assumptions",
    "check_study",
    "compile_study",
    "diff",
    "explain_rule",
    "missing_value",
    "number_of",
    "outcome_value",
    "parse_item_value",
    "size_of",
    "to_verify",
    "value_of",
]
