"""Nothing in a group is beyond what everybody there may see: rules × questions × with and without an outsider.

What is forbidden is worked out here, from the company's records, and searched for in all that others than the asker
get.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from bot.erp import vendors
from bot.erp.port import ListQuery
from bot.kit.company.sales import WAREHOUSES, ZONE
from bot.kit.demo import FINANCE_GROUP
from bot.settings import ErpSettings, RuleSettings
from tests.scenario.conftest import MILD, READING, BotSystem, OpenSystem, run_system
from tests.scenario.test_least_disclosure import ASKER, LINES, MIXED_GROUP, MONEY, DisclosureFixture
from tests.scenario.test_permission_matrix import FURTHER
from tests.scenario.test_subscriptions import MovedClock, looks
from tests.scenario.traffic import eventually
from tests.scenario.two_branches import EAST, WEST, company_of
from tests.scenario.wire import TO_PEOPLE, WireRecorder

__all__ = ["looks"]

ALL = ("stock", "order", "invoice", "po", "mo")
OF_STOCK = ("/stock", "/shortage", "/product", "/arrivals", "/price", "/find", "SKU", "螺丝")
"""What lines begin with whose answers show products or stock: elsewhere a product is a line of a document."""


@dataclass(frozen=True, slots=True)
class CompanyTruth:
    """All that the company has, as nobody's rules narrow it."""

    orders: Mapping[str, str]
    invoices: Mapping[str, str]
    purchases: Mapping[str, str]
    productions: frozenset[str]
    categories: Mapping[str, str]
    origins: Mapping[str, str]
    """Number of an invoice or production order → that of its sales order, which it names."""

    @classmethod
    async def of(cls, system: BotSystem) -> CompanyTruth:
        hub, whole = system.app.hub, ListQuery(limit=500)
        invoices = (await hub.invoices(whole)).value.items
        productions = (await hub.production_orders(whole)).value.items
        made_for = {each.number: each.sales_order for each in productions}
        return cls(
            {each.number: each.customer for each in (await hub.orders(whole)).value.items},
            {each.number: each.customer for each in invoices},
            {each.number: each.vendor for each in (await hub.purchase_orders(whole)).value.items},
            frozenset(made_for),
            {each.sku: each.category for text in ("SKU", "FAN", "RM") for each in await products(system, text)},
            {**{each.number: each.order_number for each in invoices}, **made_for},
        )

    @property
    def partners(self) -> frozenset[str]:
        return frozenset({*self.orders.values(), *self.invoices.values(), *self.purchases.values()})

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset({*self.orders, *self.invoices, *self.purchases, *self.productions})

    def of_others(self, customer: str) -> frozenset[str]:
        """Return the numbers of sales orders and invoices of other customers."""
        named = (*self.orders.items(), *self.invoices.items())
        return frozenset(number for number, partner in named if partner != customer)


async def products(system: BotSystem, text: str) -> Sequence[Any]:
    return (await system.app.hub.find_products(text, limit=500)).value


def nothing(_truth: CompanyTruth) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Situation:
    """Rules, and what no shared card may hold by them: anywhere, and in answers about stock. ``opens`` is a line whose
    answer the group gets all the same, as far as it may.
    """

    rules: tuple[Mapping[str, Any], ...]
    forbidden: Callable[[CompanyTruth], frozenset[str]] = nothing
    of_stock: Callable[[CompanyTruth], frozenset[str]] = nothing
    opens: str = ""
    erp: Mapping[str, ErpSettings] = field(default_factory=dict)


HONGDA = "杭州宏达机电设备有限公司"
BOARD = {"commands": ALL, "roles": ["boss"]}
TWO_SOURCES = {name: ErpSettings(vendor="demo") for name in ("north", "east")}
PLACES = frozenset(WAREHOUSES.values())


def all_numbers(truth: CompanyTruth) -> frozenset[str]:
    return truth.numbers


SITUATIONS = {
    "a command for some": Situation(
        ({"commands": ["invoice"], "roles": ["finance"], "people": [ASKER]},),
        lambda truth: frozenset(truth.invoices),
        opens="/order SO-1001",
    ),
    "a command taken from some": Situation(
        ({"commands": ["order"], "roles": ["sales"], "effect": "deny"},),
        lambda truth: frozenset(truth.orders),
        opens="/stock SKU123",
    ),
    "fields for all": Situation(
        ({"commands": ALL, "roles": ["*"], "fields": ["quantity"]}, BOARD),
        lambda truth: truth.partners,
        opens="/order SO-1001",
    ),
    "fields taken from some": Situation(
        ({"commands": ["*"], "roles": ["keeper"], "fields": ["partner"], "effect": "deny"},),
        lambda truth: truth.partners,
        opens="/order SO-1001",
    ),
    "regions by warehouse": Situation(
        (
            {"commands": ["stock"], "roles": ["north"], "warehouses": ["上海仓"]},
            {"commands": ["stock"], "roles": ["east"], "warehouses": ["深圳仓"]},
            BOARD,
        ),
        all_numbers,
        lambda truth: PLACES | frozenset(truth.categories),
    ),
    "a warehouse for all": Situation(
        ({"commands": ["stock"], "roles": ["*"], "warehouses": ["上海仓"]}, {**BOARD, "commands": ["stock"]}),
        of_stock=lambda _: PLACES - {"上海仓"},
        opens="/order SO-1001",
    ),
    "a category for all": Situation(
        ({"commands": ["stock"], "roles": ["*"], "categories": ["电风扇"]}, {**BOARD, "commands": ["stock"]}),
        of_stock=lambda truth: frozenset(sku for sku, category in truth.categories.items() if category != "电风扇"),
        opens="/order SO-1001",
    ),
    "a partner for all": Situation(
        (
            {"commands": ["order", "invoice"], "roles": ["*"], "partners": [HONGDA]},
            {**BOARD, "commands": ["order", "invoice"]},
        ),
        lambda truth: truth.of_others(HONGDA),
    ),
    "own documents": Situation(
        ({"commands": ["order", "invoice"], "roles": ["*"], "own": True}, {**BOARD, "commands": ["order", "invoice"]}),
        lambda truth: frozenset({*truth.orders, *truth.invoices}),
    ),
    "an ERP for all": Situation(
        ({"commands": ALL, "roles": ["*"], "sources": ["north"]}, BOARD), lambda _: frozenset({"east"}), erp=TWO_SOURCES
    ),
    "a company for all": Situation(
        ({"commands": ALL, "roles": ["*"], "companies": [EAST]}, BOARD),
        lambda truth: frozenset(
            number for number in truth.numbers if company_of(truth.origins.get(number) or number) == WEST
        ),
        lambda truth: frozenset(sku for sku in truth.categories if company_of(sku) == WEST),
        erp={"demo": ErpSettings(vendor="branches")},
    ),
    "a shared rule": Situation(
        (
            {"commands": ALL, "roles": ["boss"]},
            {"commands": ["order"], "shared": True, "fields": ["quantity"], "partners": [HONGDA]},
        ),
        lambda truth: truth.partners | (truth.numbers - frozenset(truth.orders)) | truth.of_others(HONGDA),
    ),
}


@pytest.fixture(autouse=True)
def branches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a source be of two companies."""
    entry = EntryPoint("branches", "tests.scenario.two_branches:vendor", vendors.GROUP)
    monkeypatch.setitem(vendors._OURS, "branches", entry)


@pytest.mark.sampled(3)
@pytest.mark.usefixtures("confirmed")
@pytest.mark.parametrize("outside", [False, True], ids=["members", "with somebody from outside"])
@pytest.mark.parametrize("name", SITUATIONS)
async def test_no_answer_shows_a_group_more_than_everybody_may_see(
    open_system: OpenSystem, name: str, *, outside: bool
) -> None:
    situation, group = SITUATIONS[name], MIXED_GROUP if outside else FINANCE_GROUP
    rules = tuple(map(RuleSettings.model_validate, situation.rules))
    access = {"rules": rules, "outsider_groups": (MIXED_GROUP,)}
    changes = {"erp": situation.erp} if situation.erp else {}
    async with open_system(MILD, cards={"private_way": "private_data"}, access=access, **changes, **READING) as system:
        truth = await CompanyTruth.of(system)
        customer, vendor = HONGDA, min(truth.purchases.values())
        fixture = DisclosureFixture(system, WireRecorder(system.engine), truth.partners, customer, vendor)
        forbidden, of_stock = situation.forbidden(truth), situation.of_stock(truth)
        if outside and not any(rule.get("shared") for rule in situation.rules):
            forbidden = forbidden | truth.numbers | truth.partners
        for line in (*LINES, *FURTHER):
            found = await shared_with(fixture, line, group)
            told = forbidden | (of_stock if line.startswith(OF_STOCK) else frozenset())
            typed = line.format(customer=customer, vendor=vendor)
            named = {truth.origins.get(word, "") for word in typed.split()}
            assert not MONEY.search(found), (name, line, found)
            assert not [word for word in told - named if word in found and word not in typed], (name, line, found)
        if situation.opens and not outside:
            assert situation.opens.split()[-1] in await shared_with(fixture, situation.opens, group)


async def shared_with(fixture: DisclosureFixture, line: str, group: str) -> str:
    """Ask, and return all that others than the asker get to see."""
    return " ".join(call.shared_text for call in await fixture.asking(line, group))


BY_SCOPE = (
    "regions by warehouse",
    "a warehouse for all",
    "a category for all",
    "a partner for all",
    "own documents",
    "a company for all",
)
OTHER_WAYS = (
    "/chart sales",
    "/chart stock SKU124",
    "/chart ageing",
    "/chart payables",
    "/report month",
    "/export order late",
    "/export invoice overdue",
    "/export stock 螺丝",
    "/export stock SKU124",
    "/export mo late",
    "/order late",
    "/stock @深圳仓",
    "/watch SKU124 < 5",
)
PICTURE = re.compile(r"!\[[^\]]*\]\(")


@pytest.mark.sampled(3)
@pytest.mark.usefixtures("confirmed")
@pytest.mark.parametrize("name", BY_SCOPE)
async def test_no_chart_file_watch_or_interim_card_shows_a_group_more(open_system: OpenSystem, name: str) -> None:
    situation = SITUATIONS[name]
    changes = {
        "access": {"rules": tuple(map(RuleSettings.model_validate, situation.rules))},
        "cards": {"private_way": "private_data"},
        "limits": {"interim_seconds": 0.0001},
        "read_model": {"enabled": True},
        **({"erp": situation.erp} if situation.erp else {}),
    }
    async with open_system(MILD, **changes) as system:
        (source,) = system.app.hub.sources
        await eventually(
            lambda: math.isfinite(system.count("read_model_age_seconds", source=source) or math.inf),
            100,
            hint=lambda: system.count("read_model_age_seconds", source=source),
        )
        truth = await CompanyTruth.of(system)
        fixture = DisclosureFixture(system, WireRecorder(system.engine), truth.partners, HONGDA, "")
        forbidden, of_stock = situation.forbidden(truth), situation.of_stock(truth)
        for line in OTHER_WAYS:
            calls = await fixture.asking(line, FINANCE_GROUP)
            found = " ".join(call.shared_text for call in calls)
            told = forbidden | (of_stock if "stock" in line else frozenset())
            assert not MONEY.search(found), (line, found)
            assert not [word for word in told if word in found and word not in line], (line, found)
            assert not PICTURE.search(found), (line, found)
            assert {call.place.readers or call.place.group for call in calls if call.api == TO_PEOPLE} <= {
                frozenset({ASKER})
            }
        assert system.count("interim_cards_total") > 0
        assert system.count("api_calls_total", api="media_upload", outcome="ok") > 0


@pytest.mark.parametrize("outside", [False, True], ids=["members", "with somebody from outside"])
async def test_a_subscription_shows_a_group_no_more(tmp_path: Path, looks: list[int], *, outside: bool) -> None:
    clock, group = MovedClock(), MIXED_GROUP if outside else FINANCE_GROUP
    warehouse = {"commands": ["stock"], "roles": ["warehouse"], "warehouses": ["上海仓"]}
    rules = tuple(map(RuleSettings.model_validate, (warehouse, {**BOARD, "commands": ["stock"]})))
    access = {"rules": rules, "outsider_groups": (MIXED_GROUP,)}
    async with run_system(tmp_path, clock=clock.now, access=access) as system:
        at = (clock.now() + timedelta(minutes=10)).astimezone(ZONE)
        wire = WireRecorder(system.engine)
        refused = await system.ask(f"/subscribe shortage {at:%H:%M} daily", who=ASKER, where=group)
        await system.settle()
        clock.ahead += timedelta(minutes=11)
        before = len(looks)
        await eventually(lambda: len(looks) > before + 1, hint=lambda: looks)
        assert sum(looks) == 0, "it is not kept"
        assert (await system.press(refused, "发到我的单聊", ASKER)).ok
        clock.ahead += timedelta(days=1)
        await eventually(lambda: sum(looks) == 1, hint=lambda: looks)
        await eventually(
            lambda: any("缺货" in call.private_texts.get(ASKER, "") for call in wire.calls), hint=lambda: wire.calls
        )
        told = " ".join(call.shared_text for call in wire.take())
        assert "没有订阅成功" in told
        assert not [place for place in PLACES if place in told]
        assert "SKU" not in told
        assert "RM-" not in told
