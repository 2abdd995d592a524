"""Options of a source of the vendor ``tryton``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.erp.http import HttpOptions
from bot.erp.values import Zone
from bot.words.secret_values import Secret


class TrytonOptions(HttpOptions):
    """Options of a source in addition to address and timeouts."""

    database: str = Field(pattern=r"^[^\s/]+$", description="The name of the database, as in the address of a client.")
    user: str = Field(min_length=1, description="Login of the bot's account.")
    password: Secret = Field(description="Its password.")
    approvers: dict[str, Secret] = Field(
        default_factory=dict,
        description="Passwords of those who decide, by login; each decides under their own account.",
    )
    decide_as_bot: bool = Field(
        False, description="Decide with the bot's account for people without a password here, naming them in a note."
    )
    decides: frozenset[Literal["order", "bill"]] = Field(
        frozenset(),
        description="What else is decided from chat: `order` (quotations of sales are confirmed or cancelled), `bill` "
        "(suppliers' invoices that were validated are posted or cancelled).",
    )
    company: int | None = Field(None, ge=1, description="Id of the company to speak for; empty: the account's own.")
    language: str = Field("", description="Language of names, such as zh_CN; empty: the account's own.")
    timezone: Zone = Field("Asia/Shanghai", description="Where the company's days begin and end.")
    web_url: str = Field("", description="Address of the web client, for links to documents; empty: no links.")
    page: int = Field(
        500, ge=1, le=10_000, description="Records asked for at once, at most the server's records_limit."
    )
