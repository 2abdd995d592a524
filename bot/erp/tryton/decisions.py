"""Approvals of documents, read from Tryton's logs, clicks, rules and notes; confirms and cancels documents.

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
from types import MappingProxyType
from typing import Any

from bot.erp import kinds
from bot.erp.errors import KEY_MISSING, KEY_REFUSED, AuthFailed, DeciderRefused, ErpError, NotPermitted
from bot.erp.kinds import Kind, review_of
from bot.erp.model import Approval, Decision, ErpRecord, Review, ReviewState, Verdict
from bot.erp.tryton.client import Account, Domain, Row, TrytonRefusal, at


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


REJECT = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrytonApproval:
    """The states in which documents of a model wait and are approved, and the button that leads there."""

    model: str
    waiting: str = "quotation"
    approved: tuple[str, ...] = ("confirmed", "processing", "done")
    approve: str = "confirm"

    def button(self, verdict: Verdict) -> str:
        """Return the button that writes a verdict."""
        return self.approve if verdict is Verdict.APPROVE else REJECT

    def resource(self, document_id: int | str) -> str:
        """Return the reference to a document in logs and notes."""
        return f"{self.model},{document_id}"

    @property
    def rule(self) -> Domain:
        """The condition for the rules of the button that approves, and for what was clicked there."""
        return [["button.model", "=", self.model], ["button.name", "=", self.approve]]


APPROVALS: Mapping[Kind[Any], TrytonApproval] = MappingProxyType(
    {
        kinds.PURCHASE_ORDERS: TrytonApproval(model="purchase.purchase"),
        kinds.SALES_ORDERS: TrytonApproval(model="sale.sale"),
        kinds.BILLS: TrytonApproval(
            model="account.invoice", waiting="validated", approved=("posted", "paid"), approve="post"
        ),
    }
)
_CANCELLED = "cancelled"
_STATES = ("draft", "quotation", "confirmed", "processing", "done", "validated", "posted", "paid", _CANCELLED)
_STATE_OF = {f"state:{state}": state for state in _STATES} | {
    "quote": "quotation",
    "draft": "draft",
    "confirm": "confirmed",
    "validate_invoice": "validated",
    "post": "posted",
    REJECT: _CANCELLED,
}
"""Meaning of a log entry: a state change by the server, or a button that a person pressed.

Pressing ``confirm`` logs no change to ``confirmed``, and the one to ``processing`` may be a worker's.
"""
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


def review(row: Row, model: TrytonApproval, approval: Approval | None, people: Mapping[str, str]) -> Review:
    """Return how far a document is."""
    states = {model.waiting: ReviewState.WAITING, _CANCELLED: ReviewState.CANCELLED}
    states |= dict.fromkeys(model.approved, ReviewState.APPROVED)
    creator = at(row, "create_uid.login") or ""
    return Review(
        state=states.get(row["state"], ReviewState.DRAFT),
        version=version_of(row, approval),
        approval=approval,
        requester=creator,
        # Before the second write, only the creator is set.
        changed_by=at(row, "write_uid.login") or creator,
        people=people,
    )


class ModelApprovals:
    """Reads the approvals of many documents of one model at once, and decides.

    ``approvers`` returns the accounts of those who decide, by login. ``for_others`` is the account that decides for
    people without one, if any: its notes name the person who decided.
    """

    def __init__(
        self,
        account: Account,
        approval: TrytonApproval,
        approvers: Callable[[], Awaitable[Mapping[str, Account]]],
        *,
        for_others: str | None,
        source: str,
    ) -> None:
        self._account = account
        self._approval = approval
        self._approvers = approvers
        self._for_others = for_others
        self._source = source

    async def read(self, rows: Sequence[Row]) -> Mapping[int, Review]:
        """Return the reviews of documents by their ids, in a few requests however many there are."""
        this = self._approval
        submitted = [row for row in rows if row["state"] != "draft"]
        decided = [row["id"] for row in submitted if row["state"] != this.waiting]
        rules, log, notes = await asyncio.gather(
            self._account.search("ir.model.button.rule", this.rule, ["number_user", "condition"])
            if submitted
            else _nothing(),
            _log(self._account, this, decided),
            _notes(self._account, this, decided),
        )
        required_users = {row["id"]: _wanted_users(row, rules) for row in submitted}
        clicks = await _clicks(self._account, this, [key for key, users in required_users.items() if users > 1])
        return {
            row["id"]: self._review(
                row, required_users.get(row["id"], 1), clicks[row["id"]], log[row["id"]], notes[row["id"]]
            )
            for row in rows
        }

    def _review(
        self, row: Row, levels: int, clicks: list[_LogEntry], log: list[_LogEntry], notes: list[_LogEntry]
    ) -> Review:
        approval = _approval(row["state"], self._approval, levels, clicks, log, notes, self._for_others)
        return review(row, self._approval, approval, _names(row, clicks + log))

    async def write(self, document: ErpRecord, decision: Decision) -> str:
        """Press the button once and add the note; raises the errors that `bot.erp.deciding` expects from a write."""
        account = await self._account_of(document, decision)
        button = self._approval.button(decision.verdict)
        try:
            context = {"_timestamp": {self._approval.resource(document.id): stamp_of(decision.version)}}
            await account.write(self._approval.model, button, [int(document.id)], context=context)
        except TrytonRefusal as error:
            # The message is in the person's language, so check the rights instead of parsing it.
            if await self._may_press(account, button):
                raise
            raise NotPermitted(error.detail, source=self._source) from None
        except AuthFailed as error:
            if account is self._account:
                raise
            raise DeciderRefused(KEY_REFUSED, source=self._source) from error
        return await self._leave_note(account, document, decision)

    async def _account_of(self, document: ErpRecord, decision: Decision) -> Account:
        approvers = await self._approvers()
        if decision.by in approvers:
            return approvers[decision.by]
        if self._for_others is None:
            raise DeciderRefused(KEY_MISSING, source=self._source)
        progress = review_of(document).progress
        if progress.level > 1 and not progress.decided_by:
            raise NotPermitted("Tryton wants a second account, and the bot has only one", source=self._source)
        return self._account

    async def _may_press(self, account: Account, button: str) -> bool:
        """Return whether an account may press a button, by Tryton's own rule.

        A button is open to its groups or, if it has none, to all who may change its model.
        """
        model = self._approval.model
        pressed = [["model", "=", model], ["name", "=", button]]
        buttons, preferences, access = await asyncio.gather(
            account.search("ir.model.button", pressed, ["groups"]),
            account.read("res.user", "get_preferences", True),
            account.read("ir.model.access", "get_access", [model]),
        )
        groups = {group for row in buttons for group in row["groups"]}
        return bool(groups & set(preferences["groups"]) if groups else access[model]["write"])

    async def _leave_note(self, account: Account, document: ErpRecord, decision: Decision) -> str:
        """Add a note with the reason and the person; if that fails, the decision stands and the text says so."""
        message = note_for(decision, for_another=account.user != decision.by)
        if not message:
            return ""
        try:
            note = {"resource": self._approval.resource(document.id), "message": message}
            await account.write("ir.note", "create", [note])
        except ErpError as error:
            return f"The note with the reason could not be left: {error.detail}"
        return ""


def _names(order: Row, steps: Iterable[_LogEntry]) -> Mapping[str, str]:
    names = {at(order, f"{field}.login"): at(order, f"{field}.name") for field in ("create_uid", "write_uid")}
    names |= {step.by: step.name for step in steps}
    return {login: name for login, name in names.items() if login and name}


def _approval(
    state: str,
    model: TrytonApproval,
    levels: int,
    clicks: list[_LogEntry],
    log: list[_LogEntry],
    notes: list[_LogEntry],
    for_others: str | None,
) -> Approval | None:
    level = min(len({click.by for click in clicks}) + 1, levels)
    if state == model.waiting:
        last = clicks[-1] if clicks and level > 1 else None
        passed = tuple(dict.fromkeys(click.by for click in clicks if click.by != for_others)) if last else ()
        by = last.by if last and last.by != for_others else ""
        return Approval(
            level=level, levels=levels, decided_by=by, decided_at=last.when if last else None, passed_by=passed
        )
    approved = state in model.approved
    if approved:
        level = levels
    decision = _decision(state, model, log)
    if decision is None:
        # Cancelled before a decision, or confirmed so long ago that the log was deleted.
        return Approval(level=level, levels=levels) if approved else None
    by, reason = _decided_by(decision, notes, for_others)
    return Approval(level=level, levels=levels, decided_by=by, decided_at=decision.when, reason=reason)


def _decision(state: str, model: TrytonApproval, log: list[_LogEntry]) -> _LogEntry | None:
    """Return the step that moved the document from where it waited to its current state."""
    found, before, approved = None, "", model.approved
    for step in log:
        if step.what == before or (found and step.what in approved and before in approved):
            # A repeated entry, or an approved document that is being processed.
            continue
        reached = step.what == state or (step.what in approved and state in approved)
        found = step if before == model.waiting and reached else None
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


async def _log(account: Account, model: TrytonApproval, ids: Sequence[int]) -> Mapping[int, list[_LogEntry]]:
    domain = [
        ["resource", "in", [*map(model.resource, ids)]],
        ["event", "in", ["button", "transition"]],
        ["target", "in", list(_STATE_OF)],
    ]
    fields = ["resource", "user.login", "user.name", "create_date", "target"]
    rows = await account.search("ir.model.log", domain, fields, order=_IN_ORDER) if ids else []
    return _steps(rows, "user", lambda row: (_id_of(row["resource"]), _STATE_OF[row["target"]]))


async def _notes(account: Account, model: TrytonApproval, ids: Sequence[int]) -> Mapping[int, list[_LogEntry]]:
    domain = [["resource", "in", [*map(model.resource, ids)]]]
    fields = ["resource", "create_uid.login", "create_uid.name", "create_date", "message"]
    rows = await account.search("ir.note", domain, fields, order=_IN_ORDER) if ids else []
    return _steps(rows, "create_uid", lambda row: (_id_of(row["resource"]), row["message"] or ""))


async def _clicks(account: Account, model: TrytonApproval, ids: Sequence[int]) -> Mapping[int, list[_LogEntry]]:
    domain = [*model.rule, ["record_id", "in", list(ids)]]
    fields = ["record_id", "user.login", "user.name", "create_date"]
    rows = await account.search("ir.model.button.click", domain, fields, order=_IN_ORDER) if ids else []
    return _steps(rows, "user", lambda row: (row["record_id"], model.approve))


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
