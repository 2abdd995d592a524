"""Tables of small cases as one test: pytest and xdist need several times as long for a test as such a case takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast

import pytest

F = TypeVar("F", bound=Callable[..., Any])
LONGEST = 500


def each_row(names: str | Sequence[str], rows: Iterable[Any]) -> Callable[[F], F]:
    """Run a test for each row, as ``pytest.mark.parametrize`` does, within one test that tells of all rows that fail.

    The rows share the test's fixtures. So it is for tests that change nothing outside themselves.
    """
    named = [name.strip() for name in names.split(",")] if isinstance(names, str) else [*names]
    table = [_arguments(named, row) for row in rows]
    assert table, "a table without rows tests nothing"

    def spread(test: F) -> F:
        if inspect.iscoroutinefunction(test):

            @wraps(test)
            async def run_all(*own: Any, **fixtures: Any) -> None:
                failed: list[BaseException] = []
                for row in table:
                    with _noting(failed, row):
                        await test(*own, **row, **fixtures)
                _raise(failed)
        else:

            @wraps(test)
            def run_all(*own: Any, **fixtures: Any) -> None:
                failed: list[BaseException] = []
                for row in table:
                    with _noting(failed, row):
                        test(*own, **row, **fixtures)
                _raise(failed)

        signature = inspect.signature(test)
        fixtures = [parameter for name, parameter in signature.parameters.items() if name not in named]
        assert len(fixtures) == len(signature.parameters) - len(named), f"the test does not take all of {named}"
        run_all.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]  # pytest reads it
        return cast(F, run_all)

    return spread


def _arguments(names: Sequence[str], row: Any) -> Mapping[str, Any]:
    if isinstance(row, type(pytest.param())):
        assert not row.marks, "a row has no marks of its own"
        values = row.values
    else:
        values = row if len(names) > 1 else (row,)
    return dict(zip(names, values, strict=True))


@contextmanager
def _noting(failed: list[BaseException], row: Mapping[str, Any]) -> Iterator[None]:
    """Keep the failure of a row and go on."""
    try:
        yield
    except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001  # raised again with the others
        told = ", ".join(f"{name}={value!r}" for name, value in row.items())
        failure.add_note(f"in the row {told[:LONGEST]}")
        failed.append(failure)


def _raise(failed: Sequence[BaseException]) -> None:
    if failed:
        raise BaseExceptionGroup("rows failed", failed)
