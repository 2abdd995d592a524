"""Verdicts as signed tokens (JWS with Ed25519, RFC 8037), and the public keys by which anybody verifies them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key by which verdicts are signed. ``secret`` are its 32 bytes; ``made_at`` says which is the newest."""

    secret: bytes
    made_at: datetime

    @staticmethod
    def new(now: datetime) -> SigningKey:
        """Make a key."""
        return SigningKey(Ed25519PrivateKey.generate().private_bytes_raw(), now)

    @property
    def id(self) -> str:
        """The name of the key in a token's header: its thumbprint (RFC 7638)."""
        jwk = {name: self._public()[name] for name in ("crv", "kty", "x")}
        return _encoded(sha256(json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    @property
    def public(self) -> Mapping[str, str]:
        """The public key as a JWK."""
        return {**self._public(), "kid": self.id, "alg": "EdDSA", "use": "sig"}

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a token with claims."""
        header = {"alg": "EdDSA", "kid": self.id, "typ": "JWT"}
        signed = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{signed}.{_encoded(self._private.sign(signed.encode()))}"

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)

    def _public(self) -> Mapping[str, str]:
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": _encoded(raw)}


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
