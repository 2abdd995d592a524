"""/gate: what programs ask leave for, and the answer to it."""

from __future__ import annotations

from bot.access.policy import AccessVerdict, Denied
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.context import QuestionContext
from bot.chat.errors import NothingFound
from bot.chat.program_asks import AskRefused, NoSuchAsk
from bot.chat.registry import command
from bot.erp.model import Verdict
from bot.gate.cards import GateList, gate_view, list_view
from bot.gate.gate import Gate
from bot.words.phrase import phrase


class GateRequestId(Word):
    """The id on the card's buttons."""

    placeholder = phrase("id")


class GateAnswer(Keyword):
    """Whether the program may do it."""

    ALLOW = phrase("allow"), "放行", "允许"
    DENY = phrase("deny"), "不放行", "不允许"


@command(
    "gate",
    aliases=("闸口", "zk"),
    examples=("/gate", "/闸口"),
    changes=False,
    shows=(),
    summary=phrase("What programs ask leave for, and your answer"),
    place=46,
    personal=True,
    proposable=False,
)
async def gate(
    asked: GateRequestId | None = None,
    answer: GateAnswer | None = None,
    *,
    requests: Gate,
    context: QuestionContext,
) -> View:
    """Show what waits for the asker or one request, or take their answer; who may answer, the gate's rules say."""
    own = context.person.user_id or ""
    if asked is None:
        count = context.rows or GateList.page_size
        return list_view(await requests.waiting_for(own), context.offset, count)
    try:
        if answer is None:
            return gate_view(await requests.look(str(asked), own))
        verdict = Verdict.APPROVE if answer is GateAnswer.ALLOW else Verdict.REJECT
        return gate_view(await requests.vote(str(asked), own, context.person.name, verdict))
    except NoSuchAsk:
        raise NothingFound(str(asked)) from None
    except AskRefused as refused:
        raise Denied(AccessVerdict(False, refused.reason)) from None
