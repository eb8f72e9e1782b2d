"""One scope for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from trialwright.expressions import (
    BooleanType,
    CodeType,
    DateType,
    DecimalType,
    IntegerType,
    QuantityType,
    TextType,
    Type,
)


@pytest.fixture(scope="session")
def scope() -> Mapping[str, Type]:
    return {
        "age": IntegerType(),
        "index": DecimalType(),
        "edss": QuantityType("{score}"),
        "weight": QuantityType("kg"),
        "temperature": QuantityType("Cel"),
        "platelets": QuantityType("10*9/L"),
        "ms.course": CodeType(("PPMS", "SPMS", "RRMS"), "ms_course"),
        "sex": CodeType(("F", "M"), "sex"),
        "remark": TextType(),
        "pregnant": BooleanType(),
        "birth": DateType(partial=True),
        "visit": DateType(),
    }
