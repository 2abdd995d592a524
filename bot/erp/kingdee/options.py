"""Options of a source of the vendor ``kingdee``."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Literal, Self

from pydantic import Field, model_validator

from bot.erp.http import HttpOptions
from bot.erp.values import Zone
from bot.words.phrase import phrase
from bot.words.secret_values import Secret

_MASK = b"0054f397c6234378b09ca7d3e5debce7"
"""XOR mask of the client secret inside the app id; the same for every customer."""
_HIDDEN = 32
"""Length of the app id's second part; for any other length the vendor's own client signs without a secret."""


class KingdeeOptions(HttpOptions):
    """Options of a source of the vendor ``kingdee``.

    With ``app_id`` and ``app_secret``, every request is signed; with ``password``, the account logs in and keeps a
    session. Exactly one of the two is required.
    """

    url: str = Field(
        pattern=r"^https?://\S+$",
        description="The server's address up to /k3cloud/, such as https://x.ik3cloud.com/k3cloud/.",
    )
    acct_id: str = Field(min_length=1, description="The data centre's id.")
    user: str = Field(min_length=1, description="The account that the bot uses.")
    password: Secret | None = Field(None, description="The account's password: log in and keep a session.")
    app_id: str = Field("", description="The third-party app's id, <client id>_<32 characters>: sign every request.")
    app_secret: Secret | None = Field(None, description="The third-party app's secret.")
    app_login: bool = Field(
        False, description="Log in as the app and keep a session, instead of signing every request."
    )
    lcid: int = Field(2052, description="Language of names and messages: 2052 Chinese, 1033 English.")
    org: str = Field("", description="Number of the organisation to ask about; needed where there are several.")
    several_orgs: bool = Field(
        False, description="Tell of all organisations that the account sees as of one company, instead of one of them."
    )
    zone: Zone = Field("Asia/Shanghai", description="Time zone of the server, whose times have none.")
    page_rows: int = Field(2000, ge=1, le=10_000, description="Rows of one answer; no more than the server gives.")
    most_rows: int = Field(20_000, ge=1, description="Rows that one question may read at most.")
    list_days: int = Field(366, ge=1, description="How many days back lists of all documents go.")
    currencies: dict[str, str] = Field({}, description="ISO codes of currencies with a code or name of one's own.")
    fields: dict[str, str] = Field({}, description="Fields named otherwise here: PRD_MO.FScrapQty = F_ABC_Scrap.")
    rejections: tuple[str, ...] = Field(
        ("驳回", "打回", "不同意", "不通过", "拒绝", "终止", "reject", "disagree", "terminate"),
        description="Words in a workflow result that tell a rejection.",
    )
    decides: frozenset[Literal["order", "bill"]] = Field(
        frozenset(),
        description="What else is decided from chat by its workflow: `order` (sales orders), `bill` (payables).",
    )
    audit_without_workflow: bool = Field(
        False, description="Let bills that no workflow handles be audited; the ERP then names the bot, not the person."
    )
    expect_field: str = Field(
        "", description="The figure in GetExpectQty's answer that is the forecast; empty: do not ask. Needs org."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        signed = bool(self.app_id) and self.app_secret is not None
        if signed == (self.password is not None) or bool(self.app_id) != (self.app_secret is not None):
            raise ValueError(phrase("give either password, or app_id and app_secret"))
        if signed:
            try:
                client_secret(self.app_id.partition("_")[2])
            except ValueError as error:
                raise ValueError(phrase("app_id is damaged")) from error
        if self.app_login and not signed:
            raise ValueError(phrase("app_login needs app_id and app_secret"))
        if self.org and self.several_orgs:
            raise ValueError(phrase("give either org or several_orgs"))
        if self.expect_field and not self.org:
            raise ValueError(phrase("expect_field needs org"))
        return self


def client_secret(hidden: str) -> str:
    """Return the client secret inside the second part of an app id; raises `ValueError` if it is not Base64."""
    if len(hidden) != _HIDDEN:
        return ""
    plain = bytes(byte ^ mask for byte, mask in zip(b64decode(hidden, validate=True), _MASK, strict=False))
    return b64encode(plain).decode()
