"""Sealed values: text in the database that nobody can read or change without the key (AES-256, authenticated).

There are two kinds of keys: the company's own, kept outside the database, wraps data keys, kept inside. So the
company's key can be changed without rewriting every value, and data keys can be changed while the bot runs.
"""

from __future__ import annotations

import os
import zlib
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from bot.words.errors import ConfigurationError, DingerpError

KEY_FILE = "dingerp.key"
"""The file that the bot creates if no key is configured."""

KEY_BYTES = 32
LOOKUP_BYTES = 64
"""AES-SIV takes two keys of 256 bits as one."""

_NONCE_BYTES = 12
"""Random values of this size suffice for 2³² values under one key (NIST SP 800-38D, 8.3)."""

RandomBytes = Callable[[int], bytes]


class WrongDataKey(ConfigurationError):
    """The company's key does not open this database, or is missing."""


class NotOpened(DingerpError):
    """A sealed value that cannot be read; retrying does not help."""


class UnknownDataKey(NotOpened):
    """A value was sealed with a data key that is not in the ring."""


class BrokenSeal(NotOpened):
    """A value was changed, moved from elsewhere, or never sealed."""


@dataclass(frozen=True, slots=True)
class CompanyKey:
    """The key outside the database; it wraps the keys inside."""

    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, random: RandomBytes = os.urandom) -> CompanyKey:
        """Return a new key."""
        return cls(random(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> CompanyKey:
        """Return the key in the format of `text`. Raises `WrongDataKey` for anything else; passwords are not keys."""
        try:
            secret = urlsafe_b64decode(text.strip().encode())
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES:
            raise WrongDataKey("the data key is no key: it must be one line that `dingerp data new-key` prints")
        return cls(secret)

    @property
    def text(self) -> str:
        """The key in the format of a file or a variable."""
        return urlsafe_b64encode(self.secret).decode()

    @property
    def name(self) -> str:
        """A name that identifies the key to people without revealing anything of it."""
        return sha256(b"dingerp data key" + self.secret).hexdigest()[:8]

    def wrap(self, data_key: bytes, label: str, random: RandomBytes = os.urandom) -> str:
        """Return a data key in its stored form; ``label`` identifies it."""
        nonce = random(_NONCE_BYTES)
        return b64encode(nonce + AESGCM(self.secret).encrypt(nonce, data_key, label.encode())).decode()

    def unwrap(self, wrapped: str, label: str) -> bytes:
        """Return the data key. Raises `BrokenSeal` if another key wrapped it."""
        return _opened(AESGCM(self.secret), wrapped, label)


def parse_keys(text: str) -> tuple[CompanyKey, ...]:
    """Return the keys in a file or variable, separated by blanks, commas or line ends.

    Raises `WrongDataKey` if there is none, or anything else.
    """
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    keys = tuple(CompanyKey.parse(word) for line in lines for word in line.replace(",", " ").split())
    if not keys:
        raise WrongDataKey("there is no data key")
    return keys


class KeyRing:
    """The data keys: the newest seals, all of them open."""

    def __init__(self, keys: Mapping[int, bytes], lookup: bytes, *, random: RandomBytes = os.urandom) -> None:
        """``keys`` are the data keys by number; ``lookup`` seals searchable values."""
        self.newest = max(keys)
        self.numbers = frozenset(keys)
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._lookup = AESSIV(lookup)
        self._random = random

    def seal(self, text: str, place: str, *, compressed: bool = True) -> str:
        """Return ``text`` sealed for ``place``, such as a column: it opens nowhere else. An empty text stays empty.

        Short-lived values need not be ``compressed``, which takes ten times as long as the rest.
        """
        if not text:
            return text
        nonce, plain = self._random(_NONCE_BYTES), text.encode()
        if compressed or plain.startswith(_SQUEEZED):
            plain = _squeezed(plain)
        sealed = self._ciphers[self.newest].encrypt(nonce, plain, place.encode())
        return f"{sealed_prefix(self.newest)}{b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """Return the text sealed for ``place``. Raises `UnknownDataKey` and `BrokenSeal`."""
        if not sealed:
            return sealed
        head, colon, body = sealed.partition(":")
        if not colon or head[:1] != "s" or not head[1:].isdecimal():
            raise BrokenSeal(f"a value of {place} is not sealed")
        cipher = self._ciphers.get(int(head[1:]))
        if cipher is None:
            raise UnknownDataKey(f"a value of {place} was sealed by data key {head[1:]}, which is gone")
        return _stretched(_opened(cipher, body, place)).decode()

    def seal_same(self, text: str, place: str) -> str:
        """Return ``text`` sealed deterministically, so that it can be searched (AES-SIV, RFC 5297).

        It reveals which values are equal, and no more. Its key never changes.
        """
        if not text:
            return text
        return f"k:{b64encode(self._lookup.encrypt(text.encode(), [place.encode()])).decode()}"

    def open_same(self, sealed: str, place: str) -> str:
        """Return the text that `seal_same` sealed for ``place``. Raises `BrokenSeal`."""
        if not sealed:
            return sealed
        if not sealed.startswith("k:"):
            raise BrokenSeal(f"a value of {place} is not sealed")
        try:
            return self._lookup.decrypt(b64decode(sealed[2:]), [place.encode()]).decode()
        except (InvalidTag, ValueError):
            raise BrokenSeal(f"a value of {place} was changed") from None


_SQUEEZED = b"\0"
"""The first byte of a value compressed before sealing; no other sealed text begins with it."""

_SHORT = 40
"""Bytes not worth compressing."""
_LONG = 100_000
"""From this many bytes on, speed matters more than size."""

_WORDS: Final = (
    b'"items":[{"sku":"","ordered":"","open":"","unit_price":"","requester":"","expected_on":"","facts":[{"label":"","v'
    b'alue":""}],"text":"","resolved":true,"severity":"critical","type":"order.created","type":"order.changed","type":"'
    b'order.late","type":"po.submitted","type":"po.changed","type":"production.late","type":"stock.out","specversion":"'
    b'1.0","source":"/erp/main","time":"2026-11-27T12:00:00.000000+00:00","data":{"name":"","warehouse":"","available":'
    b'"","reorder_point":"","unit":"","customer":"","supplier":"","company":"","category":"","title":"","link":"https:/'
    b'/erp.","owner":"","part":0,"type":"invoice.overdue","subject":"","amount":["00.00","CNY"],"due_on":"2026-","data"'
    b':{"customer":"","total":"","currency":"CNY","{"source":"main","id":"","part":0,"type":"stock.low","subject":"","a'
    b't":1795","received":1795","severity":"warning","warehouse":"","quantity":"0","title":"","data":{"warehouse":"","u'
    b'nit":"\xe4\xb8\xaa","name":"","available":"0","reorder_point":"00"}}'
)
"""Typical words of stored texts: a short text repeats too little by itself. Never change it: it opens existing
values.
"""


def _squeezed(plain: bytes) -> bytes:
    """Return a text compressed (RFC 1951), or unchanged if that is no longer."""
    if len(plain) < _SHORT and not plain.startswith(_SQUEEZED):
        return plain
    window, memory = (-15, 8) if len(plain) > 4 * _SHORT * _SHORT else (-12, 4)  # a short text needs no large tables
    level = 1 if len(plain) > _LONG else 6
    compressor = zlib.compressobj(level, zlib.DEFLATED, window, memory, zlib.Z_DEFAULT_STRATEGY, _WORDS)
    squeezed = _SQUEEZED + compressor.compress(plain) + compressor.flush()
    return squeezed if len(squeezed) < len(plain) or plain.startswith(_SQUEEZED) else plain


def _stretched(squeezed: bytes) -> bytes:
    if not squeezed.startswith(_SQUEEZED):
        return squeezed
    decompressor = zlib.decompressobj(-15, _WORDS)
    return decompressor.decompress(squeezed[1:]) + decompressor.flush()


def sealed_prefix(number: int) -> str:
    """Return the common prefix of all values sealed with a data key."""
    return f"s{number}:"


def _opened(cipher: AESGCM, body: str, place: str) -> bytes:
    try:
        sealed = b64decode(body)
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError):
        raise BrokenSeal(f"a value of {place} was changed, or another key sealed it") from None
