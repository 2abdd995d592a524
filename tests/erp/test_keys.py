"""Codes and numbers as people type them, and hashes of a record's content."""

from __future__ import annotations

import pytest

from bot.erp.errors import Ambiguous, NotFound
from bot.erp.keys import batches, checked_key, fingerprint, pick_by_key, spelled_alike, spellings


def pick(rows: list[str], wanted: str) -> str:
    return pick_by_key(rows, wanted, str, source="acme")


def test_the_spelling_of_the_erp_comes_first() -> None:
    assert pick(["so-1", "SO-1"], "SO-1") == "SO-1"
    assert pick(["SO-1", "SO-10"], "so-1") == "SO-1"
    assert spelled_alike(["A", "a", "A"], "A", str) == ["A", "A"]
    assert spelled_alike(["A", "a"], "b", str) == []


def test_none_and_several_are_errors() -> None:
    with pytest.raises(NotFound) as missing:
        pick(["SO-10"], "SO-1")
    assert missing.value.source == "acme"
    with pytest.raises(Ambiguous, match="2 records are called so-1"):
        pick(["SO-1", "So-1"], "so-1")


def test_keys_worth_asking_for() -> None:
    for key in ("SO-1", "*12", "Ünïcode ü", "生产 1", "a\u3000b", "."):
        assert checked_key(key, source="acme") == key
    for key in ("", " ", "a\tb", "a\0", "\udcff"):
        with pytest.raises(NotFound):
            checked_key(key, source="acme")
    with pytest.raises(NotFound, match=r"xxxx$"):
        checked_key("x" * 9, source="acme", longest=4)


def test_a_fingerprint_tells_parts_apart() -> None:
    assert fingerprint("a", 1) == fingerprint("a", 1)
    assert len({fingerprint("a", 1), fingerprint("a", "1"), fingerprint("a1"), fingerprint(("a", 1))}) == 4


def test_codes_are_spelled_in_both_cases_and_named_once() -> None:
    assert spellings("Po-1") == ["Po-1", "PO-1", "po-1"]
    assert spellings("7", "a#7", "7") == ["7", "a#7", "A#7"]


def test_keys_are_named_in_parts() -> None:
    assert batches([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert batches([], 2) == []
