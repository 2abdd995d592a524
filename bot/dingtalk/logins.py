"""Who logs in to the pages: DingTalk's login page in a browser, and the free login inside the client.

Docs: platform/dingtalk/login.md
"""

from __future__ import annotations

from bot.access.page_sessions import SPENT_CODE, LoginIdentity, LoginRefused
from bot.dingtalk.apis import ApiCall, Host
from bot.dingtalk.errors import DingTalkOutcomeUnknown, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import part, text

# None of them is counted (docs: platform/dingtalk/limits.md#not-counted). A code is spent by the first call with it.
USER_TOKEN = ApiCall(name="user_token", method="POST", path="/v1.0/oauth2/userAccessToken", billed=False, token=False)
OWN_CONTACT = ApiCall(
    name="own_contact", method="GET", path="/v1.0/contact/users/me", billed=False, token=False, idempotent=True
)
USER_BY_UNION_ID = ApiCall(
    name="user_by_union_id",
    method="POST",
    path="/topapi/user/getbyunionid",
    host=Host.OAPI,
    billed=False,
    idempotent=True,
)
USER_OF_CODE = ApiCall(
    name="user_of_code", method="POST", path="/topapi/v2/user/getuserinfo", host=Host.OAPI, billed=False
)

_NOT_HERE = frozenset({"33012", "60111", "60121"})
"""Nobody of the organisation has this unionId."""
_INTERNAL = "0"


class DingTalkLogins:
    """Implements `bot.access.page_sessions.LoginCodes`."""

    def __init__(self, api: OpenApi) -> None:
        self._api = api

    async def of_browser(self, code: str) -> LoginIdentity:
        """Return who logged in: their own token says who they are, the app's who that is in this organisation."""
        keys = self._api.keys
        asked = {
            "clientId": keys.client_id,
            "clientSecret": keys.client_secret.get_secret_value(),
            "code": code,
            "grantType": "authorization_code",
        }
        try:
            granted = await self._api.call(USER_TOKEN, asked)
        except DingTalkRefused as refused:
            raise LoginRefused(SPENT_CODE) from refused
        token, corp_id = text(granted.get("accessToken")), text(granted.get("corpId"))
        me = await self._api.call(OWN_CONTACT, user_token=token)
        union_id = text(me.get("unionId"))
        if not token or not union_id:
            raise DingTalkOutcomeUnknown(f"{OWN_CONTACT.name}: an answer without a person")
        try:
            answer = await self._api.call(USER_BY_UNION_ID, {"unionid": union_id})
        except DingTalkRefused as refused:
            if refused.code in _NOT_HERE:
                return LoginIdentity(user_id="", corp_id=corp_id)
            raise
        found = part(answer.get("result"))
        is_internal = (text(found.get("contact_type")) or _INTERNAL) == _INTERNAL
        return LoginIdentity(user_id=text(found.get("userid")) if is_internal else "", corp_id=corp_id)

    async def of_client(self, code: str) -> LoginIdentity:
        """Return who has opened a page in the client; the app's token asks, so they are of its organisation."""
        try:
            answer = await self._api.call(USER_OF_CODE, {"code": code})
        except DingTalkRefused as refused:
            raise LoginRefused(SPENT_CODE) from refused
        return LoginIdentity(user_id=text(part(answer.get("result")).get("userid")))
