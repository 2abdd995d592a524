"""/clarify: ask the requester of a document that waits, answer as the requester, or take the question back."""

from __future__ import annotations

from dataclasses import replace

from bot.approvals.asking_back import CaseMessage
from bot.approvals.cards.responder import CaseFinder, VoteResponder
from bot.approvals.cards.view_builders import inquiry_lines, number_of_inquiry
from bot.approvals.cards.views import ApprovalInquiry, ApprovalReply
from bot.approvals.case import Case
from bot.approvals.typed_votes import MAX_REASON, CaseRef, InquiryNumber, read_inquiry
from bot.approvals.voting import VoteOutcome
from bot.cards.actions import Ask, ClarifyCase
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.colleagues import Colleagues
from bot.chat.context import QuestionContext
from bot.chat.questions.prompts import PROMPT_LIFETIME, OpenPrompts
from bot.chat.registry import command
from bot.words.phrase import phrase


class InquiryWords(Word):
    """What is asked or answered."""

    placeholder = phrase("question or answer")
    takes_rest = True


class ClarifyOption(Keyword):
    """What else can be wanted."""

    WITHDRAW = phrase("withdraw"), "撤回追问"


@command(
    "clarify",
    aliases=("追问", "答复", "zw"),
    examples=("/clarify PO-1001 why so dear", "/追问 PO-1001 为什么这么贵", "/答复 PO-1001 铜价涨了"),
    shows=("po",),
    to_concerned=True,
    summary=phrase("Ask the requester about what waits for you, or answer"),
    place=44,
)
async def clarify(
    word: CaseRef | None = None,
    words: InquiryWords | None = None,
    *,
    asked: InquiryNumber | None = None,
    wish: ClarifyOption | None = None,
    cases: CaseFinder,
    questions: OpenPrompts,
    colleagues: Colleagues,
    context: QuestionContext,
) -> View | Ask:
    """Record the question or the answer of the person who writes, or ask for its words first."""
    colleagues.record_seen(context)
    responder = await cases.find_to_vote(word)
    if not isinstance(responder, VoteResponder):
        return responder
    case, user_id = responder.found.case, context.person.user_id or ""
    if wish is ClarifyOption.WITHDRAW:
        result = await cases.approvals.withdraw_inquiry(case, user_id)
        return _staying(await responder.answer(result, done=phrase("The question is taken back.")))
    answers = bool(user_id) and user_id == case.summary.requester
    inquiry = (read_inquiry(asked) or number_of_inquiry(case)) if answers else 0
    said = CaseMessage(
        case=case.id,
        user_id=user_id,
        name=context.person.name,
        text=" ".join((context.free_text or words or "").split())[:MAX_REASON],
        inquiry=inquiry,
        prompted=bool(context.free_text),
    )
    line = ClarifyCase(case.id, inquiry).typed
    result = await (cases.approvals.answer_inquiry(said) if answers else cases.approvals.ask_back(case, said))
    if result.outcome is VoteOutcome.NEED_REASON:
        await questions.put(context, line)
        return _ask_words(case, inquiry, context)
    await questions.drop(context)
    done = phrase("Answered: all who decide see it.") if answers else phrase("The requester is asked.")
    return _staying(await responder.answer(result, done=done, retry=f"{line} {said.text}"))


def _staying(view: View) -> View:
    return replace(view, stays=True) if isinstance(view, ApprovalReply) else view


def _ask_words(case: Case, inquiry: int, context: QuestionContext) -> ApprovalInquiry:
    return ApprovalInquiry(
        case=case.id,
        kind=case.kind.command,
        number=case.number,
        source=case.source,
        partner=case.summary.partner,
        asked=inquiry_lines(case, priced=context.is_private)[inquiry - 1] if inquiry else None,
        inquiry=inquiry,
        minutes=int(PROMPT_LIFETIME.total_seconds()) // 60,
        on_page=context.on_page,
    )
