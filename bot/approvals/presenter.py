"""What a case looks like now, to whom: for answers to clicks and lines, and for the cards that the outbox sends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from cachetools import LRUCache

from bot.access.policy import AccessPolicy
from bot.approvals.case import Case, CaseState, external_decision_text, withdrawal_text
from bot.approvals.document import fingerprint
from bot.approvals.facade import ApprovalFacade, CaseContext
from bot.approvals.insights import Insight, Insights, MissingInsight
from bot.approvals.view_builders import (
    HIDDEN_LIMIT,
    CardViewer,
    ReplyNote,
    RevisionData,
    build_case_view,
    build_said_view,
    build_told_view,
    has_money,
    people_in_case,
)
from bot.approvals.views import ApprovalSaid, ApprovalView, Audience
from bot.approvals.voting import VoteOutcome, VoteResult
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.registry import Commands
from bot.erp.errors import ErpError
from bot.erp.model import PurchaseOrder
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard
from bot.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

ReadOrder = Callable[[str, str], Awaitable[PurchaseOrder]]
"""Returns the order of a source with a number as it is now; raises the classes of `bot.erp.errors`."""

FetchNames = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Returns the names of people by their userIds; those whom nobody knows are left out."""

CACHED_ORDERS = 500
"""Orders that are remembered."""


class CasePresenter:
    """Draws cases for cards and for answers."""

    def __init__(
        self,
        read: ReadOrder,
        insights: Insights,
        names_of: FetchNames,
        *,
        now: Callable[[], datetime],
        seconds: float = 4.0,
    ) -> None:
        """``seconds`` bounds what a card waits for the ERP; an answer to a click says how long it can wait itself."""
        self._read = read
        self._insights = insights
        self._names_of = names_of
        self._now = now
        self._seconds = seconds
        self._orders: LRUCache[str, PurchaseOrder] = LRUCache(CACHED_ORDERS)

    async def present(
        self,
        folder: CaseContext,
        *,
        face: Audience,
        user_id: str = "",
        remark: ReplyNote | None = None,
        offset: int = 0,
        seconds: float | None = None,
    ) -> ApprovalView:
        """Return the case as one reader may see it, after at most about ``seconds``."""
        until = asyncio.get_running_loop().time() + (self._seconds if seconds is None else seconds)
        case = folder.case
        concerned = (*folder.waited, *folder.erp_approvers.user_ids, *(remark.ask if remark is not None else ()))
        order, names = await asyncio.gather(
            self._order(case, until),
            self._named((*people_in_case(case), *concerned), until),
        )
        known = RevisionData(
            order=order,
            insight=await self._insight(case, order, until),
            before=self._remembered(folder.before),
            newer=self._remembered(folder.newer),
            names=names,
        )
        reader = CardViewer(audience=face, user_id=user_id, now=self._now())
        return build_case_view(folder, known, reader, remark=remark, offset=offset)

    async def names(self, user_ids: Sequence[str]) -> Mapping[str, str]:
        """Return how people are called."""
        return await self._names_of(tuple(dict.fromkeys(one for one in user_ids if one)))

    async def _named(self, user_ids: Sequence[str], until: float) -> Mapping[str, str]:
        """Return the names that are there in time; others are called by their userIds."""
        try:
            async with asyncio.timeout_at(until):
                return await self.names(user_ids)
        except TimeoutError:
            log.info("approvals.names_missing")
            return {}

    def remember(self, order: PurchaseOrder) -> None:
        """Keep the content of a revision that was read anyway."""
        self._orders[_key(order.source, order.number, fingerprint(order))] = order

    def _remembered(self, case: Case | None) -> PurchaseOrder | None:
        return None if case is None else self._orders.get(_key(case.source, case.number, case.fingerprint))

    async def _order(self, case: Case, until: float) -> PurchaseOrder | None:
        """Return the order as it was shown first; None where the ERP has another one now or does not answer."""
        known = self._remembered(case)
        if known is not None or case.state is not CaseState.OPEN:
            return known
        try:
            async with asyncio.timeout_at(until):
                order = await self._read(case.source, case.number)
        except (ErpError, TimeoutError) as error:
            log.info("approvals.order_not_read", source=case.source, error=type(error).__name__)
            return None
        self.remember(order)
        return self._remembered(case)

    async def _insight(self, case: Case, order: PurchaseOrder | None, until: float) -> Insight | None:
        if order is None or case.state is not CaseState.OPEN:
            return None
        try:
            async with asyncio.timeout_at(until):
                return await self._insights.of(case.id, order)
        except TimeoutError:
            return Insight(missing=frozenset({*MissingInsight}))


def _key(source: str, number: str, seen: str) -> str:
    return f"{source}\0{number.casefold()}\0{seen}"


class _CaseComposer:
    """Cards are named by case and place: ``case|group:cid…``."""

    def __init__(self, find: Callable[[str], Awaitable[CaseContext | None]], showing: CasePresenter) -> None:
        """``find`` is that of `bot.approvals.facade.ApprovalFacade`."""
        self._find = find
        self._showing = showing

    async def fold(self, refs: Sequence[str], place: str) -> None:
        """Never asked: decisions are of the urgency that is not folded (`bot.outbox.delivery.Urgency.NOW`)."""
        raise AssertionError("cards of approvals are sent one by one")


class ApprovalComposer(_CaseComposer):
    """Composes the cards of those who decide: with prices in their own chats, bare in groups."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card; there is nothing to show of a case that nobody remembers."""
        case_id, _, where = ref.partition("|")
        folder = await self._find(case_id)
        if folder is None:
            return ComposedCard(None, 0)
        place = Place.parse(where)
        person = place.id if place.kind is PlaceKind.PERSON else ""
        view = await self._showing.present(folder, face=Audience.PRICED if person else Audience.BARE, user_id=person)
        return ComposedCard(view, folder.case.revision)


class RequesterComposer(_CaseComposer):
    """Composes what requesters are told, each in their own chat."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return what became of a case."""
        folder = await self._find(ref.partition("|")[0])
        return (
            ComposedCard(None, 0)
            if folder is None
            else ComposedCard(build_told_view(folder.case), folder.case.revision)
        )


_SHOW_SECONDS, _VOTED_SECONDS = 1.2, 0.3
"""How long a click's answer waits for the order and what is known about it: of its two seconds, where a word was
recorded, reading the ERP has taken its part."""


def audience_for(folder: CaseContext, commands: Commands, policy: AccessPolicy, context: QuestionContext) -> Audience:
    """Return whether the asker may see prices in this answer: alone, and as one who is asked or who may ask ``/po``."""
    if not context.is_private:
        return Audience.BARE
    concerned = context.person.user_id in {*people_in_case(folder.case), *folder.waited}
    usable = concerned or any(one.name == "po" for one in commands.usable(policy, context))
    return Audience.PRICED if usable else Audience.BARE


@dataclass(frozen=True, slots=True)
class VoteResponder:
    """Answers one question about one case."""

    approvals: ApprovalFacade
    showing: CasePresenter
    audience: Audience
    context: QuestionContext

    async def show(
        self, folder: CaseContext, remark: ReplyNote | None = None, *, seconds: float = _SHOW_SECONDS
    ) -> ApprovalView:
        """Return the case as the asker may see it here; ``seconds`` counts for clicks only."""
        return await self.showing.present(
            folder,
            face=self.audience,
            # Everybody sees what is typed in a group, so nobody's own state decides about its buttons.
            user_id=self.context.person.user_id or "" if self.context.is_private else "",
            remark=remark,
            offset=self.context.offset,
            seconds=seconds if self.context.clicked else None,
        )

    async def answer(
        self, vote_result: VoteResult, *, done: Phrase | None = None, retry: str = ""
    ) -> ApprovalView | ApprovalSaid:
        """Return the case as it is now, with what came of the asker's word; typed words that count get a short answer.

        ``done`` is said when it counts; ``retry`` asks again when the ERP was silent. Raises `NothingFound` for a case
        that there is not.
        """
        shown = vote_result.newer_case or vote_result.case
        folder = await self.approvals.find(shown.id) if shown is not None else None
        if folder is None:
            raise NothingFound(self.context.line)
        counts = vote_result.outcome in (VoteOutcome.RECORDED, VoteOutcome.DECIDED)
        note = done if done is not None and counts else outcome_note(vote_result)
        if note is not None and self.audience is Audience.BARE and has_money(note):
            note = HIDDEN_LIMIT
        sure, silent = vote_result.outcome is VoteOutcome.CONFIRM, vote_result.outcome is VoteOutcome.SILENT
        remark = ReplyNote(note=note, ask=vote_result.ask, sure=sure, retry=retry if silent else "")
        view = await self.show(folder, remark, seconds=_VOTED_SECONDS)
        # A card that was clicked is brought up to date with all others of its case; the answer to a line is not.
        return build_said_view(view, note) if counts and note is not None and not self.context.clicked else view


def outcome_note(vote_result: VoteResult) -> Phrase | None:
    """Return what a person is told of their word."""
    match vote_result.outcome:
        case VoteOutcome.RECORDED:
            return phrase("Recorded. Others have to agree as well.")
        case VoteOutcome.DECIDED:
            return phrase("Recorded. The ERP is being told.")
        case VoteOutcome.CONFIRM:
            return phrase("A large amount: do you really approve it?")
        case VoteOutcome.REFUSED:
            return next(iter(vote_result.reasons), phrase("You may not decide it."))
        case VoteOutcome.LATE:
            return _late_note(vote_result.case)
        case VoteOutcome.CHANGED:
            return phrase("Not recorded: it has changed since you saw it.")
        case VoteOutcome.ELSEWHERE:
            return phrase("Not recorded: it no longer waits in the ERP.")
        case VoteOutcome.SILENT:
            return phrase("Not recorded: the ERP does not answer. Please try again.")
        case VoteOutcome.NEED_REASON:
            return phrase("A rejection needs a reason.")
        case VoteOutcome.NO_CASE:
            return None


def _late_note(case: Case | None) -> Phrase:
    over = phrase("It is over already: there is nothing left to decide.")
    if case is None:
        return over
    there = case.elsewhere
    if there is not None:
        return withdrawal_text(there) if case.state is CaseState.WITHDRAWN else external_decision_text(there) or over
    if case.decision is not None and case.state is not CaseState.DECIDED_ELSEWHERE:
        return phrase("%(name)s decided it already, at %(time)s.", name=case.decision.name, time=case.decision.at)
    return over
