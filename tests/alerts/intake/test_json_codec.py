"""JSON in and out: exact numbers, clear refusals, and nothing that cannot be written down."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.intake.json_codec import decode_json, encode_json
from bot.alerts.intake.port import InvalidJson
from tests.rows import each_row

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 10**18, 10**18 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_numbers_are_exact() -> None:
    found = decode_json(b'{"a": 0.1, "b": 12800.00, "c": 7, "d": 123456789012345678901234567890}')

    assert found == {"a": Decimal("0.1"), "b": Decimal("12800.00"), "c": 7, "d": 123456789012345678901234567890}
    assert str(found["b"]) == "12800.00"  # type: ignore[index]
    assert encode_json(found) == '{"a":0.1,"b":12800.00,"c":7,"d":123456789012345678901234567890}'


@each_row(
    ("body", "reason"),
    [
        (b"", "no JSON: Expecting value at line 1, column 1"),
        (b'{"a": ', "no JSON"),
        (b'{"a": 1} x', "no JSON: Extra data"),
        (b"\xff\xfe{}", "not UTF-8 at byte 0"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1e99999999999999999999]", "a number is out of range"),
        (b'{"a": "secret \x01"}', "no JSON: Invalid control character"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place_and_without_the_text(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidJson, match=reason.replace("(", r"\(")) as refused:
        decode_json(body)
    assert "secret" not in refused.value.detail


@given(JSON)
def test_what_is_kept_reads_as_what_came(value: object) -> None:
    assert decode_json(encode_json(value)) == value


@each_row(
    ("value", "kept"),
    [
        ("half \ud800", '"half \\ud800"'),
        (2**70, str(2**70)),
        (Decimal("NaN"), '"NaN"'),
        (MappingProxyType({"a": Decimal("1.50")}), '{"a":1.50}'),
        ({"a": datetime(2026, 11, 24, tzinfo=UTC)}, '{"a":"2026-11-24T00:00:00+00:00"}'),
    ],
)
def test_whatever_is_handed_over_can_be_kept(value: object, kept: str) -> None:
    text = encode_json(value)

    json.loads(text)
    text.encode()
    assert text == kept


def test_what_is_nested_without_end_is_kept_as_a_note() -> None:
    value: list[object] = []
    value.append(value)

    assert "nested too deeply" in encode_json(value)
