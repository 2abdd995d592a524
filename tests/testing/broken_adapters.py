"""Adapters with one defect each, and the contract case that must find it.

`test_contract` runs this file by itself; pytest does not collect it otherwise.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.erp import deciding
from bot.erp.errors import AuthFailed, ErpError, NotFound, RateLimited, UnknownOutcome
from bot.erp.kinds import INVOICES, PURCHASE_ORDERS, SALES_ORDERS, D, Kind
from bot.erp.model import (
    Area,
    Change,
    Changes,
    Decision,
    DecisionOutcome,
    DecisionResult,
    Invoice,
    Money,
    Product,
    PurchaseOrder,
    Slice,
    StockLevel,
)
from bot.erp.port import Erp, ListQuery
from bot.erp.vendors import AdapterContext, Vendor
from bot.kit.company.adapter import DemoErp
from bot.kit.company.client import DemoDatabase
from tests.erp.test_demo_contract import TestDemoContract as DemoContract

sys.path.insert(0, str(Path(__file__).parents[2] / "docs/examples/dingerp-erp-example"))
from dingerp_erp_example.adapter import ExampleErp
from dingerp_erp_example.manifest import vendor as example

from tests.erp.test_example_package import TestExampleContract as ExampleContract


def demo_contract_for(broken: type[DemoErp]) -> Vendor[Any]:
    async def open_it(context: AdapterContext, options: Any) -> Erp:
        database = DemoDatabase(options.database)
        await database.open(lambda connection: None)
        return broken(database, name=context.name, now=context.now, latency=0)

    return replace(DemoContract.vendor, open=open_it)


def example_contract_for(broken: type[ExampleErp]) -> Vendor[Any]:
    async def open_it(context: AdapterContext, options: Any) -> Erp:
        return broken(context, options)

    return replace(example, open=open_it)


class RoundsAmounts(DemoErp):
    async def document(self, kind: Kind[D], number: str) -> Any:
        found = await super().document(kind, number)
        if not isinstance(found, Invoice):
            return found
        assert found.total is not None
        return replace(found, total=Money(Decimal(float(found.total.amount)), found.total.currency))


class ForgetsZones(DemoErp):
    async def document(self, kind: Kind[D], number: str) -> Any:
        found = await super().document(kind, number)
        if kind != SALES_ORDERS:
            return found
        assert found.changed_at is not None
        changes: Any = {"changed_at": found.changed_at.replace(tzinfo=None)}
        return replace(found, **changes)


class TakesNothingForZero(DemoErp):
    async def stock(self, sku: str) -> StockLevel:
        level = await super().stock(sku)
        return replace(level, reorder_point=level.reorder_point or Decimal(0))


class TrimsText(DemoErp):
    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        found = await super().find_products(text, limit=limit)
        return tuple(replace(product, name=" ".join(product.name.split())) for product in found)


class Overlaps(DemoErp):
    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        shifted = replace(query, offset=max(0, query.offset - 1))
        return await super().documents(kind, shifted if kind == SALES_ORDERS else query)


class CountsThePage(DemoErp):
    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        found = await super().documents(kind, query)
        return replace(found, total=len(found.items)) if kind == SALES_ORDERS else found


class SortsByNumber(DemoErp):
    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        found = await super().documents(kind, query)
        if kind != INVOICES:
            return found
        return replace(found, items=tuple(sorted(found.items, key=lambda invoice: invoice.number)))


class IgnoresFilters(DemoErp):
    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        return await super().documents(kind, replace(query, text="") if kind == PURCHASE_ORDERS else query)


class CursorOfTimeAlone(DemoErp):
    """Continues after the last time that it saw."""

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        everything = (await super().changed_since(area, "", limit=1_000)).items
        after = datetime.fromisoformat(cursor) if cursor else None
        fresh = [change for change in everything if after is None or change.changed_at > after]
        return self._changes(fresh[:limit], cursor, more=len(fresh) > limit)

    def _changes(self, items: list[Change], cursor: str, *, more: bool) -> Changes:
        return Changes(items=tuple(items), cursor=items[-1].changed_at.isoformat() if items else cursor, more=more)


class CursorOfTimeAndKey(DemoErp):
    """Continues after the last record in the order of time and key."""

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        everything = (await super().changed_since(area, "", limit=1_000)).items
        ordered = sorted(everything, key=_place)
        fresh = [change for change in ordered if str(_place(change)) > cursor]
        last = str(_place(fresh[:limit][-1])) if fresh else cursor
        return Changes(items=tuple(fresh[:limit]), cursor=last, more=len(fresh) > limit)


def _place(change: Change) -> tuple[float, str]:
    return change.changed_at.timestamp(), change.key


class CursorOfOffsets(DemoErp):
    """Continues after as many records as it has returned."""

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        everything = (await super().changed_since(area, "", limit=1_000)).items
        offset = int(cursor or 0)
        items = everything[offset : offset + limit]
        return Changes(items=items, cursor=str(offset + len(items)), more=offset + limit < len(everything))


class DecidesWhateverIsThere(DemoErp):
    async def decide(self, decision: Decision) -> DecisionResult:
        now = await self.purchase_order(decision.number)
        return await super().decide(replace(decision, version=now.review.version))


class DecidesForAnybody(DemoErp):
    async def decide(self, decision: Decision) -> DecisionResult:
        now = await self.purchase_order(decision.number)
        waiting_for = now.review.approval.pending_for if now.review.approval else ()
        return await super().decide(replace(decision, by=waiting_for[0] if waiting_for else decision.by))


class DropsReasons(DemoErp):
    async def decide(self, decision: Decision) -> DecisionResult:
        return await super().decide(replace(decision, reason=""))


class LogsInEachTime(ExampleErp):
    async def _ask(self, *args: Any, **how: Any) -> Any:
        self._relogin._session = None
        return await super()._ask(*args, **how)


class LogsInForEachCaller(ExampleErp):
    _token = ""

    async def _ask(self, send: Any, *request: str, what: str = "", **how: Any) -> Any:
        self._token = self._token or await self._login()
        answer = await send(*request, headers={"Authorization": f"Bearer {self._token}"}, **how)
        if answer.status == 401:
            self._token = await self._login()
            answer = await send(*request, headers={"Authorization": f"Bearer {self._token}"}, **how)
        return answer.checked(what=what, source=self.name)


class NeverLogsInAgain(ExampleErp):
    _token: str | None = None

    async def _login(self) -> str:
        self._token = self._token or await super()._login()
        return self._token


class FightsLimits(ExampleErp):
    async def _ask(self, *args: Any, **how: Any) -> Any:
        try:
            return await super()._ask(*args, **how)
        except RateLimited:
            return await super()._ask(*args, **how)


class ForgetsTheSeconds(ExampleErp):
    async def _ask(self, *args: Any, **how: Any) -> Any:
        try:
            return await super()._ask(*args, **how)
        except RateLimited as error:
            raise RateLimited("busy") from error


class TakesFailuresForNothing(ExampleErp):
    async def document(self, kind: Kind[D], number: str) -> D:
        try:
            return await super().document(kind, number)
        except ErpError as error:
            raise NotFound(number) from error


class TellsPasswords(ExampleErp):
    async def _login(self) -> str:
        try:
            return await super()._login()
        except ErpError as error:
            raise AuthFailed(f"login with {self._options.password.get_secret_value()}") from error


class WritesAgain(ExampleErp):
    async def _write(self, order: PurchaseOrder, decision: Decision) -> None:
        try:
            await super()._write(order, decision)
        except UnknownOutcome:
            await super()._write(order, decision)


class TakesSilenceForFailure(ExampleErp):
    async def decide(self, decision: Decision) -> DecisionResult:
        try:
            return await deciding.decide(decision, read=self.purchase_order, write=self._guarded)
        except NotFound:
            raise
        except ErpError:
            return DecisionResult(outcome=DecisionOutcome.NOT_PERMITTED, document=None)

    async def _guarded(self, order: PurchaseOrder, decision: Decision) -> None:
        try:
            await self._write(order, decision)
        except UnknownOutcome as error:
            raise NotFound(order.number) from error


class ClaimsAnyDecision(ExampleErp):
    async def decide(self, decision: Decision) -> DecisionResult:
        def claim(before: PurchaseOrder, after: PurchaseOrder, decision: Decision) -> DecisionOutcome | None:
            return DecisionOutcome.APPLIED if after.status is not before.status else None

        return await deciding.decide(decision, read=self.purchase_order, write=self._write, classify=claim)


class ReadsOnePage(ExampleErp):
    async def _all(self, kind: str) -> list[Any]:
        page = await self._ask(self._http.read, "GET", kind, params={"limit": 100})
        found: list[Any] = page["items"]
        return found


WRONG: list[tuple[type[Any], str]] = [
    (RoundsAmounts, "read.exact[invoices]"),
    (ForgetsZones, "read.types[orders]"),
    (TakesNothingForZero, "stock.exact"),
    (TrimsText, "products.all"),
    (Overlaps, "list.pages[orders]"),
    (CountsThePage, "list.pages[orders]"),
    (SortsByNumber, "list.all[invoices]"),
    (IgnoresFilters, "list.text[purchase_orders]"),
    (CursorOfTimeAlone, "changes.once[sales]"),
    (CursorOfTimeAlone, "changes.equal_times[purchasing]"),
    (CursorOfTimeAndKey, "changes.equal_times[purchasing]"),
    (CursorOfOffsets, "changes.while_reading[sales]"),
    (DecidesWhateverIsThere, "decide.changed[purchase_orders]"),
    (DecidesWhateverIsThere, "decide.changed_at_once[purchase_orders]"),
    (DecidesForAnybody, "decide.outsider[purchase_orders]"),
    (DecidesForAnybody, "decide.own[purchase_orders]"),
    (DropsReasons, "decide.reject[purchase_orders]"),
    (LogsInEachTime, "login.once"),
    (LogsInForEachCaller, "login.single_flight"),
    (NeverLogsInAgain, "login.expired"),
    (FightsLimits, "limit.told"),
    (ForgetsTheSeconds, "limit.honoured"),
    (TakesFailuresForNothing, "down.page"),
    (TakesFailuresForNothing, "rights.read[purchase_orders]"),
    (TellsPasswords, "quiet"),
    (WritesAgain, "decide.lost_done[purchase_orders]"),
    (WritesAgain, "decide.lost_undone[purchase_orders]"),
    (TakesSilenceForFailure, "decide.lost_done[purchase_orders]"),
    (ClaimsAnyDecision, "decide.lost_other[purchase_orders]"),
    (ReadsOnePage, "products.all"),
    (ReadsOnePage, "list.pages[purchase_orders]"),
]


def _contract(broken: type[Any]) -> type[Any]:
    """Return the contract with the wanted cases of an adapter alone: collecting the others takes longer than these."""
    base, vendor = (
        (DemoContract, demo_contract_for) if issubclass(broken, DemoErp) else (ExampleContract, example_contract_for)
    )
    wanted = {row.partition("[")[0] for other, row in WRONG if other is broken}
    spared = {name: None for name in dir(base) if name.startswith("test_") and _case_of(base, name) not in wanted}
    return type(f"Test{broken.__name__}", (base,), {"name": broken.__name__, "vendor": vendor(broken), **spared})


def _case_of(contract: type[Any], name: str) -> str:
    """Return the id of the case that a method tests."""
    return str(getattr(contract, name).contract_case.id)


globals().update({f"Test{broken.__name__}": _contract(broken) for broken, _ in WRONG})
