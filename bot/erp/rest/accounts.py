"""How a source of the vendor ``rest`` logs in, and how its answers say what went wrong."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from bot.erp.mapped.sources import ConfigPart
from bot.words.secret_values import Secret


class NoAccount(ConfigPart):
    """An API that asks nobody who they are."""

    kind: Literal["none"] = "none"


class BearerAccount(ConfigPart):
    """A token that does not run out, as ``Authorization: Bearer …``."""

    kind: Literal["bearer"]
    token: Secret


class BasicAccount(ConfigPart):
    """User and password in every request."""

    kind: Literal["basic"]
    user: str
    password: Secret


class HeaderAccount(ConfigPart):
    """A key in a header of its own."""

    kind: Literal["header"]
    name: str = Field("X-API-Key", pattern=r"^[A-Za-z0-9-]+$")
    key: Secret


class QueryAccount(ConfigPart):
    """A key in the address."""

    kind: Literal["query"]
    name: str
    key: Secret


class OAuth2Account(ConfigPart):
    """OAuth 2 client credentials (RFC 6749, 4.4); the token is renewed when it is refused."""

    kind: Literal["oauth2"]
    token_path: str = Field(description="Behind `url`, or a whole address.")
    client_id: str
    client_secret: Secret
    scope: str = ""
    send: Literal["header", "body"] = Field("header", description="Where the credentials go.")


class LoginAccount(ConfigPart):
    """A login that answers with a token, renewed when it is refused."""

    kind: Literal["login"]
    path: str
    user: str
    password: Secret
    body: dict[str, Any] = Field({"user": "{user}", "password": "{password}"}, description="JSON that is sent.")
    token: str = Field("token", description="Where the answer has the token.")
    header: str = Field("Authorization", description="The header that takes it.")
    prefix: str = Field("Bearer ", description="What stands before it there.")


Account = Annotated[
    NoAccount | BearerAccount | BasicAccount | HeaderAccount | QueryAccount | OAuth2Account | LoginAccount,
    Field(discriminator="kind"),
]

Meaning = Literal[
    "auth_expired", "auth_failed", "not_permitted", "not_found", "conflict", "rate_limited", "unavailable", "invalid"
]


class EnvelopeOptions(ConfigPart):
    """For APIs that answer 200 to everything and say in the body what came of it."""

    at: str = Field(min_length=1, description="Where the code is.")
    good: tuple[str, ...] = Field(min_length=1, description="Codes of success, such as `0`.")
    errors: dict[str, Meaning] = Field({}, description="Code → what it means; others are `invalid`.")
