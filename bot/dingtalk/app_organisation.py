"""Checks with DingTalk whether the app belongs to an organisation (docs: platform/dingtalk/openapi.md#app-token)."""

from __future__ import annotations

from urllib.parse import quote

from bot.dingtalk.apis import ApiCall
from bot.dingtalk.errors import DingTalkRefused, DingTalkTokenExpired
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import text

# Refused with HTTP 500 for an organisation that does not exist: repeating would not help.
ORGANISATION_TOKEN = ApiCall(name="organisation_token", method="POST", path="", billed=False, token=False)


class DingTalkAppOrganisation:
    """Checks the app's organisation by fetching a token, which only its own organisation grants."""

    def __init__(self, api: OpenApi, base: str) -> None:
        """``base`` is the address of the new API."""
        self._api = api
        self._base = base.rstrip("/")

    async def has_app(self, corp_id: str) -> bool:
        """Return whether the app belongs to this organisation. Raises a `DingTalkError` if there is no answer."""
        keys = self._api.keys
        body = {
            "client_id": keys.client_id,
            "client_secret": keys.client_secret.get_secret_value(),
            "grant_type": "client_credentials",
        }
        address = f"{self._base}/v1.0/oauth2/{quote(corp_id, safe='')}/token"
        try:
            answer = await self._api.call(ORGANISATION_TOKEN, body, address=address)
        except (DingTalkRefused, DingTalkTokenExpired):
            return False
        return bool(text(answer.get("access_token")))
