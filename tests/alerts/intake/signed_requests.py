"""Requests as senders sign them, written here anew: a test that signs with the code it tests proves nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime

KEY = bytes(range(24))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
OTHER_KEY = bytes(range(100, 132))
OTHER_SECRET = f"whsec_{base64.b64encode(OTHER_KEY).decode()}"


def standard_signature(body: bytes, message_id: str, seconds: int, key: bytes = KEY) -> str:
    """Return ``v1,…`` as the specification of Standard Webhooks describes it."""
    signed = f"{message_id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def sign(
    body: bytes,
    at: datetime,
    *,
    message_id: str = "msg_1",
    key: bytes = KEY,
    media: str = "application/cloudevents-batch+json",
) -> dict[str, str]:
    """Return the headers of a signed request."""
    seconds = int(at.timestamp())
    return {
        "Content-Type": media,
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": standard_signature(body, message_id, seconds, key),
    }
