"""Options of a source of the vendor ``odoo``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.erp.http import HttpOptions
from bot.erp.values import Zone
from bot.words.secret_values import Secret


class OdooOptions(HttpOptions):
    """Options of a source in addition to address and timeouts."""

    database: str = Field("", description="Its name; needed for 14 to 18, and where one host serves several.")
    user: str = Field(min_length=1, description="Login of the bot's account.")
    key: Secret = Field(description="An API key of that account (or, for 14 to 18, its password).")
    company: int | None = Field(
        None, ge=1, description="Id of the company whose books these are; needed where the account sees several."
    )
    language: str = Field("", description="Language of names, such as zh_CN; it must be installed.")
    timezone: Zone = Field("Asia/Shanghai", description="Where the company's days begin and end.")
    approvers: dict[str, Secret] = Field(
        default_factory=dict, description="API keys of those who decide, by login; each decides in their own name."
    )
    decide_as_bot: bool = Field(
        False, description="Decide with the bot's account for people without a key, naming them in a message."
    )
    decides: frozenset[Literal["order", "bill"]] = Field(
        frozenset(),
        description="What else is decided from chat: `order` (quotations are confirmed or cancelled), `bill` (drafts "
        "of bills are posted or cancelled); all of them then wait.",
    )
    parallel: int = Field(2, ge=1, le=20, description="How many calls run at once; an Odoo has few workers.")
