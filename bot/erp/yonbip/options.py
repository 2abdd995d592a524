"""Options of a source of the vendor ``yonbip``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.erp.http import HttpOptions
from bot.erp.values import Zone
from bot.words.secret_values import Secret


class YonBipOptions(HttpOptions):
    """Options of a source of the vendor ``yonbip``: a self-built app in one tenant of the open platform."""

    url: str = Field(
        "https://apigateway.yonyoucloud.com",
        pattern=r"^https?://\S+$",
        description="Where the tenant's data centre is asked for; the same for all tenants of the public cloud.",
    )
    tenant: str = Field(min_length=1, description="The tenant's id.")
    app_key: str = Field(min_length=1, description="The app's AppKey.")
    app_secret: Secret = Field(description="The app's AppSecret.")
    org: str = Field("", description="Id of the one organisation whose stock is asked for; empty: all.")
    zone: Zone = Field("Asia/Shanghai", description="Time zone of the platform's times, which have no offset.")
    warehouses: dict[str, str] = Field({}, description="Names of warehouses by id: stock names warehouses by id alone.")
    currencies: dict[str, str] = Field({}, description="ISO codes of currencies by their code or name here.")
    page_rows: int = Field(100, ge=1, le=500, description="Rows of one page; the platform gives 500 at most.")
    most_rows: int = Field(20_000, ge=1, description="Rows that one question may read at most.")
    most_materials: int = Field(100_000, ge=1, description="Materials that are read at most, to search them.")
    most_details: int = Field(200, ge=1, description="Documents that one question may read one by one at most.")
    list_days: int = Field(366, ge=1, description="How many days back lists go.")
    catalogue_minutes: int = Field(10, ge=0, description="How long the list of materials is believed.")
    workflow_source: str = Field("PU", description="The workflow's name for the application that owns purchase orders.")
    business_key: str = Field(
        "st_purchaseorder_{id}",
        pattern=r"^[^{}]*\{id\}[^{}]*$",
        description="The workflow's key of a purchase order; {id} stands for its id.",
    )
    user_tokens: dict[str, Secret] = Field(
        {}, description="Access tokens (yht_access_token) of people who decide, by user id."
    )
    user_token_in: Literal["header", "cookie", "query"] = Field(
        "header", description="Where a person's access token is sent."
    )
    audit_without_workflow: bool = Field(
        False, description="Let orders that no workflow handles be audited; the ERP then names the app, not the person."
    )
