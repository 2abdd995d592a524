"""The schemes by which senders prove their identity.

Only ``standard`` and ``yonbip`` sign a time. A replayed request is harmless with any of them: the signature covers the
event's id, so a repeated event counts as a duplicate. That is also why a repeat within the window is no error: Standard
Webhooks gives every retry the same ``webhook-id``, since the sender may have missed our answer, and a refusal would
make it retry for ever.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.alerts.intake.json_codec import decode_json
from bot.alerts.intake.port import InvalidSignature
from bot.words.errors import ConfigurationError

TOLERANCE = timedelta(minutes=5)
"""The maximum age of a signature, in either direction (Standard Webhooks)."""
MIN_SECRET = 16
"""Bytes; a shorter secret can be guessed."""

_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request to be verified. ``headers`` ignore the case of names."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class SignatureScheme(Protocol):
    """How one kind of sender proves its identity."""

    def open(self, request: SignedRequest, now: datetime) -> bytes:
        """Return the verified body. Raises `InvalidSignature`."""
        ...


class StandardWebhooksSignature:
    """Standard Webhooks: HMAC-SHA256 over id, time and body."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Accept all valid secrets; raises `ConfigurationError` for one that is not ``whsec_`` and base64."""
        self._keys = [_standard_key(secret) for secret in secrets]

    def sign(self, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """Return the headers for a body that is sent: a signature by each secret, so that any of them verifies it."""
        sent = str(int(now.timestamp()))
        signed = b".".join((message_id.encode(), sent.encode(), body))
        signatures = " ".join(f"v1,{_hmac_base64(key, signed)}" for key in self._keys)
        return {"webhook-id": message_id, "webhook-timestamp": sent, "webhook-signature": signatures}

    def open(self, request: SignedRequest, now: datetime) -> bytes:
        """Return the body. Raises `InvalidSignature`."""
        message_id, sent, signatures = (
            _header(request, f"webhook-{part}") for part in ("id", "timestamp", "signature")
        )
        if not sent.isascii() or not sent.isdigit() or len(sent) > 12:
            raise InvalidSignature("webhook-timestamp must be seconds since 1970")
        if abs(now.timestamp() - int(sent)) > TOLERANCE.total_seconds():
            raise InvalidSignature("webhook-timestamp is too old or in the future")
        signed = b".".join((message_id.encode(), sent.encode(), request.body))
        given = [signature[3:] for signature in signatures.split(" ") if signature.startswith("v1,")]
        _compare(given, [_hmac_base64(key, signed) for key in self._keys])
        return request.body


class FrappeSignature:
    """ERPNext's ``X-Frappe-Webhook-Signature``: HMAC-SHA256 over the raw body.

    Docs: platform/erp/erpnext.md#webhooks
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [_plain_key(secret) for secret in secrets]

    def open(self, request: SignedRequest, now: datetime) -> bytes:
        """Return the body. Raises `InvalidSignature`."""
        given = _header(request, "x-frappe-webhook-signature")
        _compare([given], [_hmac_base64(key, request.body) for key in self._keys])
        return request.body


class SharedToken:
    """A secret in the request, for senders that cannot sign (Odoo, Dolibarr).

    It is in the header ``x-hook-token``, or in the address as ``?token=`` if the sender cannot set headers.

    Docs: platform/erp/odoo.md#webhooks, platform/erp/others.md#webhooks
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._tokens = [_plain_key(secret) for secret in secrets]

    def open(self, request: SignedRequest, now: datetime) -> bytes:
        """Return the body. Raises `InvalidSignature`."""
        given = request.headers.get("x-hook-token") or request.query.get("token")
        if not given:
            raise InvalidSignature("the token is missing")
        _compare([given], [token.decode() for token in self._tokens], what="token")
        return request.body


def _standard_key(secret: str) -> bytes:
    try:
        if not secret.startswith(_PREFIX):
            raise ValueError
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        raise ConfigurationError("a secret for signed hooks must be whsec_ and base64") from None
    return _long_enough(key)


def _plain_key(secret: str) -> bytes:
    return _long_enough(secret.encode())


def _long_enough(key: bytes) -> bytes:
    if len(key) < MIN_SECRET:
        raise ConfigurationError(f"a hook's secret must have {MIN_SECRET} bytes or more")
    return key


def _header(request: SignedRequest, name: str) -> str:
    value = request.headers.get(name)
    if not value:
        raise InvalidSignature(f"{name} is missing")
    return value


def _hmac_base64(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode()


def _compare(given: Sequence[str], right: Sequence[str], what: str = "signature") -> None:
    """Raise `InvalidSignature` unless a given value matches a right one; takes constant time."""
    matches = [hmac.compare_digest(key.encode(), other.encode(errors="replace")) for key in right for other in given]
    if not any(matches):
        raise InvalidSignature(f"the {what} is wrong")


class YonBipSignature:
    """YonBIP's event subscription: signed values, encrypted event (docs: platform/erp/yonbip.md#push).

    ``secrets`` are the application's secret, ``aes_key`` its EncodingAESKey of 43 characters, ``app_key`` the end of
    every plain text. The vendor repeats an event for 24 h and does not say whether it signs it again, so the time is
    not checked; event ids make a repeat harmless.
    """

    def __init__(self, secrets: Sequence[str], *, aes_key: str, app_key: str) -> None:
        """Raises `ConfigurationError` for an invalid key, or if the decryption package is missing."""
        self._keys = [_plain_key(secret) for secret in secrets]
        self._app_key = app_key.encode()
        try:
            self._aes_key = base64.b64decode(f"{aes_key}=", validate=True)
        except binascii.Error:
            self._aes_key = b""
        if len(self._aes_key) != 32 or not app_key:
            raise ConfigurationError("YonBIP's push needs app_key and the EncodingAESKey of 43 characters as aes_key")
        try:
            import cryptography  # noqa: F401 - needed when the first event comes
        except ImportError:
            raise ConfigurationError("YonBIP's push needs the extra `yonbip` (package cryptography)") from None

    def open(self, request: SignedRequest, now: datetime) -> bytes:
        """Return the decrypted message.

        Raises `InvalidSignature`, and `bot.alerts.intake.port.InvalidJson` if it is not JSON.
        """
        sent = decode_json(request.body)
        if not isinstance(sent, Mapping):
            raise InvalidSignature("signature is missing")
        values = [sent.get(name) for name in ("timestamp", "nonce", "encrypt")]
        texts = [value if isinstance(value, str) else str(value) for value in values if value]
        given = sent.get("signature")
        if len(texts) < 3 or not isinstance(given, str):
            raise InvalidSignature("signature, timestamp, nonce or encrypt is missing")
        signed = "".join(sorted(texts)).encode(errors="replace")
        _compare([given], [_hmac_base64(key, signed) for key in self._keys])
        return self._decrypted(texts[2])

    def _decrypted(self, sealed: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        try:
            decryptor = Cipher(algorithms.AES(self._aes_key), modes.CBC(self._aes_key[:16])).decryptor()
            plain = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
            length = int.from_bytes(plain[16:20], "big")
            message, rest = plain[20 : 20 + length], plain[20 + length :]
            # The application's key follows, and PKCS#7 padding to whole blocks of 32 bytes.
            right = len(message) == length and rest[: len(self._app_key)] == self._app_key
        except ValueError:
            right = False
        if not right:
            raise InvalidSignature("the message cannot be decrypted with this key")
        return message
