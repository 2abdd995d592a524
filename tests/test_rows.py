"""Tables of cases tell of all rows that fail, and run them all."""

from __future__ import annotations

import asyncio

import pytest

from tests.rows import each_row

ran: list[tuple[int, str]] = []


@each_row("number", [1, 2])
@each_row(("sign", "expected"), [("a", "a"), pytest.param("b", "b", id="named")])
def test_rows_are_multiplied_and_fixtures_stay(number: int, sign: str, expected: str, tmp_path: object) -> None:
    assert tmp_path is not None
    assert sign == expected
    ran.append((number, sign))


def test_all_were_run() -> None:
    ran.clear()
    test_rows_are_multiplied_and_fixtures_stay(tmp_path="")  # type: ignore[call-arg]
    assert ran == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_each_row_that_fails_is_named() -> None:
    @each_row("number", [1, 2, 3])
    def odd(number: int) -> None:
        if number == 3:
            with pytest.raises(ValueError):  # noqa: PT011  # it does not
                pass
        assert number % 2

    with pytest.raises(BaseExceptionGroup) as failure:
        odd()  # type: ignore[call-arg]
    assert [type(each).__name__ for each in failure.value.exceptions] == ["AssertionError", "Failed"]
    assert [each.__notes__ for each in failure.value.exceptions] == [["in the row number=2"], ["in the row number=3"]]


def test_rows_of_what_waits() -> None:
    @each_row("number", [1, 2, 3])
    async def odd(number: int) -> None:
        await asyncio.sleep(0)
        assert number % 2

    with pytest.raises(ExceptionGroup) as failure:
        asyncio.run(odd())  # type: ignore[call-arg]
    assert [each.__notes__ for each in failure.value.exceptions] == [["in the row number=2"]]


def test_a_table_is_never_empty_nor_are_names_mistaken() -> None:
    with pytest.raises(AssertionError, match="tests nothing"):
        each_row("number", [])
    with pytest.raises(AssertionError, match="does not take all"):
        each_row("numbers", [1])(lambda number: None)
    with pytest.raises(AssertionError, match="marks"):
        each_row("number", [pytest.param(1, marks=pytest.mark.soak)])
