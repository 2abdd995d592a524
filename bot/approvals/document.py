"""A purchase order as deciders see it, and the fingerprint that recognises it later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from bot.erp.model import Approval, PurchaseOrder, PurchaseStatus
from bot.words.phrase import Phrase, phrase

FINGERPRINT_PREFIX = 8
"""The hex digits of a fingerprint in a button. They only distinguish revisions: the case's id beside them is itself
derived from the whole fingerprint, and neither is trusted.
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """Why a person cannot decide, however they were named: one text for them, one for others."""

    own: Phrase
    theirs: Phrase


REQUESTED = Bar(phrase("Nobody decides what they requested themselves."), phrase("They requested it."))
CHANGED = Bar(phrase("Nobody decides what they changed themselves."), phrase("They changed it."))
PASSED = Bar(
    phrase("You have approved it already, at an earlier level in the ERP; somebody else decides now."),
    phrase("They have approved it already, at an earlier level in the ERP."),
)
"""Most ERPs report the last decider as the last editor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDocument:
    """One revision of a purchase order, with everything that rules may check beyond the order itself."""

    order: PurchaseOrder
    company: str = ""
    department: str = ""
    """The requester's department, from the directory."""
    categories: frozenset[str] = frozenset()
    """Product categories of the lines."""
    requester: str = ""
    """The requester's userId; empty if the ERP account belongs to nobody in DingTalk."""
    editors: frozenset[str] = frozenset()
    """The userIds of editors, as far as the ERP tells: real ones name only the last."""
    passed_by: frozenset[str] = frozenset()
    """The userIds of those who approved the ERP's earlier levels, as far as known."""

    @property
    def source(self) -> str:
        """The name of its source."""
        return self.order.source

    @property
    def number(self) -> str:
        return self.order.number

    @property
    def fingerprint(self) -> str:
        """A hash that changes with anything a decider was shown, and with nothing else."""
        return fingerprint(self.order)

    def involvement(self, user_id: str = "", account: str = "") -> Bar | None:
        """Return a person's involvement, by userId or ERP account; None if there is none."""
        folded = account.casefold()
        if (user_id and user_id == self.requester) or (account and folded == self.order.requester.casefold()):
            return REQUESTED
        if self._has_passed(user_id, folded):
            return self._passed()
        if user_id in self.editors or (account and folded == self.order.changed_by.casefold()):
            return CHANGED
        return None

    def _has_passed(self, user_id: str, account: str) -> bool:
        """Return whether a person approved an earlier level: not every ERP names them as the last editor."""
        return user_id in self.passed_by or account in map(str.casefold, earlier_deciders(self.order))

    def _passed(self) -> Bar:
        waits_for = (self.order.approval or Approval()).pending_for
        if not waits_for:
            return PASSED
        names = tuple(self.order.named(account) for account in waits_for)
        own = phrase(
            "You have approved it already, at an earlier level in the ERP; now it waits for %(names)s.", names=names
        )
        return Bar(own, PASSED.theirs)


def earlier_deciders(order: PurchaseOrder) -> frozenset[str]:
    """Return the accounts that approved the ERP's earlier levels, as far as it tells."""
    approval = order.approval or Approval()
    if order.status is not PurchaseStatus.WAITING or approval.level <= 1:
        return frozenset()
    return frozenset({*approval.passed_by, approval.decided_by}) - {""}


def fingerprint(order: PurchaseOrder) -> str:
    """Return 32 hex digits over vendor, total, dates, requester and lines.

    ``version`` is left out: it also changes with a comment or a print, which is no reason to ask again.
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
