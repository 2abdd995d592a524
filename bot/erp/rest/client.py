"""Configured requests to an API: credentials, pages, envelopes, and refusals as our errors."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from yarl import URL

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
)
from bot.erp.http import Http, HttpResponse, refusal, words
from bot.erp.mapped import values
from bot.erp.mapped.values import ValueUnreadable
from bot.erp.relogin import Relogin
from bot.erp.rest.accounts import (
    Account,
    BasicAccount,
    BearerAccount,
    HeaderAccount,
    LoginAccount,
    OAuth2Account,
    QueryAccount,
)
from bot.erp.rest.options import RestOptions
from bot.erp.rest.query import as_list, fill, fill_params, fill_path, look
from bot.erp.rest.requests import ListRead, ReadTemplate, WriteTemplate


@dataclass(frozen=True, slots=True)
class RequestCredentials:
    """What a request carries."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)


def static_credentials(account: Account) -> RequestCredentials:
    """Return the credentials of an account whose key does not expire."""
    match account:
        case BearerAccount():
            return RequestCredentials({"Authorization": f"Bearer {account.token.get_secret_value()}"})
        case BasicAccount():
            return RequestCredentials({"Authorization": _basic(account.user, account.password.get_secret_value())})
        case HeaderAccount():
            return RequestCredentials({account.name: account.key.get_secret_value()})
        case QueryAccount():
            return RequestCredentials(params={account.name: account.key.get_secret_value()})
        case _:
            return RequestCredentials()


def login_call(account: Account, http: Http) -> Callable[[], Awaitable[RequestCredentials]] | None:
    """Return how an account logs in; None if its key does not expire.

    The login raises `AuthFailed` for a wrong account, `Unavailable` for an answer without sense.
    """
    if isinstance(account, OAuth2Account):
        return lambda: _client_credentials(account, http)
    if isinstance(account, LoginAccount):
        return lambda: _token(account, http)
    return None


async def _client_credentials(account: OAuth2Account, http: Http) -> RequestCredentials:
    secret = account.client_secret.get_secret_value()
    form = {"grant_type": "client_credentials"} | ({"scope": account.scope} if account.scope else {})
    headers: dict[str, str] = {"Accept": "application/json"}
    if account.send == "header":
        # Both are form-encoded first (RFC 6749, 2.3.1), so that a colon inside does not separate.
        headers["Authorization"] = _basic(quote_plus(account.client_id), quote_plus(secret))
    else:
        form |= {"client_id": account.client_id, "client_secret": secret}
    answer = await http.read("POST", account.token_path, data=form, headers=headers)
    # Tokens of other types (RFC 6749, 7.1) need more than a header; no API offers them to such clients.
    return RequestCredentials({"Authorization": f"Bearer {_of(answer, 'access_token', http.source)}"})


async def _token(account: LoginAccount, http: Http) -> RequestCredentials:
    given = {"user": account.user, "password": account.password.get_secret_value()}
    answer = await http.read("POST", account.path, json=fill(account.body, given))
    return RequestCredentials({account.header: f"{account.prefix}{_of(answer, account.token, http.source)}"})


def _of(answer: HttpResponse, path: str, source: str) -> str:
    """Return the token in the answer to a login. An OAuth server refuses with 400 or 401 (RFC 6749, 5.2)."""
    try:
        token: Any = look(answer.checked(source=source), path)
    except NotFound:
        raise Unavailable("there is no login at this address", source=source) from None
    except (Invalid, NotPermitted) as error:
        raise AuthFailed("the account is refused", source=source) from error
    if not isinstance(token, str) or not token:
        # Some answer 200 to a wrong password and leave the token out.
        raise AuthFailed("the login gave no token", source=source)
    return token


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


_MEANINGS: Mapping[str, type[ErpError]] = {
    "auth_expired": AuthExpired,
    "auth_failed": AuthFailed,
    "not_permitted": NotPermitted,
    "conflict": Conflict,
    "rate_limited": RateLimited,
    "unavailable": Unavailable,
    "invalid": Invalid,
}


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some records of a list, and how many there are in all if the API says so."""

    items: list[Any]
    total: int | None


@dataclass(frozen=True, slots=True)
class _PreparedRequest:
    """What was asked, ready to send."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: Any = None


class RestClient:
    """One API; ``close`` it."""

    def __init__(self, http: Http, options: RestOptions) -> None:
        self._http = http
        self._options = options
        self._base = URL(options.url.rstrip("/") + "/")
        self._credentials = static_credentials(options.account)
        login = login_call(options.account, http)
        self._relogin = None if login is None else Relogin(login)

    async def one(self, read: ReadTemplate, given: Mapping[str, Any], *, what: str) -> Any:
        """Return what one read finds; raises `NotFound` for nothing."""
        if read.pattern and not re.fullmatch(read.pattern, what):
            raise NotFound(what, source=self._http.source)
        answer = await self._answer(_sent(read, given), what=what, missing=read.missing)
        found = look(answer.data, read.at)
        if found is None or found == []:
            raise NotFound(what, source=self._http.source)
        return found

    async def part(self, read: ListRead, given: Mapping[str, Any], *, start: int = 0, want: int) -> ListPage:
        """Return records from ``start`` on, as many as ``want`` or all there are, page by page.

        Raises `Invalid` if the API keeps giving the same page, or less than it says there is.
        """
        size = min(read.paging.size, want) if read.paging else want
        place = {"limit": size, "offset": start, "page": read.paging.first if read.paging else 1, "cursor": ""}
        sent: _PreparedRequest | None = _sent(read, {**given, **place})
        items: list[Any] = []
        page: list[Any] = []
        total: int | None = None
        while sent is not None:
            try:
                answer = await self._answer(sent, missing=read.missing)
            except NotFound:
                return ListPage(items, total)
            before, page = page, self._listed(look(answer.data, read.at))
            total = self._count(look(answer.data, read.total)) if read.total else None
            if page and page == before:
                raise Invalid("every page of a list is the same: is its paging configured?", source=self._http.source)
            items += page
            over = not page or len(items) >= want or (total is not None and start + len(items) >= total)
            if not over and read.paging is None and total is not None:
                raise Invalid("a list is longer than its answer, and has no paging", source=self._http.source)
            sent = None if over else self._following(read, given, place, answer, sent, start + len(items))
        return ListPage(items[:want], total)

    def _following(
        self,
        read: ListRead,
        given: Mapping[str, Any],
        place: dict[str, Any],
        answer: HttpResponse,
        sent: _PreparedRequest,
        offset: int,
    ) -> _PreparedRequest | None:
        """Return the request for the page after ``answer``, None if that was the last; moves ``place`` on."""
        if read.paging is None:
            return None
        if read.paging.by == "next":
            return self._next(answer, read.paging.next, sent)
        place |= {"offset": offset, "page": place["page"] + 1}
        if read.paging.by == "cursor":
            place["cursor"] = values.text(look(answer.data, read.paging.next))
            if not place["cursor"]:
                return None
        return _sent(read, {**given, **place})

    async def act(self, act: WriteTemplate, given: Mapping[str, Any], *, what: str) -> str:
        """Send a write, once; returns the ERP's own words."""
        sent = _sent(act, given)
        answer = await self._answer(sent, send=self._http.write, what=what)
        text = look(answer.data, act.text) if act.text else None
        return words(text) if isinstance(text, str) else ""

    async def close(self) -> None:
        """Give connections back."""
        await self._http.close()

    async def _answer(
        self,
        sent: _PreparedRequest,
        *,
        send: Callable[..., Awaitable[HttpResponse]] | None = None,
        what: str | None = None,
        missing: Collection[int] = (),
    ) -> HttpResponse:
        """Return an answer that is no refusal. ``what``: what it is about, None for a list."""
        send = send or self._http.read

        async def ask(login: RequestCredentials) -> HttpResponse:
            how: dict[str, Any] = {} if sent.body is None else {"json": sent.body}
            headers = {"Accept": "application/json", **self._options.headers, **sent.headers, **login.headers}
            answer = await send(sent.method, sent.path, params={**sent.params, **login.params}, headers=headers, **how)
            if answer.status in missing:
                raise NotFound(what or "", source=self._http.source)
            return self._checked(answer, what)

        if self._relogin is not None:
            return await self._relogin.run(ask)
        try:
            return await ask(self._credentials)
        except AuthExpired:
            raise AuthFailed("the account is refused", source=self._http.source) from None

    def _checked(self, answer: HttpResponse, what: str | None) -> HttpResponse:
        source = self._http.source
        found = look(answer.data, self._options.error) if self._options.error else None
        text = words(found) if isinstance(found, str) else ""
        if not answer.ok:
            error = refusal(answer, text, what=what or "", source=source)
            if isinstance(error, NotFound) and what is None:
                raise Invalid("there is no list at this address (status 404)", source=source)
            raise error
        envelope = self._options.envelope
        if envelope is not None:
            code = look(answer.data, envelope.at)
            if code is None:
                raise answer.failure("an answer without its envelope", source=source)
            if values.key(code) not in envelope.good:
                raise self._meant(
                    envelope.errors.get(values.key(code), "invalid"), text or f"code {code}", what, answer
                )
        if isinstance(answer.data, str):
            raise answer.failure("an answer that is no JSON", source=source)
        return answer

    def _meant(self, meaning: str, text: str, what: str | None, answer: HttpResponse) -> ErpError:
        source = self._http.source
        if meaning == "not_found":
            return NotFound(what or "", source=source)
        if meaning == "rate_limited":
            return RateLimited(text, source=source, retry_after=answer.retry_after)
        # If the envelope says unavailable, nothing was done. Only a broken server leaves that open.
        return _MEANINGS[meaning](text, source=source)

    def _listed(self, found: Any) -> list[Any]:
        rows = as_list(found)
        if rows is None:
            return []
        if not isinstance(rows, list):
            raise Invalid("where a list is expected there is none: see “at”", source=self._http.source)
        return rows

    def _count(self, found: Any) -> int | None:
        try:
            return None if found is None else int(values.number(found))
        except ValueUnreadable:
            raise Invalid("total is no number", source=self._http.source) from None

    def _next(self, answer: HttpResponse, path: str, sent: _PreparedRequest) -> _PreparedRequest | None:
        """Return the request for the address that an answer names; raises `Invalid` if it leads to another server.

        It carries our key, which is for this server only.
        """
        following = values.text(look(answer.data, path)) if path else _linked(answer.headers.get("Link", ""))
        if not following:
            return None
        asked = sent.path if "://" in sent.path else f"{self._base}{sent.path.lstrip('/')}"
        address = URL(asked, encoded=True).join(URL(following))
        if address.origin() != self._base.origin():
            raise Invalid("the address of the next page leads to another server", source=self._http.source)
        return _PreparedRequest(sent.method, str(address), {}, sent.headers, sent.body)


def _sent(request: ReadTemplate | WriteTemplate, given: Mapping[str, Any]) -> _PreparedRequest:
    return _PreparedRequest(
        request.method,
        fill_path(request.path, given),
        fill_params(request.params, given),
        {name: str(fill(text, given)) for name, text in request.headers.items()},
        fill(request.body, given),
    )


def _linked(header: str) -> str:
    """Return the address of the next page in a header ``Link`` (RFC 8288)."""
    for link in header.split(","):
        address, *attributes = link.split(";")
        if any(each.strip().replace('"', "") == "rel=next" for each in attributes):
            return address.strip().strip("<>")
    return ""
