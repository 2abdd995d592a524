"""Options of a source of the vendor ``erpnext``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.erp.http import HttpOptions
from bot.erp.values import Zone
from bot.words.secret_values import Secret


class ApiKey(BaseModel):
    """A user's key pair, created under “API Access” in the user's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(min_length=1, description="The API key.")
    secret: Secret = Field(description="The API secret, shown once when the key is made.")


class ErpNextOptions(HttpOptions):
    """Options of a source in addition to address and timeouts."""

    key: str = Field(min_length=1, description="API key of the user that the bot reads as.")
    secret: Secret = Field(description="Its API secret.")
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
    decides: dict[Literal["order", "bill", "quote"], Literal["workflow", "submit"]] = Field(
        default_factory=dict,
        description="What else is decided from the chat, and how: `order` (Sales Orders), `bill` (Purchase Invoices), "
        "`quote` (Quotations); by their `workflow`, or by the `submit` of drafts, which then all wait.",
    )
    company: str = Field("", description="The company whose books these are; needed where the user sees several.")
    time_zone: Zone | Literal[""] = Field(
        "", description="The site's time zone, such as Asia/Shanghai; empty: as the site says."
    )
