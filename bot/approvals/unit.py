"""One unit of work about cases: what is done in it has one time, one policy and one company, and is stored together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.approvals.book import Book
from bot.approvals.case import AuditRow, Case
from bot.approvals.ruling import Company, Policy
from bot.erp.model import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the operator may set besides the policy."""

    undo: timedelta = timedelta(0)
    """How long a decision can be taken back before the ERP is told."""
    technical_account: bool = False
    """Whether the ERP is told under the bot's own account, with the decider named in the reason, where the decider has
    no account there. Without it they cannot decide."""
    own_account: str = ""
    """The bot's own account, as decisions name it."""
    write_takes: timedelta = timedelta(seconds=60)
    """Longer than any write: what was noted so long ago and has no outcome was broken off."""
    sure_after: timedelta = timedelta(seconds=90)
    """A write that cannot be found in the ERP so long after it was sent did not happen: longer than servers work on it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What the stages share."""

    book: Book
    policy: Policy
    company: Company
    now: datetime
    """In the company's zone, whose days limits per day mean."""
    terms: Terms = Terms()

    def approved_today(self, user_id: str, currency: str) -> Money:
        """Return what a person approved today; implements `bot.approvals.ruling.Spending`."""
        begins = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return self.book.approved_on(user_id, currency, begins, begins + timedelta(days=1))

    def account_of(self, user_id: str, source: str) -> str:
        """Return the ERP account in whose name a person decides; empty if there is none."""
        own = self.company.account_of(user_id, source)
        return own or (self.terms.own_account if self.terms.technical_account else "")

    def audit(self, case: Case, what: str, *, user_id: str = "", detail: str = "", seen: str = "") -> None:
        """Write a line of the record."""
        self.book.audit(AuditRow(at=self.now, case=case.id, what=what, user_id=user_id, detail=detail, seen=seen))
