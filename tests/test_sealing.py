"""Sealed values open with their key and at their place alone."""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from bot.words.sealing import (
    _WORDS,
    KEY_BYTES,
    LOOKUP_BYTES,
    BrokenSeal,
    CompanyKey,
    KeyRing,
    UnknownDataKey,
    WrongDataKey,
    sealed_prefix,
)

OLD, NEW, LOOKUP = b"o" * KEY_BYTES, b"n" * KEY_BYTES, b"l" * LOOKUP_BYTES
RING = KeyRing({1: OLD, 2: NEW}, LOOKUP)


@given(text=st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    assert RING.open(RING.seal(text, "event.raw"), "event.raw") == text
    assert RING.open(RING.seal(text, "inbox.payload", compressed=False), "inbox.payload") == text
    assert RING.open_same(RING.seal_same(text, "alert.key"), "alert.key") == text


def test_a_long_text_is_compressed_and_one_that_looks_so_is_not_mistaken_for_it() -> None:
    event = '{"specversion":"1.0","source":"/erp/main","type":"stock.low","subject":"SKU1","data":{"available":"3"}}'
    assert len(RING.seal(event, "event.raw")) < len(event)
    for text in ("\0", "\0x", "\0" * 100, event * 5_000, "\U0001f529" * 30):
        for compressed in (True, False):
            assert RING.open(RING.seal(text, "event.raw", compressed=compressed), "event.raw") == text
    assert len(RING.seal(event, "inbox.payload", compressed=False)) > len(event)


def test_what_was_sealed_before_texts_were_compressed_still_opens() -> None:
    nonce, text = b"n" * 12, "甲公司 1280.00 " * 20
    sealed = b64encode(nonce + AESGCM(NEW).encrypt(nonce, text.encode(), b"event.raw")).decode()
    assert RING.open(f"{sealed_prefix(2)}{sealed}", "event.raw") == text


def test_compressed_texts_open_for_ever() -> None:
    """The dictionary that short texts are compressed with is a part of what is stored: it must not change."""
    assert sha256(_WORDS).hexdigest() == "89940673906384a46b74e5bb5a1881cf78b1a1197df9bca78b011ba349595d81"


def test_a_sealed_value_shows_nothing_and_never_looks_the_same() -> None:
    first, second = RING.seal("甲公司 1280.00", "event.raw"), RING.seal("甲公司 1280.00", "event.raw")
    assert first != second
    assert "1280" not in first
    assert RING.seal("", "event.raw") == ""


def test_values_to_search_for_look_the_same_in_one_column_only() -> None:
    assert RING.seal_same("甲公司", "alert.key") == RING.seal_same("甲公司", "alert.key")
    assert RING.seal_same("甲公司", "alert.key") != RING.seal_same("甲公司", "alert_card.shared")


def test_the_newest_key_seals_and_older_ones_open() -> None:
    old = KeyRing({1: OLD}, LOOKUP).seal("x", "event.raw")
    assert old.startswith(sealed_prefix(1))
    assert RING.open(old, "event.raw") == "x"
    assert RING.seal("x", "event.raw").startswith(sealed_prefix(2))
    with pytest.raises(UnknownDataKey, match="data key 2"):
        KeyRing({1: OLD}, LOOKUP).open(RING.seal("x", "event.raw"), "event.raw")


@pytest.mark.parametrize("text", ["plain", "s:x", "s1:", "s1:!!", "s1:QUJD", "sx:QUJD", "s²:QUJD", "k:QUJD"])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(BrokenSeal):
        RING.open(text, "event.raw")
    with pytest.raises(BrokenSeal):
        RING.open_same(text, "event.raw")


def test_a_value_opens_neither_changed_nor_at_another_place() -> None:
    sealed = RING.seal("1280.00", "approval_vote.amount")
    changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for value, place in ((changed, "approval_vote.amount"), (sealed, "event.raw")):
        with pytest.raises(BrokenSeal):
            RING.open(value, place)


def test_the_company_s_key_wraps_data_keys_and_shows_itself_nowhere() -> None:
    key, other = CompanyKey.generate(), CompanyKey.generate(os.urandom)
    assert CompanyKey.parse(f" {key.text}\n") == key
    wrapped = key.wrap(NEW, "data key 2")
    assert key.unwrap(wrapped, "data key 2") == NEW
    with pytest.raises(BrokenSeal):
        other.unwrap(wrapped, "data key 2")
    with pytest.raises(BrokenSeal):
        key.unwrap(wrapped, "data key 1")
    assert key.text not in repr(key)
    assert key.name != other.name


@pytest.mark.parametrize("text", ["", "password", "ä" * 44, "QUJD", "*" * 44])
def test_a_password_is_no_key(text: str) -> None:
    with pytest.raises(WrongDataKey, match="dingerp data new-key"):
        CompanyKey.parse(text)
