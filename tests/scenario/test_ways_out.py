"""Every way out of the bot, walked by somebody from whom the rules keep something.

The ways are typed lines, sentences, all buttons of their cards, files, watches and subscriptions. What is kept from the
reader is nowhere on the wire.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, is_dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import get_args

import orjson
import pytest

from bot.charts.chart import Chart
from bot.charts.drawing import Compact, draw_chart
from bot.charts.painter import ChartPainter
from bot.chat.registry import Commands
from bot.erp.hub import ErpHub
from bot.erp.model import Money
from bot.erp.port import ListQuery
from bot.kit.company.sales import ZONE
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.timeline import TimelineEntry
from bot.settings import RuleSettings
from bot.words.disclosure import ALL_FIELDS, MONEY_FIELDS, FieldClass, classed_fields
from tests.scenario.conftest import KEEPER, READING, BotSystem, OpenSystem
from tests.scenario.test_least_disclosure import LINES, MIXED_GROUP, MONEY
from tests.scenario.test_subscriptions import MovedClock
from tests.scenario.traffic import LONGEST_WAIT, eventually
from tests.workbook_cells import read_sheets

PARTNERS = frozenset({FieldClass.PARTNER, FieldClass.CONTACT})
STRICTEST = ALL_FIELDS - {FieldClass.QUANTITY}
KEPT = [
    pytest.param(STRICTEST, 1, 3, id="all but quantities"),
    pytest.param(STRICTEST, 2, 1, id="all but quantities, deeper", marks=pytest.mark.soak),
    pytest.param(MONEY_FIELDS, 2, 1, id="money", marks=pytest.mark.soak),
    pytest.param(PARTNERS, 2, 1, id="partners", marks=pytest.mark.soak),
]
"""What is kept from everybody, how deep a walk looks for it, and of how many lines it asks one in each place."""

MORE_LINES = (
    "/order mine",
    "/order {similar_customer}",
    "/invoice {similar_customer}",
    "/po {similar_vendor}",
    "/mo late",
    "{part_of_vendor}",
    "/customer C001",
    "/customer {part_of_customer}",
    "/customer {similar_customer}",
    "/customer",
    "/vendor V001",
    "/vendor {part_of_vendor}",
    "/vendor {similar_vendor}",
    "/vendor",
    "/bill BILL-1",
    "/bill overdue",
    "/bill {part_of_vendor}",
    "/payment PAY-1",
    "/payment {part_of_customer}",
    "/payment",
    "/find {part_of_customer}",
    "/find {part_of_vendor}",
    "/report month",
    "/report sales month",
    "/chart sales",
    "/chart ageing",
    "/chart sales {part_of_customer}",
    "/export order late",
    "/export invoice overdue",
    "/export po late",
    "/export report month",
    "/export chart sales",
    "/export chart ageing",
    "/export order SO-1001",
    "/export invoice INV-7",
    "/export po PO-1001",
    "/export bill BILL-1",
    "/export payment PAY-1",
    "/export customer C001",
    "/export price SKU146",
    "/export delivery SO-1001",
    "/export receipt PO-1005",
    "/subscribe receipt yesterday 9:00 daily",
    "/export order {part_of_customer}",
    "/export find {part_of_customer}",
    "/export arrivals",
    "/subscribe order late 9:00 daily",
    "/subscribe invoice {part_of_customer} 9:00 daily",
    "/subscribe report month 9:00 daily",
    "/subscriptions",
    "/watch SO-1001",
    "/watch PO-1001",
    "/watch INV-7",
    "/watch SKU123 < 50000",
    "/watches",
    "/unwatch INV-7",
    "/help order",
    "/audit PO-1001",
    "/bind",
    "/mute stock.low 2h",
    "/approve",
    "/reject PO-1001",
    "本月销售走势",
    "谁欠我们钱",
    "我的订单",
    "前十大客户",
    "{part_of_customer}的订单",
    "{part_of_customer} 欠多少",
    "SO-1001 的发票",
    "那采购单呢",
    "导出",
)

_CODE = re.compile(r"[A-Z]{1,4}-?\d+")
"""Numbers of documents and codes of partners: one begins with another."""
_MEDIA = re.compile(r"@lAD[0-9a-f]{30}")


class WholeWire:
    """All that the bot sends: bodies of calls, acknowledgements of clicks, and the cells of files."""

    def __init__(self, engine: SimEngine) -> None:
        self._engine = engine
        self._next, engine.timeline.on_entry = engine.timeline.on_entry, self._saw
        self._said: list[tuple[str, str]] = []
        self.files: dict[str, str] = {}
        """What stands in each workbook, by its media id."""

    async def drawing(self, chart: Chart, compact: Compact) -> str:
        """Draw a chart in place of `ChartPainter.draw`: what stands in pictures is said, too."""
        svg = draw_chart(chart, compact)
        self._said.append(("a chart", svg))
        return svg

    def take(self) -> list[tuple[str, str]]:
        """Return what was sent since the last time, each with what carried it."""
        said, self._said = self._said, []
        return said

    def _saw(self, entry: TimelineEntry) -> None:
        if self._next is not None:
            self._next(entry)
        if entry.direction in ("call", "ack"):
            sent = entry.detail.get("request") if entry.direction == "call" else entry.detail
            text = orjson.dumps(sent or {}, default=str).decode()
            self._said.append((entry.name, text))
            for key in _MEDIA.findall(text):
                self._open(key)

    def _open(self, key: str) -> None:
        stored = self._engine.media.get(key)
        if stored is not None and key not in self.files and stored.content.startswith(b"PK"):
            cells = (cell.value for sheet in read_sheets(stored.content) for row in sheet.rows for cell in row)
            self.files[key] = "\n".join(f"{value:.2f}" if isinstance(value, Decimal) else value for value in cells)
            self._said.append((stored.name, self.files[key]))


@dataclass
class Walk:
    """One person's walk. ``leaks`` are the ways on which something came out that is kept, with what it was."""

    system: BotSystem
    wire: WholeWire
    secrets: frozenset[str]
    has_money: bool
    leaks: list[str] = field(default_factory=list)
    pressed: set[str] = field(default_factory=set)
    deep: int = 2
    """How many buttons are pressed one after the other: those of a card, of what it leads to, and so on."""
    alone: bool = False
    """Whether only what comes to the walker counts, and not what others are told meanwhile."""

    def check(self, way: str) -> None:
        for carrier, text in self.wire.take():
            if self.alone and carrier.startswith("POST") and KEEPER not in text:
                continue
            told = [secret for secret in self.secrets if is_told(secret, text) and secret not in way]
            told += MONEY.findall(text) if self.has_money else []
            if told:
                self.leaks.append(f"{way} | {carrier} | {told[:3]}")

    async def ask(self, line: str, where: str) -> None:
        """Ask, and press every button of the answer that was not pressed yet, and of what these lead to."""
        ways = deque([(await self.system.ask(line, where=where), line, 0)])
        await self.system.settle()
        self.check(line)
        while ways:
            card, way, depth = ways.popleft()
            for button in card.buttons:
                if button.id in self.pressed or depth == self.deep:
                    continue
                self.pressed.add(button.id)
                await self.system.engine.click(card.out_track_id, KEEPER, params={"id": button.id})
                self.check(f"{way} → {button.text}")
                ways.append((self.system.see(card), f"{way} → {button.text}", depth + 1))


def is_told(secret: str, text: str) -> bool:
    """Whether a text holds a name, a figure or a number; of numbers one begins with another."""
    return secret in text and (not _CODE.fullmatch(secret) or secret in _CODE.findall(text))


async def read_documents(hub: ErpHub) -> list[object]:
    query = ListQuery(limit=500)
    lists = (hub.orders, hub.invoices, hub.purchase_orders, hub.customers, hub.vendors, hub.bills, hub.payments)
    return [record for read in lists for record in (await read(query)).value.items]


def secrets_in(record: object, classes: Collection[FieldClass], said: frozenset[FieldClass]) -> Iterator[str]:
    """Yield the names and figures in a record that are of these classes, as people are told them."""
    # A whole number may as well be a quantity, or a date in a file.
    if isinstance(record, Money) and said & frozenset(classes) and record.amount % 1:
        yield f"{record.amount:,.2f}"
        yield f"{record.amount:.2f}"
    elif isinstance(record, str) and len(record) > 1 and said & frozenset(classes):
        yield record
    elif isinstance(record, tuple):
        for part in record:
            yield from secrets_in(part, classes, said)
    elif is_dataclass(record):
        for name, marks, hint in classed_fields(type(record)):
            own = frozenset(mark for mark in marks if isinstance(mark, FieldClass))
            if own or get_args(hint):
                yield from secrets_in(getattr(record, name), classes, own)


@asynccontextmanager
async def walking(
    open_system: OpenSystem,
    kept: frozenset[FieldClass],
    clock: MovedClock,
    *,
    granted: frozenset[FieldClass] = frozenset(),
) -> AsyncIterator[Walk]:
    """Open a system in which all is kept from everybody that is in ``kept`` and not ``granted``."""
    everybody = {"commands": ["*"], "roles": ["*"], "fields": sorted(ALL_FIELDS - kept | granted)}
    async with open_system(
        clock=clock.now,
        access={"rules": (RuleSettings.model_validate(everybody),), "file": None, "outsider_groups": (MIXED_GROUP,)},
        read_model={"enabled": True},
        limits={"exports_day": 1000},
        notify={"welcome": True, "todo": True, "top_box": True},
        **READING,
    ) as system:
        documents = await read_documents(system.app.hub)
        secrets = frozenset(secret for each in documents for secret in secrets_in(each, kept, frozenset()))
        assert len(secrets) > 20
        yield Walk(system, WholeWire(system.engine), secrets, has_money=kept >= MONEY_FIELDS)


SCOPES: Mapping[str, Mapping[str, object]] = {
    "own documents": {"own": True},
    "one customer": {"partners": ["杭州宏达机电设备有限公司"]},
}


async def documents_outside(hub: ErpHub, scope: Mapping[str, object]) -> Iterable[str]:
    """Return the numbers of documents that are outside a scope, and the names on them that are not inside, too."""
    partners = scope.get("partners", ())
    assert isinstance(partners, Collection)
    inside, outside = set[str](), set[str]()
    for document in await read_documents(hub):
        name = next(filter(None, (getattr(document, each, "") for each in ("customer", "vendor", "partner", "name"))))
        code = getattr(document, "number", "") or getattr(document, "code", "")
        (inside if name in partners else outside).update({code, name})
    examples = " ".join(example for command in Commands.discover().values() for example in command.examples)
    return outside - inside - {"", *_CODE.findall(examples)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("scope", "one_in"),
    [("one customer", 3), *(pytest.param(scope, 1, marks=pytest.mark.soak) for scope in SCOPES)],
)
async def test_documents_outside_the_scope_come_out_nowhere(open_system: OpenSystem, scope: str, one_in: int) -> None:
    """The scope of one's own documents is compared with SQL in `tests.commands.demo.test_lists`, too."""
    rule = RuleSettings.model_validate({"commands": ["*"], "roles": ["*"], **SCOPES[scope]})
    limits = {"exports_day": 1000}
    access = {"rules": (rule,), "file": None}
    async with open_system(access=access, read_model={"enabled": True}, limits=limits, **READING) as system:
        hub = system.app.hub
        secrets = frozenset(await documents_outside(hub, SCOPES[scope]))
        walk = Walk(system, WholeWire(system.engine), secrets, has_money=False, alone=True, deep=1)
        words = await words_of(hub)
        age = "read_model_age_seconds"
        await eventually(lambda: 0 < system.count(age, source="demo") < 1e9, LONGEST_WAIT, hint=lambda: None)
        for line in (*LINES, *MORE_LINES)[::one_in]:
            await walk.ask(line.format(**words), system.engine.direct(KEEPER).id)
        assert not walk.leaks, "\n".join(walk.leaks)


async def words_of(hub: ErpHub) -> Mapping[str, str]:
    """Return what is put into lines: parts of names, so that the whole name in an answer is the bot's word."""
    customer, vendor = (await hub.order("SO-1001")).value.customer, (await hub.purchase_order("PO-1001")).value.vendor
    part, other = customer[2:4], vendor[2:4]
    return {
        "customer": part,
        "vendor": other,
        "part_of_customer": part,
        "part_of_vendor": other,
        "similar_customer": f"{part}错",
        "similar_vendor": f"{other}错",
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kept", "deep", "one_in"), KEPT)
async def test_what_is_kept_from_somebody_comes_out_nowhere(
    open_system: OpenSystem, kept: frozenset[FieldClass], deep: int, one_in: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MovedClock()
    async with walking(open_system, kept, clock) as walk:
        walk.deep = deep
        monkeypatch.setattr(ChartPainter, "draw", walk.wire.drawing)
        system = walk.system
        words, own_chat = await words_of(system.app.hub), system.engine.direct(KEEPER).id
        age = "read_model_age_seconds"
        await eventually(lambda: 0 < system.count(age, source="demo") < 1e9, LONGEST_WAIT, hint=lambda: None)
        walk.check("the start")
        for line, where in (*product((*LINES, *MORE_LINES), (own_chat, MIXED_GROUP)),)[::one_in]:
            await walk.ask(line.format(**words), where)
        due = (clock.now() + timedelta(minutes=2)).astimezone(ZONE)
        subscribed = ("/order late", "/invoice overdue", "/report month", "/chart sales")
        for line in subscribed:
            # A group that may not see it is refused.
            for where in (own_chat, MIXED_GROUP):
                await walk.ask(f"/subscribe {line[1:]} {due:%H:%M} daily", where)
        cards = len(system.engine.cards)
        clock.ahead += timedelta(minutes=3)
        least = cards + len(subscribed)
        await eventually(lambda: len(system.engine.cards) >= least, LONGEST_WAIT, hint=lambda: walk.leaks)
        await system.settle()
        walk.check("subscriptions")
        assert not walk.leaks, "\n".join(walk.leaks)
        assert len(walk.pressed) > (180 + 50 * deep) // one_in
        assert len(walk.wire.files) > 8 // one_in


async def test_a_walk_with_all_rights_finds_what_the_others_look_for(open_system: OpenSystem) -> None:
    """Otherwise the test above would prove nothing."""
    async with walking(open_system, STRICTEST, MovedClock(), granted=ALL_FIELDS) as walk:
        for line in ("/order SO-1001", "/po PO-1001", "/customer C001", "/watch SO-1001", "/export invoice overdue"):
            walk.leaks.clear()
            await walk.ask(line, walk.system.engine.direct(KEEPER).id)
            assert any(leak.startswith(f"{line} |") for leak in walk.leaks), line
        await eventually(lambda: walk.wire.files, LONGEST_WAIT, hint=lambda: walk.leaks)
        assert any(secret in text for text in walk.wire.files.values() for secret in walk.secrets)
