"""Who the bot is to an API: what every request bears, and how a token is got."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

from bot.erp.errors import AuthFailed, Invalid, NotFound, NotPermitted, Unavailable
from bot.erp.http import Answer, Http
from bot.erp.rest.manifest import (
    Account,
    BasicAccount,
    BearerAccount,
    HeaderAccount,
    LoginAccount,
    OAuth2Account,
    QueryAccount,
)
from bot.erp.rest.templates import fill, look


@dataclass(frozen=True, slots=True)
class Pass:
    """What a request bears."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)


def fixed_pass(account: Account) -> Pass:
    """Return the pass of an account whose key does not run out."""
    match account:
        case BearerAccount():
            return Pass({"Authorization": f"Bearer {account.token.get_secret_value()}"})
        case BasicAccount():
            return Pass({"Authorization": _basic(account.user, account.password.get_secret_value())})
        case HeaderAccount():
            return Pass({account.name: account.key.get_secret_value()})
        case QueryAccount():
            return Pass(params={account.name: account.key.get_secret_value()})
        case _:
            return Pass()


def login_of(account: Account, http: Http) -> Callable[[], Awaitable[Pass]] | None:
    """Return how a pass is got where it runs out; None where it does not.

    The login raises `AuthFailed` for a wrong account, `Unavailable` where there is no answer that makes sense.
    """
    if isinstance(account, OAuth2Account):
        return lambda: _client_credentials(account, http)
    if isinstance(account, LoginAccount):
        return lambda: _token(account, http)
    return None


async def _client_credentials(account: OAuth2Account, http: Http) -> Pass:
    secret = account.client_secret.get_secret_value()
    form = {"grant_type": "client_credentials"} | ({"scope": account.scope} if account.scope else {})
    headers: dict[str, str] = {"Accept": "application/json"}
    if account.send == "header":
        # Both are form-encoded first (RFC 6749, 2.3.1), so that a colon in them is none.
        headers["Authorization"] = _basic(quote_plus(account.client_id), quote_plus(secret))
    else:
        form |= {"client_id": account.client_id, "client_secret": secret}
    answer = await http.read("POST", account.token_path, data=form, headers=headers)
    # Tokens of other types (RFC 6749, 7.1) are not for a header alone, and nobody offers them to clients like this.
    return Pass({"Authorization": f"Bearer {_of(answer, 'access_token', http.source)}"})


async def _token(account: LoginAccount, http: Http) -> Pass:
    given = {"user": account.user, "password": account.password.get_secret_value()}
    answer = await http.read("POST", account.path, json=fill(account.body, given))
    return Pass({account.header: f"{account.prefix}{_of(answer, account.token, http.source)}"})


def _of(answer: Answer, path: str, source: str) -> str:
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
