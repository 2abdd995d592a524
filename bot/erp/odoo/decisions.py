"""How documents are approved and rejected, each person with their own API key, and how far they are on that way.

Docs: platform/erp/odoo.md#deciding
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from bot.erp import deciding, kinds
from bot.erp.decider_keys import DeciderKeys
from bot.erp.errors import KEY_MISSING, KEY_REFUSED, AuthFailed, Conflict, DeciderRefused, Unavailable, UnknownOutcome
from bot.erp.keys import fingerprint
from bot.erp.kinds import Kind
from bot.erp.model import Approval, Decision, DecisionOutcome, Review, ReviewState, Verdict
from bot.erp.odoo.client import Account, OdooClient
from bot.erp.odoo.mapping import OdooSite, Row, linked, moment, name_of, number, reference
from bot.erp.odoo.options import OdooOptions
from bot.erp.odoo.reads import PEOPLE, OdooPlan
from bot.erp.plans.plan import NamedRows
from bot.erp.port import Filter
from bot.erp.values import text

_PLAIN_BODIES = (17, 0)
"""From 17 on, the body of a message is plain text; before, it was HTML."""
_AT_ONCE = timedelta(seconds=5)
"""How far the times of an approval and of the last change may lie apart for the same transaction: the latter is when
it began (recorded: up to five seconds earlier)."""
_ODOO_BOT = 1
"""The user for the server's own work, such as a scheduled clean-up: it decides nothing."""
_CANCELLED = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooApproval:
    """The states in which documents of a model wait and are approved, and the buttons that lead there."""

    waiting: tuple[str, ...]
    approved: frozenset[str]
    approve: str
    reject: str
    at: str = ""
    """The field with the time of approval; without one Odoo does not tell who approved, nor when."""
    context: Mapping[str, Any] = field(default_factory=dict)


PURCHASES = OdooApproval(
    waiting=("to approve",),
    approved=frozenset({"purchase", "done"}),
    approve="button_approve",
    reject="button_cancel",
    at="date_approve",
)
APPROVALS: Mapping[Kind[Any], OdooApproval] = MappingProxyType(
    {
        kinds.PURCHASE_ORDERS: PURCHASES,
        kinds.SALES_ORDERS: OdooApproval(
            waiting=("draft", "sent"),
            approved=frozenset({"sale", "done"}),
            approve="action_confirm",
            reject="action_cancel",
            # Else a quotation that was sent is not cancelled: a window asks whether the customer is to be told.
            context={"disable_cancel_warning": True},
        ),
        kinds.BILLS: OdooApproval(
            waiting=("draft",), approved=frozenset({"posted"}), approve="action_post", reject="button_cancel"
        ),
    }
)


def version(row: Row) -> str:
    """Return a fingerprint for decisions; it includes the total because two edits may fall in the same second."""
    parts = [row.get("state"), row.get("write_date"), str(number(row.get("amount_total"))), row.get("order_line")]
    parts += [reference(row.get(name)) for name in ("partner_id", "currency_id")]
    return fingerprint(*parts)


def review(row: Row, site: OdooSite, approval: OdooApproval) -> Review:
    """Return how far a document is."""
    return Review(
        state=_state(row, approval),
        version=version(row),
        approval=_approval(row, site, approval),
        requester=_login(row, "create_uid"),
        changed_by=_login(row, "write_uid"),
        people=_people(row),
    )


def decided(plan: OdooPlan, approval: OdooApproval) -> OdooPlan:
    """Return the plan of a kind that is decided: its documents tell their reviews, and a list those that wait."""
    waiting: NamedRows[Any] = NamedRows(plan.days[0], lambda _: [["state", "in", list(approval.waiting)]])
    return replace(
        plan,
        fields=(*plan.fields, "create_uid", "write_uid"),
        lists={**plan.lists, Filter.PENDING: waiting},
        joins=(PEOPLE, *plan.joins),
        build=partial(_reviewed, build=plan.build, approval=approval),
    )


def _reviewed(row: Row, site: OdooSite, *, build: Callable[[Row, OdooSite], Any], approval: OdooApproval) -> Any:
    return replace(build(row, site), review=review(row, site, approval))


def _state(row: Row, approval: OdooApproval) -> ReviewState:
    state = row.get("state")
    if state in approval.waiting:
        return ReviewState.WAITING
    if state in approval.approved:
        return ReviewState.APPROVED
    return ReviewState.CANCELLED if state == _CANCELLED else ReviewState.DRAFT


def _login(row: Row, name: str) -> str:
    """Return the login of the user that a many2one refers to; API keys are configured by login."""
    return text(linked(row, name, "people").get("login"))


def _people(row: Row) -> Mapping[str, str]:
    names = ("create_uid", "write_uid")
    return MappingProxyType({login: name_of(row.get(name)) for name in names if (login := _login(row, name))})


def _approval(row: Row, site: OdooSite, approval: OdooApproval) -> Approval | None:
    """Return the approval.

    Odoo does not record who approved: it was the last writer if they wrote at the time of approval.
    """
    by, at, state = _login(row, "write_uid"), moment(row.get("write_date")), row.get("state")
    if by == site.unnamed or reference(row.get("write_uid")) == _ODOO_BOT:
        by = ""
    if state in approval.waiting:
        return Approval()
    if state in approval.approved:
        approved_at = moment(row.get(approval.at))
        same = at is not None and approved_at is not None and abs(at - approved_at) <= _AT_ONCE
        return Approval(decided_by=by if same else "", decided_at=approved_at)
    return Approval(decided_by=by, decided_at=at) if state == _CANCELLED else None


class ModelApprovals:
    """Approves documents of one model with a button; rejects with a message and another one."""

    def __init__(
        self, client: OdooClient, options: OdooOptions, keys: DeciderKeys, plan: OdooPlan, approval: OdooApproval
    ) -> None:
        self._plan = plan
        self._approval = approval
        self._client = client
        self._options = options
        self._keys = keys
        self._unnamed = options.user if options.decide_as_bot else ""

    async def write(self, document: Any, decision: Decision) -> str:
        """Send a decision once; raises the errors that `bot.erp.deciding` expects from a write."""
        account = await self._account_of(decision.by)
        message = decision.reason if decision.verdict is Verdict.REJECT else ""
        if decision.by != account.login:
            # Odoo records the bot's account, so the message names the person.
            message = ": ".join(filter(None, (decision.by, str(decision.verdict), decision.reason)))
        if message:
            await self._post(document, message, account)
            # The buttons accept a document in any state, so check it again right before.
            await self._compare(document)
        button = self._approval.approve if decision.verdict is Verdict.APPROVE else self._approval.reject
        await self._act(document, button, account)
        # Odoo answers the same whether the button had an effect or not, without any text.
        return ""

    def outcome(self, before: Any, after: Any, decision: Decision) -> DecisionOutcome | None:
        """Return what became of a decision. Where Odoo keeps no time of approval, who wrote last is who decided."""
        review: Review = after.review
        if not self._approval.at and review.state is ReviewState.APPROVED and review.changed_by != self._unnamed:
            after = replace(after, review=replace(review, approval=Approval(decided_by=review.changed_by)))
        return deciding.outcome_of(before, after, decision)

    async def _account_of(self, login: str) -> Account:
        """Return the account that decides; Odoo records the owner of the key as the person who decided."""
        own = await self._keys.keys_of(self._client.source)
        key = own.get(login) or self._options.approvers.get(login)
        if key is not None:
            return Account(login, key)
        if login == self._options.user or self._options.decide_as_bot:
            return self._client.bot
        raise DeciderRefused(KEY_MISSING, source=self._client.source)

    async def _post(self, document: Any, message: str, account: Account) -> None:
        """Post the reason first, so that it is never lost; if that fails, nothing is decided."""
        if await self._client.release() < _PLAIN_BODIES:
            message = html.escape(message, quote=False)
        try:
            await self._act(document, "message_post", account, body=message)
        except UnknownOutcome as error:
            raise Unavailable(
                "the reason could not be left; nothing was decided", source=self._client.source
            ) from error

    async def _act(self, document: Any, method: str, account: Account, **arguments: Any) -> None:
        try:
            await self._client.call(
                self._plan.model,
                method,
                ids=[int(document.id)],
                context=self._approval.context,
                account=account,
                writes=True,
                **arguments,
            )
        except AuthFailed as error:
            if account is self._client.bot:
                raise
            # People's keys expire after three months at most; the bot's own key may still be valid.
            raise DeciderRefused(KEY_REFUSED, source=self._client.source) from error

    async def _compare(self, document: Any) -> None:
        rows = await self._client.read(self._plan.model, [int(document.id)], self._plan.fields)
        if any(version(row) != document.review.version for row in rows.values()) or not rows:
            raise Conflict("the document was changed", source=self._client.source)
