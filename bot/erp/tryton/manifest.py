"""What Tryton is and how a source of it is configured."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from bot.erp.http import HttpOptions
from bot.erp.port import Erp
from bot.erp.vendors import Surroundings, Vendor


class TrytonOptions(HttpOptions):
    """Options of a source of the vendor ``tryton``, besides address and time-outs."""

    database: str = Field(pattern=r"^[^\s/]+$", description="The name of the database, as in the address of a client.")
    user: str = Field(min_length=1, description="The login of the bot's account.")
    password: SecretStr = Field(description="Its password.")
    approvers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Login and password of everybody who decides under an account of their own. With any, nobody else "
        "decides; with none, the bot's account decides and a note on the order names the person.",
    )
    company: int | None = Field(None, description="Id of the company to ask about; empty: the one of the account.")
    timezone: str = Field("Asia/Shanghai", description="The company's time zone: which day it is there.")
    web_url: str = Field("", description="Address of the web client, for links to documents; empty: no links.")
    page: int = Field(
        500, ge=1, le=10_000, description="Records asked for at once; at most the server's records_limit."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"unknown time zone {name!r}") from None
        return name


async def _open(surroundings: Surroundings, options: TrytonOptions) -> Erp:
    from bot.erp.tryton.adapter import TrytonErp

    return TrytonErp(surroundings, options)


vendor = Vendor(title="Tryton", options=TrytonOptions, open=_open)
