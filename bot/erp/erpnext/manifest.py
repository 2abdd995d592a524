"""What the vendor ``erpnext`` is and how a source of it is configured."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bot.erp.http import HttpOptions
from bot.erp.port import Erp
from bot.erp.vendors import AdapterContext, Vendor


class ApiKey(BaseModel):
    """A user's key pair, made in the user's settings under “API Access”."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(min_length=1, description="The API key.")
    secret: SecretStr = Field(description="The API secret, shown once when the key is made.")


class ErpNextOptions(HttpOptions):
    """Options of a source, besides address and time-outs."""

    key: str = Field(min_length=1, description="API key of the user that the bot reads as.")
    secret: SecretStr = Field(description="Its API secret.")
    approvers: dict[str, ApiKey] = Field(
        default_factory=dict,
        description="Key pairs of the users who may decide from the chat, by user id (their e-mail address). "
        "Decisions are made with the person's own key; without any, the source is read-only.",
    )
    workflow: bool = Field(
        True,
        description="Whether Purchase Orders go through a Workflow. If not, approving submits the draft, and nothing "
        "can be rejected.",
    )
    approve_action: str = Field("Approve", min_length=1, description="Name of the Workflow's action that approves.")
    reject_action: str = Field("Reject", min_length=1, description="Name of the Workflow's action that rejects.")
    company: str = Field("", description="The only company to read; empty: all that the user may see.")
    time_zone: str = Field("", description="The site's time zone, such as Asia/Shanghai; empty: as the site says.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(f"no such time zone: {value}") from error
        return value


async def _open(context: AdapterContext, options: ErpNextOptions) -> Erp:
    # Imported here, so that the options can be listed without loading the HTTP library.
    from bot.erp.erpnext.adapter import ErpNextErp

    return ErpNextErp(context, options)


vendor = Vendor(title="ERPNext", options=ErpNextOptions, open=_open)
