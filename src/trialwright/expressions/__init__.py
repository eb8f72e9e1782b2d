"""One small language for eligibility, edit checks, conditions, derivations and analysis populations.

Text is parsed to a tree with columns, checked against a scope of types and units, and compiled to Python, SQL,
JavaScript and sentences that all answer alike: yes, no, or unknown with its reasons.
"""

from trialwright.expressions._parser import parse
from trialwright.expressions.asking import ask_next
from trialwright.expressions.checking import check, problems
from trialwright.expressions.errors import (
    ExpressionError,
    SyntaxProblem,
    TooLarge,
    TypeProblem,
    UnitProblem,
    UnknownName,
)
from trialwright.expressions.explanation import Explanation, Fact, explain
from trialwright.expressions.javascript import (
    javascript_asking,
    javascript_runtime,
    to_javascript,
    to_javascript_questions,
)
from trialwright.expressions.python import Compiled, compile_python, inputs
from trialwright.expressions.sentence import shown_unit, to_sentence
from trialwright.expressions.sql import sql_columns, to_sql, to_sql_verdict
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
from trialwright.expressions.words import Labels, Language

__all__ = [
    "Answer",
    "BooleanType",
    "CodeType",
    "Compiled",
    "DateType",
    "DecimalType",
    "Explanation",
    "Expression",
    "ExpressionError",
    "Fact",
    "IntegerType",
    "Labels",
    "Language",
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
    "ask_next",
    "check",
    "compile_python",
    "explain",
    "inputs",
    "javascript_asking",
    "javascript_runtime",
    "parse",
    "problems",
    "references",
    "shown_unit",
    "sql_columns",
    "to_javascript",
    "to_javascript_questions",
    "to_sentence",
    "to_sql",
    "to_sql_verdict",
]
