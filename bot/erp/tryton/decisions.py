"""Approvals of purchase orders, read from Tryton's logs, clicks, rules and notes; confirms and cancels orders.

Docs: platform/erp/tryton.md#deciding
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from bot.erp.errors import KEY_MISSING, KEY_REFUSED, AuthFailed, DeciderRefused, ErpError, NotPermitted
from bot.erp.model import Approval, Decision, PurchaseOrder, Verdict
from bot.erp.tryton.client import Account, Row, TrytonRefusal, at


class _Unknown(Exception):
    """The condition uses something that is not known here."""


def may_apply(condition: str | None, record: Mapping[str, Any]) -> bool:
    """Return whether a rule applies to a record; True if the fields that were read do not show it."""
    if not condition:
        return True
    try:
        return bool(_value(json.loads(condition, parse_float=Decimal), record))
    except (_Unknown, ValueError, TypeError, KeyError):
        return True


def _value(node: Any, record: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_value(item, record) for item in node]
    if not isinstance(node, dict):
        return node
    if "__class__" not in node:
        return {name: _value(item, record) for name, item in node.items()}

    def part(name: str) -> Any:
        return _value(node[name], record)

    match node["__class__"]:
        case "Eval" if node["v"] == "self":
            return record
        case "Get":
            # A field that was not read may have a value, so its default would be a guess.
            container, key = part("v"), part("k")
            if container is record and key not in record:
                raise _Unknown
            return container.get(key, part("d"))
        case "Greater":
            return part("s1") >= part("s2") if part("e") else part("s1") > part("s2")
        case "Less":
            return part("s1") <= part("s2") if part("e") else part("s1") < part("s2")
        case "Equal":
            return part("s1") == part("s2")
        case "Not":
            return not part("v")
        case "Bool":
            return bool(part("v"))
        case "And":
            return all(part("s"))
        case "Or":
            return any(part("s"))
        case "If":
            return part("t") if part("c") else part("e")
        case "In":
            return part("k") in part("v")
        case _:
            raise _Unknown


MODEL = "purchase.purchase"
BUTTONS = {Verdict.APPROVE: "confirm", Verdict.REJECT: "cancel"}

_APPROVED = ("confirmed", "processing", "done")
_STATES = ("draft", "quotation", *_APPROVED, "cancelled")
_STATE_OF = {f"state:{state}": state for state in _STATES} | {
    "quote": "quotation",
    "draft": "draft",
    "confirm": "confirmed",
    "cancel": "cancelled",
}
"""Meaning of a log entry: a state change by the server, or a button that a person pressed.

Pressing ``confirm`` logs no change to ``confirmed``, and the one to ``processing`` may be a worker's.
"""
_RULE = [["button.model", "=", MODEL], ["button.name", "=", "confirm"]]
_IN_ORDER = [["create_date", "ASC"], ["id", "ASC"]]

_NOTE = re.compile(r"(?:Approved|Rejected) by (?P<by>\S[^\n]*)(?:\n(?P<reason>.*))?", re.DOTALL)
_DONE = {Verdict.APPROVE: "Approved", Verdict.REJECT: "Rejected"}


@dataclass(frozen=True, slots=True)
class _LogEntry:
    """A click, a state change or a note: its author, time and content."""

    by: str
    name: str
    when: datetime
    what: str


def resource(order_id: int | str) -> str:
    """Return the reference to an order in logs and notes."""
    return f"{MODEL},{order_id}"


def note_for(decision: Decision, *, for_another: bool) -> str:
    """Return the note of a decision, if any: the reason and, if made on behalf of a person, their name."""
    if not for_another:
        return decision.reason
    return f"{_DONE[decision.verdict]} by {decision.by}" + (f"\n{decision.reason}" if decision.reason else "")


def version_of(row: Row, approval: Approval | None) -> str:
    """Return a text that changes with every edit: Tryton's timestamp and a fingerprint that includes total and level.

    Editing a line may leave the order's timestamp unchanged, and so does a click that a rule counts.
    """
    summary = f"{row['total_amount']}/{approval.level if approval else 0}"
    return f"{row['_timestamp']}/{blake2b(summary.encode(), digest_size=6).hexdigest()}"


def stamp_of(version: str) -> str:
    """Return Tryton's timestamp from a version, which the write checks."""
    return version.partition("/")[0]


class PurchaseApprovals:
    """Reads the approvals of many orders at once, and decides.

    ``approvers`` returns the accounts of those who decide, by login. ``for_others`` is the account that decides for
    people without one, if any: its notes name the person who decided.
    """

    def __init__(
        self,
        account: Account,
        approvers: Callable[[], Awaitable[Mapping[str, Account]]],
        *,
        for_others: str | None,
        source: str,
    ) -> None:
        self._account = account
        self._approvers = approvers
        self._for_others = for_others
        self._source = source

    async def read(
        self, orders: Sequence[Row]
    ) -> tuple[Mapping[int, Approval | None], Mapping[int, Mapping[str, str]]]:
        """Return the approval of each order by its id, and the names of the accounts in approvals and orders.

        The number of requests does not depend on the number of orders.
        """
        submitted = [order for order in orders if order["state"] != "draft"]
        decided = [order["id"] for order in submitted if order["state"] != "quotation"]
        rules, log, notes = await asyncio.gather(
            self._account.search("ir.model.button.rule", _RULE, ["number_user", "condition"])
            if submitted
            else _nothing(),
            _log(self._account, decided),
            _notes(self._account, decided),
        )
        required_users = {order["id"]: _wanted_users(order, rules) for order in submitted}
        clicks = await _clicks(self._account, [order_id for order_id, users in required_users.items() if users > 1])
        approvals = {
            order["id"]: _approval(
                order["state"],
                required_users.get(order["id"], 1),
                clicks[order["id"]],
                log[order["id"]],
                notes[order["id"]],
                self._for_others,
            )
            for order in orders
        }
        return approvals, {order["id"]: _names(order, clicks[order["id"]] + log[order["id"]]) for order in orders}

    async def write(self, order: PurchaseOrder, decision: Decision) -> str:
        """Press the button once and add the note; raises the errors that `bot.erp.deciding` expects from a write."""
        account = await self._account_of(order, decision)
        button = BUTTONS[decision.verdict]
        try:
            context = {"_timestamp": {resource(order.id): stamp_of(decision.version)}}
            await account.write(MODEL, button, [int(order.id)], context=context)
        except TrytonRefusal as error:
            # The message is in the person's language, so check the rights instead of parsing it.
            if await self._may_press(account, button):
                raise
            raise NotPermitted(error.detail, source=self._source) from None
        except AuthFailed as error:
            if account is self._account:
                raise
            raise DeciderRefused(KEY_REFUSED, source=self._source) from error
        return await self._leave_note(account, order, decision)

    async def _account_of(self, order: PurchaseOrder, decision: Decision) -> Account:
        approvers = await self._approvers()
        if decision.by in approvers:
            return approvers[decision.by]
        if self._for_others is None:
            raise DeciderRefused(KEY_MISSING, source=self._source)
        if order.review.progress.level > 1 and not order.review.progress.decided_by:
            raise NotPermitted("Tryton wants a second account, and the bot has only one", source=self._source)
        return self._account

    async def _may_press(self, account: Account, button: str) -> bool:
        """Return whether an account may press a button, by Tryton's own rule.

        A button is open to its groups or, if it has none, to all who may change its model.
        """
        pressed = [["model", "=", MODEL], ["name", "=", button]]
        buttons, preferences, access = await asyncio.gather(
            account.search("ir.model.button", pressed, ["groups"]),
            account.read("res.user", "get_preferences", True),
            account.read("ir.model.access", "get_access", [MODEL]),
        )
        groups = {group for row in buttons for group in row["groups"]}
        return bool(groups & set(preferences["groups"]) if groups else access[MODEL]["write"])

    async def _leave_note(self, account: Account, order: PurchaseOrder, decision: Decision) -> str:
        """Add a note with the reason and the person; if that fails, the decision stands and the text says so."""
        message = note_for(decision, for_another=account.user != decision.by)
        if not message:
            return ""
        try:
            await account.write("ir.note", "create", [{"resource": resource(order.id), "message": message}])
        except ErpError as error:
            return f"The note with the reason could not be left: {error.detail}"
        return ""


def _names(order: Row, steps: Iterable[_LogEntry]) -> Mapping[str, str]:
    names = {at(order, f"{field}.login"): at(order, f"{field}.name") for field in ("create_uid", "write_uid")}
    names |= {step.by: step.name for step in steps}
    return {login: name for login, name in names.items() if login and name}


def _approval(
    state: str,
    levels: int,
    clicks: list[_LogEntry],
    log: list[_LogEntry],
    notes: list[_LogEntry],
    for_others: str | None,
) -> Approval | None:
    level = min(len({click.by for click in clicks}) + 1, levels)
    if state == "quotation":
        last = clicks[-1] if clicks and level > 1 else None
        passed = tuple(dict.fromkeys(click.by for click in clicks if click.by != for_others)) if last else ()
        by = last.by if last and last.by != for_others else ""
        return Approval(
            level=level, levels=levels, decided_by=by, decided_at=last.when if last else None, passed_by=passed
        )
    if state in _APPROVED:
        level = levels
    decision = _decision(state, log)
    if decision is None:
        # Cancelled before a decision, or confirmed so long ago that the log was deleted.
        return Approval(level=level, levels=levels) if state in _APPROVED else None
    by, reason = _decided_by(decision, notes, for_others)
    return Approval(level=level, levels=levels, decided_by=by, decided_at=decision.when, reason=reason)


def _decision(state: str, log: list[_LogEntry]) -> _LogEntry | None:
    """Return the step that moved the order from quotation to its current state."""
    found, before = None, ""
    for step in log:
        if step.what == before or (found and step.what in _APPROVED and before in _APPROVED):
            # A repeated entry, or an approved order that is being processed.
            continue
        reached = step.what == state or (step.what in _APPROVED and state in _APPROVED)
        found = step if before == "quotation" and reached else None
        before = step.what
    return found


def _decided_by(decision: _LogEntry, notes: list[_LogEntry], for_others: str | None) -> tuple[str, str]:
    """Return the person who decided and the reason: the first note by the same account from then on."""
    note = next((note.what for note in notes if note.by == decision.by and note.when >= decision.when), "")
    if decision.by != for_others:
        return decision.by, note
    match = _NOTE.fullmatch(note)
    return (match["by"], match["reason"] or "") if match else ("", "")


def _wanted_users(order: Row, rules: Sequence[Row]) -> int:
    """Return how many users must confirm an order; the rules are applied to the fields that were read."""
    record = {name.removesuffix("."): value for name, value in order.items()}
    record |= {name: value["id"] for name, value in record.items() if isinstance(value, dict)}
    return max((rule["number_user"] for rule in rules if may_apply(rule["condition"], record)), default=1)


async def _log(account: Account, ids: Sequence[int]) -> Mapping[int, list[_LogEntry]]:
    domain = [
        ["resource", "in", [resource(order_id) for order_id in ids]],
        ["event", "in", ["button", "transition"]],
        ["target", "in", list(_STATE_OF)],
    ]
    fields = ["resource", "user.login", "user.name", "create_date", "target"]
    rows = await account.search("ir.model.log", domain, fields, order=_IN_ORDER) if ids else []
    return _steps(rows, "user", lambda row: (_id_of(row["resource"]), _STATE_OF[row["target"]]))


async def _notes(account: Account, ids: Sequence[int]) -> Mapping[int, list[_LogEntry]]:
    domain = [["resource", "in", [resource(order_id) for order_id in ids]]]
    fields = ["resource", "create_uid.login", "create_uid.name", "create_date", "message"]
    rows = await account.search("ir.note", domain, fields, order=_IN_ORDER) if ids else []
    return _steps(rows, "create_uid", lambda row: (_id_of(row["resource"]), row["message"] or ""))


async def _clicks(account: Account, ids: Sequence[int]) -> Mapping[int, list[_LogEntry]]:
    domain = [*_RULE, ["record_id", "in", list(ids)]]
    fields = ["record_id", "user.login", "user.name", "create_date"]
    rows = await account.search("ir.model.button.click", domain, fields, order=_IN_ORDER) if ids else []
    return _steps(rows, "user", lambda row: (row["record_id"], "confirm"))


def _steps(rows: Iterable[Row], user: str, describe: Callable[[Row], tuple[int, str]]) -> Mapping[int, list[_LogEntry]]:
    """Return the steps of each order; ``describe`` returns id and content of a row."""
    steps: dict[int, list[_LogEntry]] = defaultdict(list)
    for row in rows:
        order_id, what = describe(row)
        by, name = at(row, f"{user}.login") or "", at(row, f"{user}.name") or ""
        steps[order_id].append(_LogEntry(by, name, row["create_date"], what))
    return steps


def _id_of(text: str) -> int:
    return int(text.partition(",")[2])


async def _nothing() -> list[Row]:
    return []
