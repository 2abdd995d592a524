"""The models of the events' data agree with their published JSON Schemas."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.alerts.event import EventType
from bot.alerts.intake.schemas import SCHEMAS, Custom, EventData, StockLow, schema_of
from tests.rows import each_row


def test_every_type_has_a_model() -> None:
    assert SCHEMAS.keys() == set(EventType)
    assert schema_of("custom.cold") is Custom
    assert schema_of("stock.gone") is None


@each_row("model", [*SCHEMAS.values(), Custom])
def test_every_field_is_described(model: type[EventData]) -> None:
    assert all(field.description for field in model.model_fields.values())
    assert model.__doc__


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6))
def test_quantities_are_exact_as_text_and_as_number(value: Decimal) -> None:
    for given_as in (value, str(value)):
        found = StockLow.model_validate({"available": given_as})
        assert found.available == value
        assert Decimal(found.model_dump(mode="json")["available"]) == value


@given(st.floats())
def test_a_float_is_no_quantity(value: float) -> None:
    with pytest.raises(ValidationError, match="must be text or an exact number"):
        StockLow.model_validate({"available": value})
