"""One small language for eligibility, edit checks, conditions, derivations and analysis populations.

Text is parsed to a tree with columns, checked against a scope of types and units, and compiled to Python, SQL,
JavaScript and sentences that all answer alike: yes, no, or unknown with its reasons.
"""

from trialwright.expressions._parser import parse
from trialwright.expressions.checking import check, problems
from trialwright.expressions.errors import (
    ExpressionError,
    SyntaxProblem,
    TooLarge,
    TypeProblem,
    UnitProblem,
    UnknownName,
)
from trialwright.expressions.python import Compiled, compile_python, inputs
from trialwright.expressions.syntax import Expression, Reference, references
from trialwright.expressions.types import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    QuantityType,
    Scope,
    TextType,
    Type,
)
from trialwright.expressions.values import Answer, Missing, Obstacle, Reason, Row, Value, Verdict, admit

__all__ = [
    "Answer",
    "BooleanType",
    "CodeType",
    "Compiled",
    "DateType",
    "DecimalType",
    "Expression",
    "ExpressionError",
    "IntegerType",
    "Missing",
    "Obstacle",
    "QuantityType",
    "Reason",
    "Reference",
    "Row",
    "Scope",
    "SyntaxProblem",
    "TextType",
    "TooLarge",
    "Type",
    "TypeProblem",
    "UnitProblem",
    "UnknownName",
    "Value",
    "Verdict",
    "admit",
    "check",
    "compile_python",
    "inputs",
    "parse",
    "problems",
    "references",
]
