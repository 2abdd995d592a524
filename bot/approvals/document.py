"""A purchase order as it is decided about: what the deciders see, and how it is recognised later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from bot.erp.model import Approval, PurchaseOrder, PurchaseStatus
from bot.phrase import Phrase, phrase

FINGERPRINT_PREFIX = 8
"""Hex digits of a fingerprint that a button carries. They only tell a card of another revision: the case's id, which
is beside them, is itself made of the whole fingerprint, and neither is trusted."""


@dataclass(frozen=True, slots=True)
class Involvement:
    """Why somebody must not decide, however they were named: as they are told themselves, and as others are told."""

    own: Phrase
    theirs: Phrase


REQUESTED = Involvement(phrase("Nobody decides what they requested themselves."), phrase("They requested it."))
CHANGED = Involvement(phrase("Nobody decides what they changed themselves."), phrase("They changed it."))
PASSED = Involvement(
    phrase("You have approved it already, at an earlier level in the ERP; somebody else decides now."),
    phrase("They have approved it already, at an earlier level in the ERP."),
)
"""Most ERPs name who decided last as who changed it last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDocument:
    """One revision of one purchase order of one source, with what rules may ask for beyond the order itself."""

    order: PurchaseOrder
    company: str = ""
    department: str = ""
    """Of the requester, by the directory."""
    categories: frozenset[str] = frozenset()
    """Product categories of the lines."""
    requester: str = ""
    """The requester's userId; empty where the ERP's account belongs to nobody in DingTalk."""
    editors: frozenset[str] = frozenset()
    """userIds of those who changed it, as far as the ERP tells: real ones name the last."""
    passed_by: str = ""
    """userId of the approver of the ERP's own level before the one that it waits at; empty where that is not known."""

    @property
    def source(self) -> str:
        """Return the name of the source that it lives in."""
        return self.order.source

    @property
    def number(self) -> str:
        return self.order.number

    @property
    def fingerprint(self) -> str:
        """Return what changes with anything that a decider was shown, and with nothing else."""
        return fingerprint(self.order)

    def involvement(self, user_id: str = "", account: str = "") -> Involvement | None:
        """Return how somebody is involved, by their userId or by their account in the ERP; None if they are not."""
        folded = account.casefold()
        if (user_id and user_id == self.requester) or (account and folded == self.order.requester.casefold()):
            return REQUESTED
        if user_id in self.editors or (account and folded == self.order.changed_by.casefold()):
            return self._passed() if self._has_passed(user_id, folded) else CHANGED
        return None

    def _has_passed(self, user_id: str, account: str) -> bool:
        """Whether somebody's change was to approve the level before."""
        decided_by = earlier_decider(self.order).casefold()
        return bool((user_id and user_id == self.passed_by) or (decided_by and account == decided_by))

    def _passed(self) -> Involvement:
        waits_for = (self.order.approval or Approval()).pending_for
        if not waits_for:
            return PASSED
        names = tuple(self.order.named(account) for account in waits_for)
        own = phrase(
            "You have approved it already, at an earlier level in the ERP; now it waits for %(names)s.", names=names
        )
        return Involvement(own, PASSED.theirs)


def earlier_decider(order: PurchaseOrder) -> str:
    """Return the account that approved the level of the ERP's own before the one that it waits at; empty for none."""
    approval = order.approval or Approval()
    return approval.decided_by if order.status is PurchaseStatus.WAITING and approval.level > 1 else ""


def fingerprint(order: PurchaseOrder) -> str:
    """Return 32 hex digits over vendor, total, dates, requester and lines.

    Not over ``version``: that one also changes with a comment or a print, which is no reason to ask people again.
    """
    lines = sorted((line.sku, line.name, line.unit, str(line.quantity), *_money(line.price)) for line in order.lines)
    seen: Iterable[object] = (
        order.number.casefold(),
        order.vendor,
        order.requester,
        order.ordered_on,
        order.due_on,
        *_money(order.total),
        lines,
    )
    return hashlib.sha256(orjson.dumps(list(seen))).hexdigest()[:32]


def _money(money: object) -> tuple[str, str]:
    amount, currency = getattr(money, "amount", None), getattr(money, "currency", "")
    return ("" if amount is None else f"{amount.normalize():f}"), currency
