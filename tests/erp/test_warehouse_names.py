"""Which warehouse people mean."""

from __future__ import annotations

import pytest

from bot.erp.errors import Ambiguous, NotFound
from bot.erp.goods.lists import pick_warehouse
from tests.rows import each_row

PLACES = [("SH", "上海成品仓库"), ("SZ", "苏州仓"), ("SZ2", "苏州备件仓库"), ("W-1", "Main"), ("W-12", "Main annex")]


def picked(wanted: str, places: list[tuple[str, str]] = PLACES) -> str:
    return pick_warehouse(places, wanted, lambda place: place, source="main")[0]


@each_row(
    ("wanted", "code"),
    [
        ("上海仓", "SH"),
        ("上海仓库", "SH"),
        ("上海", "SH"),
        ("成品仓", "SH"),
        (" sh ", "SH"),
        # The whole name, with or without the word for a warehouse, before a part of another's.
        ("苏州仓", "SZ"),
        ("苏州", "SZ"),
        ("苏州仓库", "SZ"),
        ("main", "W-1"),
        ("annex", "W-12"),
        # A code is no part of another code.
        ("W-1", "W-1"),
    ],
)
def test_a_warehouse_is_found_by_how_people_call_it(wanted: str, code: str) -> None:
    assert picked(wanted) == code


@each_row("wanted", ["北京仓", "上海原料仓", "W", ""])
def test_what_no_name_holds_is_not_found(wanted: str) -> None:
    with pytest.raises(NotFound):
        picked(wanted)


@each_row("wanted", ["仓库", "仓", "mai"])
def test_what_several_names_hold_is_not_guessed(wanted: str) -> None:
    with pytest.raises(Ambiguous):
        picked(wanted)
