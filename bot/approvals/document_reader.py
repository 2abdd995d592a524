"""Reads that precede a unit of work: documents from the ERP, and the company's people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

from cachetools import TTLCache

from bot.approvals.case import Case
from bot.approvals.document import ApprovalDocument, DocumentKey, earlier_deciders
from bot.approvals.plan import ApprovalPolicy, CompanyDirectory
from bot.checks.check import CheckOutcome
from bot.erp.errors import Unavailable
from bot.erp.hub import ErpHub
from bot.erp.kinds import kind_of, review_of
from bot.erp.model import Approval, ErpRecord, Money, Review, ReviewState
from bot.mechanisms.single_flight import SingleFlights

_NO_ACCOUNTS: Mapping[str, Mapping[str, str]] = MappingProxyType({})
_NO_CHAIN: Mapping[str, tuple[str, ...]] = MappingProxyType({})

_MOST, _SECONDS = 500, 600
"""How many documents without a case are remembered with their checks, and how long: polling meets them each minute."""

_MAX_CHAIN = 20
"""The length of a manager chain that is looked up; no company has longer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """A directory entry. ``manager`` is a userId, ``department`` a name; empty for none."""

    manager: str = ""
    department: str = ""


class StaffDirectory(Protocol):
    """The organisation's directory; the implementation caches answers for minutes."""

    async def member(self, user_id: str) -> StaffMember | None:
        """Return a member's entry, None for an outsider; raises a `DingerpError` if the directory does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class CompanySnapshot:
    """A `bot.approvals.plan.CompanyDirectory` as of one moment."""

    roles: Mapping[str, tuple[str, ...]]
    accounts: Mapping[tuple[str, str], str]
    """userId and source → ERP account."""
    people: Mapping[tuple[str, str], str]
    """Source and lower-cased ERP account → userId."""
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_CHAIN)

    def members_of(self, role: str) -> tuple[str, ...]:
        return self.roles.get(role, ())

    def managers_of(self, user_id: str) -> tuple[str, ...]:
        """Return the chain of managers, nearest first; empty for people who were not looked up."""
        return self.chains.get(user_id, ())

    def person_of(self, source: str, account: str) -> str:
        """Return the userId behind an ERP account; accounts that differ only in case belong to one person."""
        return self.people.get((source, account.casefold()), "")

    def account_of(self, user_id: str, source: str) -> str:
        return self.accounts.get((user_id, source), "")


class Organisation:
    """Takes snapshots. Roles and accounts come from the settings; managers and departments from the directory."""

    def __init__(
        self,
        *,
        roles: Mapping[str, Iterable[str]],
        accounts: Mapping[str, Mapping[str, str]],
        staff: StaffDirectory | None = None,
        bound: Callable[[], Mapping[str, Mapping[str, str]]] = lambda: _NO_ACCOUNTS,
    ) -> None:
        """``roles`` maps a role to userIds, ``accounts`` a userId to its account at each source.

        ``bound`` returns the accounts bound from chat, as the same object until one changes; ``accounts`` take
        precedence over them.
        """
        self._roles = {role: tuple(sorted(members)) for role, members in roles.items()}
        self._configured = accounts
        self._bound = bound
        self._seen = bound()
        self._snapshot = self._take_snapshot()
        self._staff = staff

    def _take_snapshot(self) -> CompanySnapshot:
        configured = _by_source(self._configured)
        taken = {(source, account.casefold()) for _, source, account in configured}
        bound = [key for key in _by_source(self._seen) if (key[1], key[2].casefold()) not in taken]
        # Of several, the last assignment wins: the first that is configured.
        by_source = [*bound, *reversed(configured)]
        return CompanySnapshot(
            roles=self._roles,
            accounts={(user, source): account for user, source, account in by_source},
            people={(source, account.casefold()): user for user, source, account in by_source},
        )

    def snapshot(self) -> CompanySnapshot:
        """Return roles and accounts, without managers; needs no call."""
        if (bound := self._bound()) is not self._seen:
            self._seen = bound
            self._snapshot = self._take_snapshot()
        return self._snapshot

    async def managers_of(self, user_id: str) -> tuple[str, ...]:
        """Return a person's chain of managers, nearest first. Raises a `DingerpError` as `snapshot_around` does."""
        snapshot, _ = await self.snapshot_around(user_id)
        return snapshot.managers_of(user_id)

    async def snapshot_around(self, user_id: str) -> tuple[CompanySnapshot, str]:
        """Return the snapshot with a person's chain of managers and their department.

        Raises a `DingerpError` if the directory does not answer: a rule about managers must not be guessed at.
        """
        if self._staff is None or not user_id:
            return self.snapshot(), ""
        entry = await self._staff.member(user_id)
        chain: list[str] = []
        above = entry
        while above is not None and above.manager and len(chain) < _MAX_CHAIN:
            if above.manager in (user_id, *chain):
                break  # directories do contain loops
            chain.append(above.manager)
            above = await self._staff.member(above.manager)
        known = self.snapshot()
        snapshot = CompanySnapshot(known.roles, known.accounts, known.people, {user_id: tuple(chain)})
        return snapshot, entry.department if entry is not None else ""


def _by_source(accounts: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str, str]]:
    return [(user, source, account) for user, own in accounts.items() for source, account in own.items()]


class RunsChecks(Protocol):
    """Looks at a document beside the company's others (`bot.checks`)."""

    async def of(
        self, document: ErpRecord, bounds: tuple[Money, ...], seconds: float | None = None
    ) -> tuple[CheckOutcome, ...]:
        """Return what came of its checks within ``seconds``; ``bounds`` are the amounts at which other rules decide."""
        ...


class DocumentReader:
    """Reads fresh documents; concurrent readers of the same document share the answer."""

    def __init__(self, hub: ErpHub, organisation: Organisation, checks: RunsChecks | None = None) -> None:
        """Without ``checks`` nothing is checked: rules take every document for flagged."""
        self._hub = hub
        self._organisation = organisation
        self._checks = checks
        self._checked: TTLCache[tuple[DocumentKey, str], tuple[CheckOutcome, ...]] = TTLCache(_MOST, _SECONDS)
        self._under_way: SingleFlights[DocumentKey, ErpRecord] = SingleFlights()

    def company(self) -> CompanySnapshot:
        """Return roles and accounts."""
        return self._organisation.snapshot()

    async def document(self, key: DocumentKey) -> ErpRecord:
        """Return the document; raises the classes of `bot.erp.errors`."""
        return await self._under_way.join(key.folded, lambda: self._reread(key))

    async def _reread(self, key: DocumentKey) -> ErpRecord:
        document: ErpRecord = await self._hub.reread(*key)
        review_of(document)  # of a document that the ERP tells no approval of, nothing can be decided
        return document

    async def read_for_vote(self, key: DocumentKey, seconds: float) -> ApprovalDocument:
        """Return what a vote is judged by, within a click's time; raises `Unavailable` after that."""
        try:
            async with asyncio.timeout(seconds):
                document = await self.document(key)
        except TimeoutError:
            raise Unavailable("no answer while somebody waits", source=key.source) from None
        return build_document(document, self.company())

    async def read_for_plan(
        self, key: DocumentKey, policy: ApprovalPolicy, *, managers: bool = False
    ) -> tuple[ApprovalDocument, CompanySnapshot]:
        """Return everything that rules may check, with the requester's managers if rules need them or ``managers`` is
        set.

        Raises the classes of `bot.erp.errors`, and those of the directory if rules need it.
        """
        record = await self.document(key)
        company, department = self.company(), ""
        document = build_document(record, company)
        if managers or policy.asks_directory:
            company, department = await self._organisation.snapshot_around(document.requester)
        categories: frozenset[str] = frozenset()
        if policy.asks_categories and document.review.waits:
            categories = await self._hub.categories(key.source, skus_of(record))
        return build_document(record, company, department, categories), company

    async def checked(
        self,
        document: ApprovalDocument,
        company: CompanyDirectory,
        policy: ApprovalPolicy,
        before: Case | None,
        seconds: float | None = None,
    ) -> ApprovalDocument:
        """Return a document with what came of its checks: as ``before``, its newest case, has it while it is open.

        A document that no rule could be for is not looked at.
        """
        is_same = before is not None and not before.state.is_final and before.fingerprint == document.fingerprint
        if before is not None and is_same and before.checks:
            return replace(document, checks=before.checks)
        if self._checks is None or not document.review.waits or policy.plan(document, company).plan is None:
            return document
        revision = (document.key.folded, document.fingerprint)
        if (known := self._checked.get(revision)) is None:
            bounds = policy.bounds(document, company)
            known = self._checked[revision] = await self._checks.of(document.read, bounds, seconds)
        return replace(document, checks=known)


def skus_of(document: ErpRecord) -> list[str]:
    """Return the products of a document's lines; empty for a kind without lines."""
    return [line.sku for line in getattr(document, "lines", ()) if line.sku]


def build_document(
    record: ErpRecord, company: CompanySnapshot, department: str = "", categories: frozenset[str] = frozenset()
) -> ApprovalDocument:
    """Return a document prepared for a decision, with requester and editor resolved from their accounts.

    ERPs report only the last editor. An account that belongs to nobody, such as the bot's own, is no editor; nor is the
    last writer of one that no longer waits, since they decided or received it.
    """
    kind, review, source = kind_of(record), review_of(record), record.source
    editor = company.person_of(source, review.changed_by) if review.changed_by and review.waits else ""
    return ApprovalDocument(
        key=DocumentKey(source, kind, record.number),
        review=review,
        partner=kind.partner_of(record),
        total=kind.amounts.total(record),
        record=record,
        company=record.company,
        department=department,
        categories=categories,
        requester=company.person_of(source, review.requester) if review.requester else "",
        editors=frozenset({editor} - {""}),
        passed_by=frozenset(company.person_of(source, one) for one in earlier_deciders(review)) - {""},
    )


def document_from_case(case: Case) -> ApprovalDocument:
    """Return the document as the case remembers it: enough for lists, not for decisions."""
    summary = case.summary
    return ApprovalDocument(
        key=case.key,
        review=Review(
            state=ReviewState.WAITING,
            version=case.version,
            approval=Approval(pending_for=case.waits_for, level=case.level, levels=case.levels),
            requester=summary.requested_by,
        ),
        partner=summary.partner,
        total=summary.total,
        requester=summary.requester,
        editors=summary.editors,
        passed_by=summary.passed_by,
        checks=case.checks,
    )
