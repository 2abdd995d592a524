"""The current state of a case for a given reader: for answers, and for the cards that the outbox sends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from cachetools import LRUCache

from bot.access.grants import EVERYTHING, Grant, Scope
from bot.approvals.cards.insights import Insight, Insights, MissingInsight
from bot.approvals.cards.view_builders import (
    CardViewer,
    ReplyNote,
    RevisionData,
    build_case_view,
    build_requester_inquiry,
    build_requester_notice,
    build_unseen_view,
    people_away,
    people_in_case,
    people_in_reason,
)
from bot.approvals.cards.views import ApprovalTodo, ApprovalView, Audience
from bot.approvals.case import Case, CaseState
from bot.approvals.case_context import CaseContext
from bot.approvals.document import DocumentKey, fingerprint
from bot.approvals.lifecycle import TELLING
from bot.cards.view import View, shared_view
from bot.chat.audiences import ReaderAt
from bot.erp.errors import ErpError
from bot.erp.kinds import Kind, ruled_by
from bot.erp.model import DecisionOutcome, ErpRecord
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import ComposedCard, Marker, MarkerState, OwnView, SingleCardComposer
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut

log = structlog.get_logger(__name__)

ReadDocument = Callable[[str, Kind[Any], str], Awaitable[ErpRecord]]
"""Returns the current document of a source, kind and number; raises the classes of `bot.erp.errors`."""

FetchNames = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Returns people's names by userId, without unknown ones."""

_TOLD_FIELDS = frozenset({FieldClass.QUANTITY, FieldClass.PARTNER})
"""The fields that a card about a case shows besides amounts."""

_CACHED = 500
"""The number of cached documents."""


class CasePresenter:
    """Draws cases for cards and for answers."""

    def __init__(
        self,
        read: ReadDocument,
        insights: Insights,
        names_of: FetchNames,
        *,
        now: Callable[[], datetime],
        seconds: float = 4.0,
    ) -> None:
        """``seconds`` bounds how long a card waits for the ERP; an answer to a click passes its own limit."""
        self._read = read
        self._insights = insights
        self._names_of = names_of
        self._now = now
        self._seconds = seconds
        self._documents: LRUCache[tuple[DocumentKey, str], ErpRecord] = LRUCache(_CACHED)

    async def present(
        self,
        found: CaseContext,
        *,
        audience: Audience,
        user_id: str = "",
        remark: ReplyNote | None = None,
        offset: int = 0,
        seconds: float | None = None,
    ) -> ApprovalView:
        """Return the case as one reader may see it, within about ``seconds``."""
        until = asyncio.get_running_loop().time() + (self._seconds if seconds is None else seconds)
        case = found.case
        said = (*remark.ask, *people_in_reason(remark.note)) if remark is not None else ()
        concerned = (*found.waited, *people_away(found.away), *found.erp_approvers.user_ids, *said)
        document, names = await asyncio.gather(
            self._document(case, until),
            self._named((*people_in_case(case), *concerned), until),
        )
        known = RevisionData(
            document=document,
            insight=await self._insight(case, document, until),
            before=self._remembered(found.before),
            newer=self._remembered(found.newer),
            names=names,
        )
        reader = CardViewer(audience=audience, user_id=user_id, now=self._now())
        return build_case_view(found, known, reader, remark=remark, offset=offset)

    async def names(self, user_ids: Sequence[str]) -> Mapping[str, str]:
        """Return people's names."""
        return await self._names_of(tuple(dict.fromkeys(user_id for user_id in user_ids if user_id)))

    async def name_of(self, user_id: str) -> str:
        """Return a person's name; the userId where it is unknown."""
        return (await self.names([user_id])).get(user_id, user_id)

    async def _named(self, user_ids: Sequence[str], until: float) -> Mapping[str, str]:
        """Return the names that arrive in time; everybody else goes by their userId."""
        try:
            async with asyncio.timeout_at(until):
                return await self.names(user_ids)
        except TimeoutError:
            log.info("approvals.names_missing")
            return {}

    def remember(self, document: ErpRecord) -> None:
        """Keep the content of a revision that was read anyway."""
        self._documents[DocumentKey.of(document).folded, fingerprint(document)] = document

    def _remembered(self, case: Case | None) -> ErpRecord | None:
        return None if case is None else self._documents.get((case.key.folded, case.fingerprint))

    async def _document(self, case: Case, until: float) -> ErpRecord | None:
        """Return the document as first shown; None if the ERP has a newer one or does not answer."""
        known = self._remembered(case)
        if known is not None or case.state is not CaseState.OPEN:
            return known
        try:
            async with asyncio.timeout_at(until):
                document = await self._read(*case.key)
            self.remember(document)
        except (ErpError, TimeoutError) as error:
            log.info("approvals.document_not_read", source=case.source, error=type(error).__name__)
            return None
        return self._remembered(case)

    async def _insight(self, case: Case, document: ErpRecord | None, until: float) -> Insight | None:
        if document is None or case.state is not CaseState.OPEN:
            return None
        try:
            async with asyncio.timeout_at(until):
                return await self._insights.of(case.id, document)
        except TimeoutError:
            return Insight(missing=frozenset({*MissingInsight}))


class _CaseComposer(SingleCardComposer):
    """Composes cards named by case and place: ``case|group:cid…``."""

    def __init__(
        self, find: Callable[[str], Awaitable[CaseContext | None]], showing: CasePresenter, reader_at: ReaderAt
    ) -> None:
        """``find`` is `bot.approvals.service.ApprovalService.find`."""
        self._find = find
        self._showing = showing
        self._reader_at = reader_at

    async def _reader(self, found: CaseContext, place: Place) -> _Reader:
        """Return the reader of a card at a place: a person involved in the case sees all of it."""
        in_group = place.kind is PlaceKind.GROUP
        user_id = "" if in_group else place.id
        if user_id in {*people_in_case(found.case), *found.waited} - {""}:
            return _Reader(ALL_FIELDS, user_id)
        grant = (await self._reader_at(place, ruled_by(found.case.kind))).grant
        covered = sees_any(grant, found.case)
        return _Reader(
            grant.fields if covered else frozenset(),
            user_id,
            in_group=in_group,
            is_closed=not covered,
            is_narrowed=EVERYTHING not in grant.scopes,
        )

    async def _draw(self, found: CaseContext, reader: _Reader) -> View:
        if reader.is_closed:
            return build_unseen_view(found.case, shared=reader.in_group)
        if reader.is_narrowed:
            found = found.without_checks()
        audience = Audience.of(private=reader.fields >= found.case.kind.amounts.classes)
        view = await self._showing.present(found, audience=audience, user_id=reader.user_id)
        return shared_view(view, reader.fields) if reader.in_group else cut(view, reader.fields)


class _SharedCaseComposer(_CaseComposer):
    """Composes cards that may be at several places."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[CaseContext | None]],
        showing: CasePresenter,
        reader_at: ReaderAt,
        *,
        separate: Callable[[str, str, Sequence[Place]], Awaitable[None]] | None = None,
    ) -> None:
        """Without ``separate`` (`bot.approvals.service.ApprovalService.separate_cards`) a card has one place."""
        super().__init__(find, showing, reader_at)
        self._separate = separate

    async def separate(self, card: str, ref: str, places: Sequence[Place]) -> None:
        """Give places a card of their own in place of a shared one."""
        assert self._separate is not None, "only cards at several places are separated"
        await self._separate(ref.partition("|")[0], card, places)


@dataclass(frozen=True, slots=True)
class _Reader:
    """The reader of a card, and the fields visible to them; without a ``user_id``, everybody at its places.

    ``is_closed``: some of these readers may not ask for the document; ``is_narrowed``: nor for all others.
    """

    fields: frozenset[FieldClass]
    user_id: str = ""
    in_group: bool = False
    is_closed: bool = False
    is_narrowed: bool = False


def sees_all(grant: Grant, case: Case) -> bool:
    """Return whether the grant shows as much of a case as its deciders see."""
    return grant.fields >= _TOLD_FIELDS | case.kind.amounts.classes and sees_any(grant, case)


def sees_any(grant: Grant, case: Case) -> bool:
    """Return whether the grant shows anything of a case."""
    return any(_covers(scope, case) for scope in grant.scopes)


def _covers(scope: Scope, case: Case) -> bool:
    """Return whether a scope covers a case, judged by what is remembered of it; ownership is checked elsewhere."""
    if scope.own or not (scope.companies is scope.warehouses is scope.categories is None):
        return False
    partner = case.summary.partner.casefold()
    return (scope.sources is None or case.source in scope.sources) and (
        scope.partners is None or partner in map(str.casefold, scope.partners)
    )


class ApprovalComposer(_SharedCaseComposer):
    """Composes deciders' cards, in their own chats and in groups: with prices where these may be seen.

    A card at several places shows only what everybody there may see. Values for single people are added only where the
    platform delivers them.
    """

    def __init__(
        self,
        find: Callable[[str], Awaitable[CaseContext | None]],
        showing: CasePresenter,
        reader_at: ReaderAt,
        *,
        separate: Callable[[str, str, Sequence[Place]], Awaitable[None]] | None = None,
        call: Callable[[str, Sequence[Place]], Awaitable[None]] | None = None,
        values_arrive: Callable[[], bool] = lambda: False,
    ) -> None:
        """``values_arrive`` tells whether values for single people are delivered.

        Without ``call`` (`bot.approvals.service.ApprovalService.call_in_groups`) nobody is called in a group.
        """
        super().__init__(find, showing, reader_at, separate=separate)
        self._call = call
        self._values_arrive = values_arrive

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a card; a case that is no longer stored has nothing to show."""
        case_id, *where = ref.split("|")
        found = await self._find(case_id)
        if found is None:
            return ComposedCard(None, 0)
        readers = [await self._reader(found, Place.parse(place)) for place in where]
        people = [reader for reader in readers if reader.user_id]
        offering = _offering(found, readers)
        if len(readers) == 1:
            return ComposedCard(await self._draw(offering, *readers), found.case.revision)
        in_group = len(people) < len(readers)
        everybody = _Reader(
            ALL_FIELDS.intersection(*(reader.fields for reader in readers)),
            "" if in_group else _decider_among(people, found.case),
            in_group=in_group,
            # A person no longer involved must not take the card from those who decide.
            is_closed=(any if in_group else all)(reader.is_closed for reader in readers),
            is_narrowed=any(reader.is_narrowed for reader in readers),
        )
        # The first card drawn reads the document for all.
        shared = await self._draw(offering, everybody)
        if not everybody.in_group and not self._values_arrive():
            return ComposedCard(shared, found.case.revision)
        if not self._values_arrive():
            # People who had values of their own now see what all see; otherwise the old values would stay.
            same = tuple(OwnView(reader.user_id, shared) for reader in people)
            return ComposedCard(shared, found.case.revision, own=same)
        own = await asyncio.gather(*(self._draw(_offering(found, [reader]), reader) for reader in people))
        views = tuple(OwnView(reader.user_id, view) for reader, view in zip(people, own, strict=True))
        return ComposedCard(shared, found.case.revision, own=views)

    async def call_elsewhere(self, ref: str, people: Sequence[Place]) -> None:
        """Call people in the case's groups when its card did not reach them."""
        if self._call is not None:
            await self._call(ref.partition("|")[0], people)


def _offering(found: CaseContext, readers: Sequence[_Reader]) -> CaseContext:
    """Return a case that offers the decision only if one of these readers can make it; group members are unknown."""
    can = any(reader.in_group or reader.user_id in found.waited for reader in readers)
    return found if can else replace(found, is_watched=True)


def _decider_among(people: Sequence[_Reader], case: Case) -> str:
    """Return which of these people has decided: their shared card offers to take the decision back."""
    by = "" if case.decision is None else case.decision.by
    return by if any(reader.user_id == by for reader in people) else ""


class CallComposer(ApprovalComposer):
    """Composes the cards that call a person in a group; they stop calling once it is no longer their turn."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the group's card, and the people it calls."""
        case_id, group, person = ref.split("|")
        composed = await super().compose(f"{case_id}|{group}")
        found = await self._find(case_id)
        user_id = Place.parse(person).id
        if found is None or user_id not in found.waited:
            return replace(composed, too_late=True)
        names = await self._showing.names([user_id])
        return replace(composed, called={user_id: names.get(user_id, user_id)})


_DECIDED = frozenset({CaseState.APPROVED, CaseState.REJECTED, CaseState.DECIDED_ELSEWHERE})


class TodoComposer(_CaseComposer):
    """Composes to-dos for the people whose turn it is.

    A to-do is done once they have voted or the case is decided, and is removed when nothing is left to decide. While
    the ERP is being told, and may still refuse, it stays.
    """

    async def compose(self, ref: str) -> ComposedCard:
        """Return the newest state of a to-do."""
        case_id, *where = ref.split("|")
        found = await self._find(case_id)
        if found is None or found.case.state in (CaseState.WRITING, CaseState.UNKNOWN):
            return ComposedCard(None, 0)
        case, places = found.case, [Place.parse(place) for place in where]
        people = tuple(place.id for place in places)
        fields = ALL_FIELDS.intersection(*[(await self._reader(found, place)).fields for place in places])
        marker = Marker(
            state=_todo_state(case),
            people=people,
            done=frozenset(people).difference(found.waited),
            due_at=None if case.plan.deadline is None else case.counts_from + case.plan.deadline,
        )
        view = cut(ApprovalTodo(subject=case.title, partner=case.summary.partner), fields)
        return ComposedCard(view, case.revision, marker=marker)


def _todo_state(case: Case) -> MarkerState:
    if case.state is CaseState.OPEN:
        return MarkerState.OPEN
    return MarkerState.DONE if case.state in _DECIDED else MarkerState.GONE


class RequesterComposer(_SharedCaseComposer):
    """Composes the outcome for requesters in their own chats, and for groups that get no other card."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the outcome of a case; nothing before its end, or while the ERP's next level continues."""
        case_id, *where = ref.split("|")
        found = await self._find(case_id)
        if found is None or not _is_told(found.case):
            return ComposedCard(None, 0)
        readers = [await self._reader(found, Place.parse(place)) for place in where]
        if all(reader.in_group and reader.is_closed for reader in readers):
            return ComposedCard(None, 0)  # all that it could tell is that there was a document
        if any(reader.in_group for reader in readers):
            fields = ALL_FIELDS.intersection(*(reader.fields for reader in readers))
            closed = any(reader.is_closed for reader in readers)
            group = _Reader(fields, in_group=True, is_closed=closed)
            return ComposedCard(await self._draw(found, group), found.case.revision)
        (reader,) = readers
        if reader.is_closed:
            return ComposedCard(build_unseen_view(found.case), found.case.revision)
        names = await self._showing.names(people_in_case(found.case))
        return ComposedCard(cut(build_requester_notice(found.case, names), reader.fields), found.case.revision)


class InquiryComposer(_CaseComposer):
    """Composes the card of the questions for the requester, in their own chat."""

    async def compose(self, ref: str) -> ComposedCard:
        """Return the questions with their answers; while the ERP is being told, the card stays."""
        case_id, *_ = ref.split("|")
        found = await self._find(case_id)
        if found is None or found.case.state in (CaseState.WRITING, CaseState.UNKNOWN):
            return ComposedCard(None, 0)
        return ComposedCard(build_requester_inquiry(found.case), found.case.revision)


def _is_told(case: Case) -> bool:
    goes_on = case.state is CaseState.APPROVED and case.outcome is DecisionOutcome.MORE_APPROVALS_NEEDED
    return case.state in TELLING and not goes_on
