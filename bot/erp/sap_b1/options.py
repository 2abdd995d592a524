"""Options of a source of the vendor ``sap_b1``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bot.erp.http import HttpOptions
from bot.erp.values import Zone
from bot.words.secret_values import Secret


class SapB1Options(HttpOptions):
    """Options of a source of the vendor ``sap_b1``: one company database behind one Service Layer."""

    url: str = Field(
        pattern=r"^https?://[^/\s]+/?$",
        description="Where the Service Layer answers, without a path, such as https://b1.example.com:50000.",
    )
    company: str = Field(min_length=1, description="The company database (CompanyDB).")
    user: str = Field(min_length=1, description="The bot's user code.")
    password: Secret = Field(description="Its password.")
    language: int = Field(15, ge=1, description="Language of the ERP's own words: 15 simplified Chinese, 3 English.")
    version: Literal["v1", "v2"] = Field("v2", description="The Service Layer's interface: v2, or v1 of old releases.")
    zone: Zone = Field("Asia/Shanghai", description="Time zone of the server, whose times have none.")
    currencies: dict[str, str] = Field({}, description="ISO codes of currencies by their code here, such as $ = USD.")
    spec_field: str = Field(
        "", pattern=r"^(\w+)?$", description="The field of items that holds the spec, such as U_Spec; empty: none."
    )
    lots_queries: list[Annotated[str, Field(pattern=r"^\w+$")]] = Field(
        [],
        description="Codes of stored SQLQueries that tell an item's batches and serial numbers; empty: none are told.",
    )
    page_rows: int = Field(200, ge=1, le=5_000, description="Rows of one page.")
    most_rows: int = Field(20_000, ge=1, description="Rows that one question may read at most.")
    most_hits: int = Field(500, ge=1, description="Items that one search looks at, besides the exact code.")
    list_days: int = Field(366, ge=1, description="How many days back lists go.")
    names_minutes: int = Field(10, ge=0, description="How long names of people, warehouses and groups are believed.")
    approval_days: int = Field(
        90, ge=1, description="For how many days after an approval was asked for its decisions are followed."
    )
    decides: frozenset[Literal["order", "bill"]] = Field(
        frozenset(),
        description="What else is decided by its approval request: `order` (sales orders), `bill` (A/P invoices).",
    )
    approvers: dict[str, Secret] = Field(
        {}, description="Passwords of people who decide, by user code; the bot's own user needs none."
    )
