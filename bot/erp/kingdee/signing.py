"""Signatures of the WebAPI: the headers of a third-party app, and the sign of its login (ERP sheet, 1.3 and 1.4)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass
from urllib.parse import quote

_MASK = b"0054f397c6234378b09ca7d3e5debce7"
"""Hides the client secret inside the app id; the same for everybody."""
_HIDDEN = 32
"""Characters of the app id's second part; with any other number the vendor's own client signs with no secret."""


@dataclass(frozen=True, slots=True)
class App:
    """A third-party app and the account in whose name it calls; never shown."""

    app_id: str
    secret: str
    acct_id: str
    user: str
    lcid: int
    org: str = "0"
    """Number of an organisation; ``0`` is the account's own."""

    def __repr__(self) -> str:
        return "App(…)"

    def headers(self, path: str, *, seconds: int) -> dict[str, str]:
        """Return the headers that sign a POST to ``path`` (with its leading slash) at a Unix time."""
        client, _, hidden = self.app_id.partition("_")
        stamp = str(seconds)
        signed = quote(path, safe="/").replace("/", "%2F")
        text = f"POST\n{signed}\n\nx-api-nonce:{stamp}\nx-api-timestamp:{stamp}\n"
        account = f"{self.acct_id},{self.user},{self.lcid},{self.org}"
        return {
            "X-Api-ClientID": client,
            "X-Api-Auth-Version": "2.0",
            "x-api-timestamp": stamp,
            "x-api-nonce": stamp,
            "x-api-signheaders": "x-api-timestamp,x-api-nonce",
            "X-Api-Signature": sign(text, client_secret(hidden)),
            "X-Kd-Appkey": self.app_id,
            "X-Kd-Appdata": b64encode(account.encode()).decode(),
            "X-Kd-Signature": sign(self.app_id + account, self.secret),
        }

    def login_sign(self, *, seconds: int) -> str:
        """Return the sign of ``LoginBySign`` at a Unix time."""
        parts = sorted((self.acct_id, self.user, self.app_id, self.secret, str(seconds)))
        return hashlib.sha256("".join(parts).encode()).hexdigest()


def client_secret(hidden: str) -> str:
    """Return the secret that the second part of an app id hides; raises `ValueError` where it is no Base64."""
    if len(hidden) != _HIDDEN:
        return ""
    plain = bytes(byte ^ mask for byte, mask in zip(b64decode(hidden, validate=True), _MASK, strict=False))
    return b64encode(plain).decode()


def sign(text: str, key: str) -> str:
    """Return Base64 of the *hexadecimal text* of HMAC-SHA256, as this vendor wants it."""
    return b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()
