"""Client for the open platform: signature, tokens, envelopes and errors, lists, details a few at a time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.erp.concurrency import gather_or_cancel
from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    Unsupported,
)
from bot.erp.expiring import ExpiringValue
from bot.erp.http import Http, HttpResponse, refusal, words
from bot.erp.relogin import Relogin
from bot.erp.values import code, number, text
from bot.erp.yonbip.mapping import Row, ValueReader
from bot.erp.yonbip.options import YonBipOptions


def signature(secret: str, parameters: dict[str, str]) -> str:
    """Return the Base64 of the raw HMAC-SHA256 over all names and values, sorted by name, without separators.

    The result is not URL-encoded.
    """
    signed = "".join(name + parameters[name] for name in sorted(parameters))
    return b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).decode()


_DONE = frozenset({"200", "00000"})
_DONE_BEFORE = frozenset({"10004", "100004"})
"""Repeated resubmitCheckKey: the first save counts."""
_EXPIRED = "310036"
_TOO_MANY = frozenset({"310032", "310039", "310042", "310046"})
_NOT_FOUND = frozenset({"404", "1002"})
_SIMPLE: dict[str, type[ErpError]] = {
    "310001": AuthFailed,
    "10018": AuthFailed,
    "310037": NotPermitted,
    "310404": Unsupported,
    "310405": Unsupported,
    "310008": Invalid,
    "310015": Invalid,
    "310023": Invalid,
    "310043": Unavailable,
    # The task is no longer open: somebody else decided first.
    "000-530-401032": Conflict,
}
_BACK_END_SILENT = "310504"
_BAD_TOKEN = re.compile(r"非法\s*token", re.IGNORECASE)
_GONE = re.compile(r"不存在|被删除|未获取到")
_DENIED = re.compile(r"权限|用户身份|绑定.{0,6}用户|用户.{0,6}绑定|permission", re.IGNORECASE)
_TASK_GONE = re.compile(r"未查询到待办")


def unwrap(answer: HttpResponse, *, what: str = "", source: str = "") -> Any:
    """Return an answer's data, or raise its error; ``what`` is the requested document."""
    envelope = answer.data
    if isinstance(envelope, str) and _BAD_TOKEN.search(envelope):
        raise AuthExpired(words(envelope), source=source)
    if not isinstance(envelope, dict):
        if answer.ok:
            raise answer.failure("an answer without an envelope", source=source)
        raise refusal(answer, text(envelope), what=what, source=source)
    result = code(envelope.get("code"))
    if (result in _DONE and answer.ok) or result in _DONE_BEFORE:
        return envelope.get("data")
    raise _error(answer, result, envelope, what, source)


def _error(answer: HttpResponse, result: str, envelope: dict[str, Any], what: str, source: str) -> ErpError:
    message = words(text(envelope.get("message") or envelope.get("msg"))) or f"code {result or answer.status}"
    display = code(envelope.get("displayCode"))
    if result == _EXPIRED or _BAD_TOKEN.search(message):
        return AuthExpired(message, source=source)
    if result in _TOO_MANY:
        return RateLimited(message, source=source, retry_after=answer.retry_after)
    for known in (display, result):
        if known in _SIMPLE:
            return _SIMPLE[known](message, source=source)
    if result == _BACK_END_SILENT:
        return answer.failure(message, source=source)
    if _TASK_GONE.search(message):
        return Conflict(message, source=source)
    if result in _NOT_FOUND or _GONE.search(message):
        # "Deleted or no permission" is a single message: what may not be seen is not found
        # (docs: platform/erp/general.md#nothing-found).
        return NotFound(what, source=source) if what else Invalid(message, source=source)
    if _DENIED.search(message):
        return NotPermitted(message, source=source)
    return Invalid(message, source=source) if answer.ok else refusal(answer, message, what=what, source=source)


def batch_message(data: Any, *, source: str = "") -> str:
    """Return the message of a batch action for its only document.

    The action answers code 200 even for bills that it refused. Raises `NotPermitted`, `Conflict` or `Invalid` depending
    on their message.
    """
    result = data if isinstance(data, dict) else {}
    messages = words("; ".join(map(text, result.get("messages") or ())))
    if number(result.get("failCount")) == 0:
        return messages
    if _DENIED.search(messages):
        raise NotPermitted(messages, source=source)
    if "其他人" in messages:
        raise Conflict(messages, source=source)
    raise Invalid(messages or "the batch action does not say that it was done", source=source)


_GATEWAY = "open-auth/dataCenter/getGatewayAddress"
_TOKEN = "open-auth/selfAppAuth/base/v1/getAccessToken"  # noqa: S105  # an address
_GATEWAY_HOLDS = timedelta(days=1)
_AT_ONCE = 5
"""How many details one call reads concurrently."""


@dataclass(frozen=True, slots=True)
class TenantGateway:
    """The address of a tenant's data centre."""

    calls: str
    tokens: str


@dataclass(frozen=True, slots=True)
class Session:
    """A token and the gateway that accepts it; hidden in reprs."""

    gateway: TenantGateway
    token: str = field(repr=False)


class YonBipClient:
    """One app in one tenant. Raises only `bot.erp.errors`; reads are bounded, writes are sent once."""

    def __init__(self, options: YonBipOptions, *, now: Callable[[], datetime], source: str) -> None:
        self.source = source
        self.options = options
        self.now = now
        self.values = ValueReader(ZoneInfo(options.zone), options.currencies, source=source)
        self._http = Http(options, now=now, source=source)
        self._gateway = ExpiringValue(self._find_gateway, now=now, holds=_GATEWAY_HOLDS)
        self._relogin = Relogin(self._log_in)

    async def close(self) -> None:
        """Close connections. A token cannot be revoked; it expires by itself."""
        await self._http.close()

    # Login

    async def _log_in(self) -> Session:
        gateway = await self._gateway.value()
        parameters = {"appKey": self.options.app_key, "timestamp": str(int(self.now().timestamp() * 1000))}
        signed = signature(self.options.app_secret.get_secret_value(), parameters)
        answer = await self._http.read("GET", f"{gateway.tokens}/{_TOKEN}", params={**parameters, "signature": signed})
        data = self._from_login(answer)
        token = code(data.get("access_token"))
        if not token:
            raise Unavailable("the token service gave no token", source=self.source)
        return Session(gateway, token)

    async def _find_gateway(self) -> TenantGateway:
        """Return the tenant's gateway: data centres differ, and may change (docs: platform/erp/yonbip.md#gateway)."""
        answer = await self._http.read("GET", _GATEWAY, params={"tenantId": self.options.tenant})
        data = self._from_login(answer)
        calls, tokens = (code(data.get(key)).rstrip("/") for key in ("gatewayUrl", "tokenUrl"))
        secure = self.options.url.startswith("https://")
        if not all(url.startswith("https://" if secure else ("http://", "https://")) for url in (calls, tokens)):
            raise Unavailable("the platform does not name the tenant's gateway", source=self.source)
        return TenantGateway(calls, tokens)

    def _from_login(self, answer: HttpResponse) -> dict[str, Any]:
        try:
            data = unwrap(answer, source=self.source)
        except (Invalid, NotFound, NotPermitted, AuthExpired, Unsupported) as error:
            raise AuthFailed(error.detail, source=self.source) from error
        if not isinstance(data, dict):
            raise Unavailable("the platform gave no data", source=self.source)
        return data

    # Calls

    async def read(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: Row | None = None,
        headers: dict[str, str] | None = None,
        what: str = "",
    ) -> Any:
        """Call an API that changes nothing."""

        async def call(session: Session) -> Any:
            # The platform takes the token as a query parameter.
            query = {"access_token": session.token, **(params or {})}
            arguments: dict[str, Any] = {"params": query, "headers": headers or {}}
            if body is not None:
                arguments["json"] = body
            answer = await self._http.read(method, f"{session.gateway.calls}/{path}", **arguments)
            return unwrap(answer, what=what, source=self.source)

        return await self._relogin.run(call)

    async def write(self, path: str, body: Row, *, by: str = "", what: str = "") -> Any:
        """Post a change once, on behalf of a person if their token is known."""

        async def call(session: Session) -> Any:
            query, headers = {"access_token": session.token}, dict(WORKFLOW)
            person = self.options.user_tokens.get(by)
            if person is not None:
                token = person.get_secret_value()
                match self.options.user_token_in:
                    case "header":
                        headers["yht_access_token"] = token
                    case "cookie":
                        headers["Cookie"] = f"yht_access_token={token}"
                    case "query":
                        query["yht_access_token"] = token
            address = f"{session.gateway.calls}/{path}"
            answer = await self._http.write("POST", address, json=body, params=query, headers=headers)
            return unwrap(answer, what=what, source=self.source)

        return await self._relogin.run(call)

    # Lists

    async def rows(self, path: str, body: Row, *, limit: int | None = None, most: int = 0) -> list[Row]:
        """Return the rows of a list, page by page: up to ``limit``, or all.

        Raises `Invalid` if there are more than ``most``, by default the configured maximum.
        """
        most = most or self.options.most_rows
        size = self.options.page_rows if limit is None else min(self.options.page_rows, limit)
        rows: list[Row] = []
        page = 0
        while True:
            page += 1
            data = await self.read("POST", path, body={**body, "pageIndex": page, "pageSize": size})
            found = data.get("recordList") if isinstance(data, dict) else None
            if not isinstance(found, list) or any(not isinstance(row, dict) for row in found):
                raise Invalid(f"{path} did not answer with a list of records", source=self.source)
            rows += found
            if limit is not None and len(rows) >= limit:
                return rows[:limit]
            if len(rows) > most:
                raise Invalid(f"more than {most} rows of {path}: ask for less", source=self.source)
            # A short page is not always the last, and lists count different things.
            if not found or (len(found) < size and len(rows) >= self._count(data)):
                return rows

    async def uncounted_rows(self, path: str, body: Row, *, most: int) -> list[Row]:
        """Return all rows of a list that is a bare array without a count: only an empty page is surely the end.

        Raises `Invalid` if there are more than ``most``.
        """
        rows: list[Row] = []
        page = 0
        while True:
            page += 1
            sent = {**body, "pageIndex": page, "pageSize": self.options.page_rows}
            found = await self.read("POST", path, body=sent)
            # Beyond the last page there may be no array.
            if found is not None and (not isinstance(found, list) or any(not isinstance(row, dict) for row in found)):
                raise Invalid(f"{path} did not answer with an array of records", source=self.source)
            if not found:
                return rows
            rows += found
            if len(rows) > most:
                raise Invalid(f"more than {most} rows of {path}: ask for less", source=self.source)

    def _count(self, data: Row) -> int:
        try:
            return int(number(data.get("recordCount")) or 0)
        except ValueError as error:
            raise Invalid("the count of records is not a number", source=self.source) from error

    async def details(self, path: str, ids: Sequence[str]) -> list[Row]:
        """Return documents by id, in order; documents deleted meanwhile are left out.

        The platform reads details only one by one. Raises `Invalid` for more than the configured maximum.
        """
        if len(ids) > self.options.most_details:
            most = self.options.most_details
            raise Invalid(
                f"{len(ids)} documents to be read one by one, {most} at most: ask for less", source=self.source
            )
        slots = asyncio.Semaphore(_AT_ONCE)

        async def detail(key: str) -> Row | None:
            async with slots:
                try:
                    return await self.detail(path, key)
                except NotFound:
                    return None

        return [row for row in await gather_or_cancel(*map(detail, ids)) if row is not None]

    async def detail(self, path: str, key: str, *, what: str = "") -> Row:
        """Return one document with its lines; raises `NotFound`."""
        data = await self.read("GET", path, params={"id": key}, what=what or key)
        if not isinstance(data, dict) or not data:
            raise NotFound(what or key, source=self.source)
        return data


WORKFLOW = {"restservice": "REST_SERVICE_1.0.0"}
"""The header that selects the workflow service; other services ignore it."""
