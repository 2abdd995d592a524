"""Decisions on a real Tryton server; a plain client reads the results without the adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.erp.errors import Invalid
from bot.erp.kinds import BILLS, SALES_ORDERS, Kind, kind_of
from bot.erp.model import Decision, DecisionOutcome, DecisionResult, ReviewState, Verdict
from bot.erp.port import Erp, Filter, ListQuery
from bot.erp.tryton.manifest import vendor
from bot.erp.vendors import AdapterContext
from bot.kit.testing.erp_checks import resulting_document, resulting_order
from tests.erp.tryton.real.conftest import DECIDING
from tests.erp.tryton.real.plain_client import PlainClient
from tests.erp.tryton.server.server_process import TrytonServer

pytestmark = [pytest.mark.process, pytest.mark.timeout(360)]

APPROVERS = {
    "dingbot": "DingBot#2026",
    "manager": "Manager#2026",
    "readonly": "ReadOnly#2026",
    "warehouse": "StockZhao#2026",
}
REASON = "太贵了, *wirklich* <b>& “too dear”"
STATE = ("state", "number", "confirmed_by")

OpenErp = Callable[..., Awaitable[Erp]]


@pytest.fixture
async def open_erp(tryton_server: TrytonServer, tmp_path: Path) -> AsyncIterator[OpenErp]:
    async with AsyncExitStack() as stack:

        async def open_erp(**options: Any) -> Erp:
            account = {"user": "dingbot", "password": "DingBot#2026", "timeout": 60, "write_timeout": 60}
            where = {"url": tryton_server.url, "database": DECIDING}
            checked = vendor.options.model_validate({**where, **account, **options})
            context = AdapterContext(name="main", data_dir=tmp_path, now=lambda: datetime.now(UTC))
            erp = await vendor.open(context, checked)
            stack.push_async_callback(erp.close)
            return erp

        yield open_erp


@pytest.fixture
async def erp(open_erp: OpenErp) -> Erp:
    return await open_erp(approvers=APPROVERS)


@pytest.fixture
async def plain(tryton_server: TrytonServer) -> PlainClient:
    return await asyncio.to_thread(PlainClient, tryton_server.url, DECIDING, "admin", "Admin#2026")


async def _decide(erp: Erp, seen: Any, by: str, verdict: Verdict = Verdict.APPROVE, reason: str = "") -> DecisionResult:
    kind, version = kind_of(seen).command, seen.review.version
    return await erp.decide(
        Decision(kind=kind, number=seen.number, version=version, verdict=verdict, by=by, reason=reason)
    )


def _log(plain: PlainClient, order_id: str) -> list[tuple[str, str]]:
    """Return who brought an order to which state, from the server's own log."""
    domain = [["resource", "=", f"purchase.purchase,{order_id}"], ["event", "=", "transition"]]
    rows = plain.call("ir.model.log.search_read", domain, 0, None, [["id", "ASC"]], ["user.login", "target"])
    return [(row["user."]["login"], row["target"]) for row in rows if row["target"].startswith("state:")]


def _notes(plain: PlainClient, order_id: str, model: str = "purchase.purchase") -> list[tuple[str, str]]:
    domain = [["resource", "=", f"{model},{order_id}"]]
    rows = plain.call("ir.note.search_read", domain, 0, None, None, ["create_uid.login", "message"])
    return [(row["create_uid."]["login"], row["message"]) for row in rows]


async def test_approving(erp: Erp, plain: PlainClient) -> None:
    seen = await erp.purchase_order("PO-2007")
    result = await _decide(erp, seen, "manager")
    assert result.outcome is DecisionOutcome.APPLIED
    row = await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2007", *STATE)
    assert row["state"] == "processing"
    assert (await asyncio.to_thread(_log, plain, seen.id))[-1] == ("manager", "state:processing")
    order = resulting_order(result)
    assert order.status is ReviewState.APPROVED
    assert order.review.approval is not None
    assert (order.review.approval.decided_by, order.review.named("manager")) == ("manager", "采购经理 王强")
    assert order.review.version != seen.review.version

    for verdict, by in ((Verdict.APPROVE, "manager"), (Verdict.REJECT, "dingbot")):
        again = await _decide(erp, seen, by, verdict, REASON)
        assert (again.outcome, again.document) == (DecisionOutcome.ALREADY_DECIDED, order)
    assert await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2007", *STATE) == row
    assert await asyncio.to_thread(_notes, plain, seen.id) == []


async def test_rejecting_with_a_reason(erp: Erp, plain: PlainClient) -> None:
    seen = await erp.purchase_order("PO-2008")
    result = await _decide(erp, seen, "manager", Verdict.REJECT, REASON)
    assert (result.outcome, result.text) == (DecisionOutcome.APPLIED, "")
    row = await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2008", *STATE)
    assert row["state"] == "cancelled"
    assert (await asyncio.to_thread(_log, plain, seen.id))[-1] == ("manager", "state:cancelled")
    assert await asyncio.to_thread(_notes, plain, seen.id) == [("manager", REASON)]
    approval = resulting_order(result).review.approval
    assert approval is not None
    assert (approval.decided_by, approval.reason) == ("manager", REASON)
    assert (await _decide(erp, seen, "manager", Verdict.REJECT, REASON)).outcome is DecisionOutcome.ALREADY_DECIDED
    assert len(await asyncio.to_thread(_notes, plain, seen.id)) == 1


async def test_trap_null_is_no_proof_two_people_are_needed(erp: Erp, plain: PlainClient) -> None:
    """The first confirmation is answered like any other, and the order stays a quotation."""
    seen = await erp.purchase_order("PO-2010")
    assert seen.review.approval is not None
    assert (seen.review.approval.level, seen.review.approval.levels) == (1, 2)
    first = await _decide(erp, seen, "dingbot")
    assert first.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    assert (await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2010", *STATE))["state"] == "quotation"
    between = resulting_order(first)
    assert between.review.approval is not None
    assert (between.review.approval.level, between.review.approval.decided_by) == (2, "dingbot")
    assert between.review.version != seen.review.version

    assert (await _decide(erp, seen, "dingbot")).outcome is DecisionOutcome.ALREADY_DECIDED
    assert (await _decide(erp, between, "dingbot")).outcome is DecisionOutcome.NOT_PERMITTED
    assert (await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2010", *STATE))["state"] == "quotation"

    second = await _decide(erp, between, "manager")
    assert second.outcome is DecisionOutcome.APPLIED
    assert (await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2010", *STATE))["state"] == "processing"
    assert (await asyncio.to_thread(_log, plain, seen.id))[-1] == ("manager", "state:processing")


async def test_without_the_right_and_after_a_change(erp: Erp, open_erp: OpenErp, plain: PlainClient) -> None:
    """All on PO-2009, one after another; the last decides it with the bot's account."""
    seen = await erp.purchase_order("PO-2009")
    before = await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2009", *STATE, "_timestamp")
    for by in ("readonly", "warehouse", "a stranger", ""):
        for verdict in Verdict:
            result = await _decide(erp, seen, by, verdict, REASON)
            assert result.outcome is DecisionOutcome.NOT_PERMITTED, (by, verdict)
    assert await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2009", *STATE, "_timestamp") == before

    await asyncio.to_thread(plain.call, "purchase.purchase.write", [int(seen.id)], {"comment": "in a hurry"})
    changed = await _decide(erp, seen, "manager")
    assert changed.outcome is DecisionOutcome.CHANGED_SINCE_SHOWN
    assert resulting_order(changed).review.version != seen.review.version
    # Tryton itself refuses an edit between the adapter's read and write.
    stamp = {"_timestamp": {f"purchase.purchase,{seen.id}": before["_timestamp"]}}
    for button in ("confirm", "cancel"):
        with pytest.raises(RuntimeError, match="ConcurrencyException"):
            await asyncio.to_thread(plain.call, f"purchase.purchase.{button}", [int(seen.id)], context=stamp)
    assert (await asyncio.to_thread(plain.one, "purchase.purchase", "PO-2009", *STATE))["state"] == "quotation"

    for_others = await open_erp(decide_as_bot=True)
    result = await _decide(for_others, resulting_order(changed), "li.na", Verdict.REJECT, REASON)
    assert result.outcome is DecisionOutcome.APPLIED
    approval = resulting_order(result).review.approval
    assert approval is not None
    assert (approval.decided_by, approval.reason) == ("li.na", REASON)
    assert await asyncio.to_thread(_notes, plain, seen.id) == [("dingbot", f"Rejected by li.na\n{REASON}")]
    assert (await asyncio.to_thread(_log, plain, seen.id))[-1] == ("dingbot", "state:cancelled")


async def test_a_draft_waits_for_nobody_and_a_quotation_for_one_of_two(erp: Erp, plain: PlainClient) -> None:
    """A draft is not decided; once it is quoted, two people decide at once, and one is told that the other did."""
    (row,) = await asyncio.to_thread(
        plain.call, "purchase.purchase.search_read", [["state", "=", "draft"]], 0, 1, None, ["number"]
    )
    draft = await erp.purchase_order(f"({row['id']})")
    assert draft.status is ReviewState.DRAFT
    with pytest.raises(Invalid):
        await _decide(erp, draft, "manager")
    await asyncio.to_thread(plain.call, "purchase.purchase.quote", [row["id"]])
    (quoted,) = await asyncio.to_thread(plain.call, "purchase.purchase.read", [row["id"]], ["number"])
    seen = await erp.purchase_order(quoted["number"])
    results = await asyncio.gather(_decide(erp, seen, "manager"), _decide(erp, seen, "dingbot", Verdict.REJECT, REASON))
    outcomes = [result.outcome for result in results]
    assert sorted(outcomes) == sorted((DecisionOutcome.APPLIED, DecisionOutcome.ALREADY_DECIDED))
    state = (await asyncio.to_thread(plain.one, "purchase.purchase", seen.number, *STATE))["state"]
    assert state == ("processing" if outcomes[0] is DecisionOutcome.APPLIED else "cancelled")


def _pressed(plain: PlainClient, document_id: str, model: str) -> list[tuple[str, str]]:
    """Return who pressed which buttons of a document."""
    domain = [["resource", "=", f"{model},{document_id}"], ["event", "=", "button"]]
    rows = plain.call("ir.model.log.search_read", domain, 0, None, None, ["user.login", "target"])
    return [(row["user."]["login"], row["target"]) for row in rows]


def _submit_copy(plain: PlainClient, model: str, domain: list[Any], button: str, day: str, reference: str) -> str:
    """Submit a copy of some document, and return its number."""
    known = [*domain, ["state", "in", ["processing", "posted", "paid"]]]
    (first, *_) = plain.call(f"{model}.search_read", known, 0, 1, None, [day])
    (copy,) = plain.call(f"{model}.copy", [first["id"]], {"reference": reference, day: first[day]})
    plain.call(f"{model}.{button}", [copy])
    (row,) = plain.call(f"{model}.read", [copy], ["number"])
    return str(row["number"])


@pytest.mark.parametrize(
    ("kind", "model", "domain", "button", "day", "pressed", "approved"),
    [
        (SALES_ORDERS, "sale.sale", [], "quote", "sale_date", "confirm", "processing"),
        (BILLS, "account.invoice", [["type", "=", "in"]], "validate_invoice", "invoice_date", "post", "posted"),
    ],
    ids=["sales", "bills"],
)
async def test_sales_and_bills(
    open_erp: OpenErp,
    plain: PlainClient,
    kind: Kind[Any],
    model: str,
    domain: list[Any],
    button: str,
    day: str,
    pressed: str,
    approved: str,
) -> None:
    erp = await open_erp(approvers=APPROVERS, decides=["order", "bill"])
    names = [
        await asyncio.to_thread(_submit_copy, plain, model, domain, button, day, f"{button} {verdict}")
        for verdict in (Verdict.APPROVE, Verdict.REJECT)
    ]
    pending = await erp.documents(kind, ListQuery(filter=Filter.PENDING, limit=100))
    assert {*names} <= {document.number for document in pending.items}
    good, bad = [await erp.document(kind, name) for name in names]
    for by in ("readonly", "warehouse"):
        assert (await _decide(erp, good, by)).outcome is DecisionOutcome.NOT_PERMITTED

    result = await _decide(erp, good, "dingbot")
    assert result.outcome is DecisionOutcome.APPLIED
    assert (await asyncio.to_thread(plain.one, model, good.number, "state"))["state"] == approved
    assert ("dingbot", pressed) in await asyncio.to_thread(_pressed, plain, good.id, model)
    review = resulting_document(result).review
    assert (review.state, review.progress.decided_by) == (ReviewState.APPROVED, "dingbot")
    late = await _decide(erp, good, "dingbot", Verdict.REJECT, REASON)
    assert late.outcome is DecisionOutcome.ALREADY_DECIDED
    assert (await asyncio.to_thread(plain.one, model, good.number, "state"))["state"] == approved

    result = await _decide(erp, bad, "dingbot", Verdict.REJECT, REASON)
    assert (result.outcome, result.text) == (DecisionOutcome.APPLIED, "")
    review = resulting_document(result).review
    assert (review.state, review.progress.decided_by, review.progress.reason) == (
        ReviewState.CANCELLED,
        "dingbot",
        REASON,
    )
    assert (await asyncio.to_thread(plain.one, model, bad.number, "state"))["state"] == "cancelled"
    assert await asyncio.to_thread(_notes, plain, bad.id, model) == [("dingbot", REASON)]
