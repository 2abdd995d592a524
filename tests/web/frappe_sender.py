"""ERPNext as a sender of webhooks: it renders a body, writes it as JSON and signs it as Frappe does.

Docs: platform/erp/erpnext.md#webhooks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from aiohttp import ClientSession
from jinja2 import DebugUndefined
from jinja2.sandbox import SandboxedEnvironment


class FrappeMapping(dict[str, Any]):
    """Frappe's ``_dict``: attributes are keys, and None where there is no such key."""

    __getattr__ = dict.get


def render_body(template: str, document: dict[str, Any]) -> bytes:
    """Return the body that Frappe sends; raises what makes Frappe send nothing."""
    environment = SandboxedEnvironment(undefined=DebugUndefined)
    rendered = environment.from_string(template).render(doc=FrappeMapping(document))
    return json.dumps(json.loads(rendered)).encode()


async def send(client: ClientSession, url: str, body: bytes, secret: str) -> tuple[int, Any]:
    """Post a signed body without a content type; return status and decoded answer."""
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"X-Frappe-Webhook-Signature": signature}
    async with client.post(url, data=body, headers=headers, skip_auto_headers=["Content-Type"]) as answer:
        return answer.status, json.loads(await answer.text())
