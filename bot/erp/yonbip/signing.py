"""The signature of a request for a token (ERP sheet, 2A, authentication)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode


def signature(secret: str, parameters: dict[str, str]) -> str:
    """Return Base64 of the raw HMAC-SHA256 over all names and values, by name, with nothing between them.

    It is not yet encoded for a URL: that is done once, by whoever writes the URL.
    """
    signed = "".join(name + parameters[name] for name in sorted(parameters))
    return b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).decode()
