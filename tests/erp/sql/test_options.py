"""Mistakes in the configuration are named by area and key, with an example, before anything is connected."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.erp.mapped.areas import SECTIONS
from bot.erp.sql.options import SqlOptions
from bot.erp.vendors import AdapterContext
from bot.words.errors import ConfigurationError
from tests.erp.sql.documented_config import company_options
from tests.rows import each_row

Change = Callable[[dict[str, Any]], Any]

WRONG: list[tuple[Change, str]] = [
    (lambda o: o["sales"].update(one="SELECT * FROM orders"), r"sales\.one\n.*does not use :number; an example"),
    (
        lambda o: o["sales"].update(one="DELETE FROM orders WHERE no = :number"),
        r"sales\.one\n.*only queries that begin",
    ),
    (lambda o: o["sales"].update(changes="SELECT 1 LIMIT :limit"), r"sales\.changes\n.*does not use :since"),
    (lambda o: o["sales"].pop("late"), r"sales\n.*late is missing: list pages by itself"),
    (lambda o: o["sales"]["fields"].pop("status"), r"sales\.fields\n.*'status' is missing; an example: status = \{"),
    (
        lambda o: o["sales"]["fields"].update(totl="total"),
        r"sales\.fields\n.*unknown field 'totl'; known are id, number",
    ),
    (
        lambda o: o["sales"]["fields"]["status"]["words"].update({"7": "opne"}),
        r"sales\.fields\n.*status\.words: 'opne' is none of draft, open.*an example",
    ),
    (lambda o: o["sales"]["fields"].update(total={"from": "t", "format": "%d"}), r"total\.format: makes no sense here"),
    (lambda o: o["sales"]["fields"].update(total={}), r"total: says neither where it comes from nor a default"),
    (lambda o: o["sales"]["fields"].update(total={"from": "t", "faktor": 1}), r"sales\.fields\.total\.faktor"),
    (lambda o: o["sales"]["fields"].update(ordered_on={"from": "t", "format": "dd"}), r"'dd' is no format; examples"),
    (lambda o: o["finance"]["fields"].update(status={"from": "s", "default": "x"}), r"status\.default: 'x' is none of"),
    (lambda o: o["stock"].pop("total"), r"stock\n.*total and fields belong together"),
    (lambda o: (o["stock"].pop("total"), o["stock"].pop("fields"), o["stock"].pop("places")), "needs places or total"),
    (lambda o: o.pop("products"), "stock needs products too"),
    (lambda o: o.pop("zone"), r"zone\n.*required"),
    (lambda o: o.update(zone="Asia/Nowhere"), "unknown time zone 'Asia/Nowhere', an example is Asia/Shanghai"),
    (lambda o: o.update(currency="yuan"), "currency\n"),
    (lambda o: o.update(time_format="iso"), r"time_format\n.*'iso' is none of zoned, naive, epoch"),
    (
        lambda o: (o.update(currency=""), o["finance"]["fields"].pop("currency")),
        "finance.fields: has amounts and no currency; map it",
    ),
    (
        lambda o: (o.update(unit=""), o["products"]["fields"].pop("unit")),
        "products.fields: has no unit; map it",
    ),
    (lambda o: [o.pop(name) for name in SECTIONS], "no area"),
    (lambda o: (o.pop("products"), o.pop("stock")), "prices needs products too"),
    (lambda o: o.update(prices={}), r"prices\n.*is empty: needs list_price or sales or purchases"),
    (lambda o: o["arrivals"]["purchases"]["fields"].pop("sku"), r"arrivals\.purchases\.fields\n.*'sku' is missing"),
    (
        lambda o: o["prices"]["sales"].update(query="SELECT * FROM l WHERE sku = :sku LIMIT :limit"),
        r"prices\.sales\.query\n.*older sales to a customer would be cut off; an example",
    ),
    (
        lambda o: o["warehouses"]["contents"].update(query="SELECT * FROM h"),
        r"warehouses\.contents\.query\n.*does not use :warehouse",
    ),
    (
        lambda o: (o.update(currency=""), o["prices"]["sales"]["fields"].pop("currency")),
        r"prices\.sales\.fields: has amounts and no currency; map it",
    ),
    (lambda o: o["sales"].update(approve="x"), r"sales\.approve\n.*Extra inputs"),
]


@each_row(("spoil", "complaint"), WRONG)
def test_a_mistake_is_named(spoil: Change, complaint: str) -> None:
    options = deepcopy(company_options())
    spoil(options)
    with pytest.raises(ValueError, match=complaint):
        SqlOptions.model_validate(options)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "nosuchdb://u:p4ssw0rd@h/d",
        "postgresql+nosuch://u:p4ssw0rd@h/d",
    ],
)
async def test_an_address_that_cannot_be_used_is_refused_without_repeating_it(url: str, tmp_path: Path) -> None:
    from bot.erp.sql.manifest import vendor

    options = SqlOptions.model_validate(company_options(url=url))
    context = AdapterContext(name="main", data_dir=tmp_path, now=lambda: datetime.now(UTC))
    with pytest.raises(ConfigurationError, match=r"ERP source 'main': url.*an example") as caught:
        await vendor.open(context, options)
    assert "p4ssw0rd" not in str(caught.value)


def test_the_address_is_not_shown() -> None:
    options = SqlOptions.model_validate(company_options(url="postgresql://u:p4ssw0rd@h/d"))
    assert "p4ssw0rd" not in repr(options)
