"""Answers to input about one case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from bot.access.grants import EVERYTHING
from bot.access.policy import AccessPolicy, Denied, out_of_scope
from bot.approvals.cards.list_views import ApprovalChoice
from bot.approvals.cards.presenter import CasePresenter
from bot.approvals.cards.view_builders import (
    HIDDEN_LIMIT,
    ReplyNote,
    build_list_row,
    build_reply_view,
    has_money,
    people_in_case,
)
from bot.approvals.cards.views import ApprovalReply, ApprovalView, Audience
from bot.approvals.case import Case, CaseState, external_decision_text, withdrawal_text
from bot.approvals.case_context import CaseContext
from bot.approvals.document import DocumentKey
from bot.approvals.plan import VoteWay
from bot.approvals.service import ApprovalService
from bot.approvals.voting import QUESTION_OPEN, VoteOutcome, VoteRequest, VoteResult
from bot.cards.actions import Ask
from bot.cards.notices import FormClosedNotice
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.parsing import command_line
from bot.erp.books import Books, InSeveralBooks
from bot.erp.errors import ErpError, NotFound
from bot.erp.hub import ErpHub
from bot.erp.kinds import DECIDED, Kind, ruled_by
from bot.erp.model import Verdict
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut
from bot.words.phrase import Phrase, phrase

RECORDED = frozenset({VoteOutcome.RECORDED, VoteOutcome.DECIDED})
"""Outcomes of votes that count."""

_SHOW_SECONDS, _VOTED_SECONDS = 1.2, 0.3
"""How long a click's answer waits for the document and its insights: of its two seconds, reading the ERP has taken a
part if a vote was recorded.
"""


@dataclass(frozen=True, slots=True)
class VoteResponder:
    """Answers one question about one case."""

    approvals: ApprovalService
    showing: CasePresenter
    found: CaseContext
    audience: Audience
    fields: frozenset[FieldClass]
    """The fields of the document visible to the asker; see `fields_among`."""
    context: QuestionContext

    async def show(self, note: Phrase | None = None) -> ApprovalView:
        """Return the case as the asker may see it here."""
        return cut(await self._present(self.found, ReplyNote(note=note), _SHOW_SECONDS), self.fields)

    async def answer(
        self, result: VoteResult, *, done: Phrase | None = None, retry: str = ""
    ) -> ApprovalView | ApprovalReply | FormClosedNotice:
        """Return the current case with the outcome of the vote; a typed vote that counts gets a short answer.

        ``done`` is the text for a vote that counts; ``retry`` asks again after the ERP did not answer. Raises
        `NothingFound` for an unknown case.
        """
        shown = await self.approvals.context_after(self.found, result)
        if shown is None:
            raise NothingFound(self.context.line)
        counts = result.outcome in RECORDED
        note = done if done is not None and counts else outcome_note(result)
        if note is not None and self.audience is Audience.BARE and has_money(note):
            note = HIDDEN_LIMIT
        if self.context.on_form and note is not None:
            return _noted(shown.case, note, result.outcome)
        sure, silent = result.outcome is VoteOutcome.CONFIRM, result.outcome is VoteOutcome.SILENT
        insist = result.outcome is VoteOutcome.INSIST
        aside = note is not None and not counts and shown.case.state is CaseState.OPEN
        retry = retry if silent else ""
        remark = ReplyNote(note=note, ask=result.ask, aside=aside, sure=sure, insist=insist, retry=retry)
        if result.outcome is VoteOutcome.REFUSED:
            shown = await self._for_refused(shown)
        view = await self._present(shown, remark, _VOTED_SECONDS)
        # A clicked card is updated with all others of its case; the answer to a line is not.
        said = counts and note is not None and not self.context.clicked
        return cut(build_reply_view(view, note) if said and note is not None else view, self.fields)

    async def _present(self, shown: CaseContext, remark: ReplyNote, seconds: float) -> ApprovalView:
        """Return a case as the asker may see it here; ``seconds`` counts for clicks only."""
        # Everybody in a group sees the answer, so its buttons depend on no single person.
        user_id = self.context.person.user_id or "" if self.context.is_private else ""
        if user_id:
            shown = await self._for_reader(shown, user_id)
        return await self.showing.present(
            shown,
            audience=self.audience,
            user_id=user_id,
            remark=remark,
            offset=self.context.offset,
            seconds=seconds if self.context.clicked else None,
        )

    async def _for_refused(self, shown: CaseContext) -> CaseContext:
        """Return a case without decision buttons, for an asker who may not decide it.

        Others in a group could, but a card must not refuse a person and offer them the same action.
        """
        turn = await self.approvals.task_of(shown.case, self.context.person.user_id or "")
        return shown if turn.decides else replace(shown, is_watched=True)

    async def _for_reader(self, shown: CaseContext, user_id: str) -> CaseContext:
        """Return a case with the reader's next step: decide it, or continue with the next one."""
        turn = await self.approvals.task_of(shown.case, user_id)
        return shown if turn.decides else replace(shown, is_watched=True, next_case=turn.next_case)


def _noted(case: Case, note: Phrase, outcome: VoteOutcome) -> FormClosedNotice:
    """Return the text that stays true on a form whatever the ERP answers later: the case's cards show that."""
    if outcome in RECORDED:
        note = phrase("Recorded. Its card shows how it goes on.")
    elif has_money(note):
        note = HIDDEN_LIMIT
    return FormClosedNotice(title=case.title, text=note)


@dataclass(frozen=True, slots=True)
class CaseFinder:
    """Finds the case that the words of one question mean, as far as its asker may see it."""

    approvals: ApprovalService
    showing: CasePresenter
    erp: ErpHub
    policy: AccessPolicy
    context: QuestionContext

    async def find_to_vote(self, word: str | None, *, seen: str | None = None) -> VoteResponder | ApprovalChoice | Ask:
        """Return the responder for the case that ``word`` names, or a question if it names none or several."""
        if not word:
            return Ask(command_line("pending"))
        meant = await self.find(word, seen=seen)
        if meant is None:
            # It says why it is not decided here, or that there is no such document.
            return Ask(command_line("why", word))
        if isinstance(meant, ApprovalChoice):
            return meant
        concerned, kind = concerned_by(meant), meant.case.kind
        audience = audience_among(concerned, kind, self.policy, self.context)
        return self.responder(meant, audience)

    def responder(self, found: CaseContext, audience: Audience) -> VoteResponder:
        """Return what answers about a case to an audience."""
        fields = fields_among(concerned_by(found), found.case.kind, self.policy, self.context)
        return VoteResponder(self.approvals, self.showing, found, audience, fields, self.context)

    async def find(self, word: str, *, seen: str | None = None) -> CaseContext | ApprovalChoice | None:
        """Return the case that a word names: by its id, or by its number in the books that the line names.

        ``seen`` is a prefix of the fingerprint that was shown; it tells cases with the same number apart. A number
        found in several books is a choice even if only one of them has a case: raises `InSeveralBooks`.
        """
        found = await self.approvals.find(word, self.context.books.source)
        if found is None or found.case.id == word:
            return found
        shown = [case for case in (found.case, *found.others) if seen and case.fingerprint.startswith(seen)]
        if len(shown) == 1:
            return await self.approvals.find(shown[0].id)
        meant = await self._choose(found)
        if not (isinstance(meant, ApprovalChoice) or self.context.books) and self.erp.book_names:
            await _stands_once(meant.case, self.erp)
        return meant

    async def _choose(self, found: CaseContext) -> CaseContext | ApprovalChoice:
        """Return the case that is meant, or the choice if several with the number wait that the asker may see."""
        if not found.others:
            return found
        others = [await self.approvals.find(case.id) for case in found.others]
        meant = [each for each in (found, *others) if each is not None and self._may_see(each)]
        if len(meant) <= 1:
            return next(iter(meant), found)
        audience = Audience.of(private=self.context.is_private)
        rows = tuple(build_list_row(each.case, audience) for each in meant)
        shown = ALL_FIELDS.intersection(
            *(fields_among(concerned_by(each), each.case.kind, self.policy, self.context) for each in meant)
        )
        return cut(ApprovalChoice(number=found.case.number, rows=rows), shown)

    def _may_see(self, found: CaseContext) -> bool:
        try:
            audience_among(concerned_by(found), found.case.kind, self.policy, self.context)
        except Denied:
            return False
        return True


async def _stands_once(case: Case, erp: ErpHub) -> None:
    """Raise `InSeveralBooks` if several documents of its kind have the number, as far as the ERPs answer now."""
    try:
        await erp.document(case.kind, case.number)
    except InSeveralBooks:
        raise
    except ErpError:
        return


def vote_request(
    context: QuestionContext,
    case: Case,
    verdict: Verdict,
    seen: str,
    *,
    reason: str = "",
    confirmed: bool = False,
    despite: int = 0,
) -> VoteRequest:
    """Return the asker's vote; ``seen`` is the fingerprint of the revision they saw."""
    return VoteRequest(
        case=case,
        user_id=context.person.user_id or "",
        name=context.person.name,
        verdict=verdict,
        seen=seen,
        reason=reason,
        confirmed=confirmed,
        despite=despite,
        way=_way_of(context),
    )


def _way_of(context: QuestionContext) -> VoteWay:
    if context.on_page:
        return VoteWay.PAGE
    return VoteWay.CARD if context.clicked else VoteWay.TYPED


def concerned_by(found: CaseContext) -> tuple[str, ...]:
    """Return the userIds of everybody involved in a case."""
    return (*people_in_case(found.case), *found.waited)


async def audience_within(
    concerned: Iterable[str],
    key: DocumentKey,
    erp: ErpHub,
    policy: AccessPolicy,
    context: QuestionContext,
) -> Audience:
    """Return the result of `audience_among`, also for askers who may query only some documents of the kind.

    ``erp`` looks up the documents visible to the asker, and is called only if that
    matters.
    """
    among = frozenset(concerned)
    verdict = policy.decide_area(context.person, ruled_by(key.kind), context.conversation.id)
    narrowed = context.person.user_id not in among and EVERYTHING not in verdict.grant.scopes
    covered = verdict.allowed and narrowed and await _finds(erp, key)
    return audience_among(among, key.kind, policy, context, covered=covered)


def audience_among(
    concerned: Iterable[str],
    kind: Kind[Any],
    policy: AccessPolicy,
    context: QuestionContext,
    *,
    covered: bool = False,
) -> Audience:
    """Return whether the asker may see prices in an answer about a document: in private and as one of those
    ``concerned``, or by the rules on the command of its kind.

    Raises `Denied` for askers who are neither concerned nor allowed to use that command: no other shows it to them.
    If it covers only some documents for them, this one must be ``covered``.
    """
    if context.person.user_id in {*concerned}:
        return Audience.of(private=context.is_private)
    verdict = policy.decide_area(context.person, ruled_by(kind), context.conversation.id)
    if not verdict.allowed:
        raise Denied(verdict)
    if EVERYTHING not in verdict.grant.scopes and not covered:
        raise Denied(out_of_scope(verdict))
    return Audience.of(private=context.is_private and verdict.grant.fields >= kind.amounts.classes)


def is_narrowed(concerned: Iterable[str], kind: Kind[Any], policy: AccessPolicy, context: QuestionContext) -> bool:
    """Return whether the asker may see some documents of a kind only, and is not one of those ``concerned``."""
    if context.person.user_id in {*concerned}:
        return False
    return EVERYTHING not in policy.decide_area(context.person, ruled_by(kind), context.conversation.id).grant.scopes


def refuse_blind(policy: AccessPolicy, context: QuestionContext, kinds: Iterable[Kind[Any]] = DECIDED) -> None:
    """Raise `Denied` for an asker who may not see all documents of some kinds: not even which are missing."""
    verdicts = [policy.decide_area(context.person, ruled_by(kind), context.conversation.id) for kind in kinds]
    if refused := next((verdict for verdict in verdicts if not verdict.allowed), None):
        raise Denied(refused)
    if narrowed := next((verdict for verdict in verdicts if EVERYTHING not in verdict.grant.scopes), None):
        raise Denied(out_of_scope(narrowed))


def fields_among(
    concerned: Iterable[str], kind: Kind[Any], policy: AccessPolicy, context: QuestionContext
) -> frozenset[FieldClass]:
    """Return the fields that the asker sees in an answer about a document: all if ``concerned``, else those of the
    command of its kind.
    """
    if context.person.user_id in {*concerned}:
        return ALL_FIELDS
    return policy.decide_area(context.person, ruled_by(kind), context.conversation.id).grant.fields


async def _finds(erp: ErpHub, key: DocumentKey) -> bool:
    try:
        await erp.within(Books(key.source)).document(key.kind, key.number)
    except NotFound:
        return False
    return True


def outcome_note(result: VoteResult) -> Phrase | None:
    """Return the text that tells a person the outcome of their vote."""
    match result.outcome:
        case VoteOutcome.RECORDED:
            return phrase("Recorded. Others have to agree as well.")
        case VoteOutcome.DECIDED:
            return phrase("Recorded. The ERP is being updated.")
        case VoteOutcome.INSIST:
            return QUESTION_OPEN
        case VoteOutcome.CONFIRM:
            return phrase("A large amount: do you really approve it?")
        case VoteOutcome.REFUSED:
            return next(iter(result.reasons), phrase("You may not decide it."))
        case VoteOutcome.LATE:
            return _late_note(result.case)
        case VoteOutcome.CHANGED:
            return phrase("Not recorded: it has changed since you saw it.")
        case VoteOutcome.ELSEWHERE:
            return phrase("Not recorded: it no longer waits in the ERP.")
        case VoteOutcome.SILENT:
            return phrase("Not recorded: the ERP does not answer. Please try again.")
        case VoteOutcome.NEED_REASON:
            return phrase("A rejection needs a reason.")
        case VoteOutcome.NOTHING:
            return phrase("There is nothing to take back: nobody has decided it.")
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
