"""A document as deciders see it, and the fingerprint that recognises it later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from bot.checks.check import CheckOutcome
from bot.erp.kinds import Kind, kind_of, review_of
from bot.erp.model import ErpRecord, Money, Review
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


class DocumentKey(NamedTuple):
    """What names a document: its source, its kind, and its number there."""

    source: str
    kind: Kind[Any]
    number: str

    @property
    def folded(self) -> DocumentKey:
        """The same with its number in lower case: numbers that differ in capitals alone are one."""
        return self._replace(number=self.number.casefold())

    @classmethod
    def of(cls, document: ErpRecord) -> DocumentKey:
        """Return the key of a record."""
        return cls(document.source, kind_of(document), document.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDocument:
    """One revision of a document, with everything that rules may check beyond the record itself."""

    key: DocumentKey
    review: Review
    """How far it is on its way through the ERP's approval."""
    partner: str = ""
    """The name of its customer or vendor."""
    total: Money | None = None
    record: ErpRecord | None = None
    """The document as just read; None for one that is only remembered."""
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
    checks: tuple[CheckOutcome, ...] = ()
    """What came of its checks; rules take one that is not here for flagged."""

    @property
    def kind(self) -> Kind[Any]:
        return self.key.kind

    @property
    def source(self) -> str:
        """The name of its source."""
        return self.key.source

    @property
    def number(self) -> str:
        return self.key.number

    @property
    def read(self) -> ErpRecord:
        """The document as just read; a remembered one has no content."""
        assert self.record is not None, "only a document that was just read has content"
        return self.record

    @property
    def fingerprint(self) -> str:
        """A hash that changes with anything a decider was shown, and with nothing else."""
        return fingerprint(self.read)

    def involvement(self, user_id: str = "", account: str = "") -> Bar | None:
        """Return a person's involvement, by userId or ERP account; None if there is none."""
        folded = account.casefold()
        if (user_id and user_id == self.requester) or (account and folded == self.review.requester.casefold()):
            return REQUESTED
        if self._has_passed(user_id, folded):
            return self._passed()
        if user_id in self.editors or (account and folded == self.review.changed_by.casefold()):
            return CHANGED
        return None

    def _has_passed(self, user_id: str, account: str) -> bool:
        """Return whether a person approved an earlier level: not every ERP names them as the last editor."""
        return user_id in self.passed_by or account in map(str.casefold, earlier_deciders(self.review))

    def _passed(self) -> Bar:
        waits_for = self.review.progress.pending_for
        if not waits_for:
            return PASSED
        names = tuple(self.review.named(account) for account in waits_for)
        own = phrase(
            "You have approved it already, at an earlier level in the ERP; now it waits for %(names)s.", names=names
        )
        return Bar(own, PASSED.theirs)


def earlier_deciders(review: Review) -> frozenset[str]:
    """Return the accounts that approved the ERP's earlier levels, as far as it tells."""
    approval = review.progress
    if not review.waits or approval.level <= 1:
        return frozenset()
    return frozenset({*approval.passed_by, approval.decided_by}) - {""}


def fingerprint(document: ErpRecord) -> str:
    """Return 32 hex digits over partner, total, dates, requester and lines.

    ``version`` is left out: it also changes with a comment or a print, which is no reason to ask again.
    """
    kind = kind_of(document)
    lines = sorted(
        (line.sku, line.name, line.unit, str(line.quantity), *_money(getattr(line, "price", None)))
        for line in getattr(document, "lines", ())
    )
    seen: Iterable[object] = (
        document.number.casefold(),
        kind.partner_of(document),
        review_of(document).requester,
        kind.day(document),
        kind.due(document),
        *_money(kind.amounts.total(document)),
        lines,
    )
    return hashlib.sha256(orjson.dumps(list(seen))).hexdigest()[:32]


def _money(money: object) -> tuple[str, str]:
    amount, currency = getattr(money, "amount", None), getattr(money, "currency", "")
    return ("" if amount is None else f"{amount.normalize():f}"), currency
