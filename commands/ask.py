"""/ask: the company's own questions, each a query that an administrator named."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.arguments import Term
from bot.chat.context import QuestionContext
from bot.chat.registry import command
from bot.named_questions.asking import NamedQuestionService
from bot.named_questions.views import COMMAND
from bot.words.phrase import phrase


class QuestionTerm(Term):
    """The name of a question, and its arguments."""

    placeholder = phrase("question")


@command(
    COMMAND,
    aliases=("查询", "自定义查询"),
    examples=("/ask", "/查询 库存金额", "/ask not_invoiced 2026-10"),
    reserved=True,
    changes=False,
    shows=(),
    summary=phrase("Questions of the company's own"),
    place=86,
    personal=True,
    slashed=True,
)
async def ask(
    question: QuestionTerm | None = None,
    *,
    questions: NamedQuestionService,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Answer a question, or without a name show those that the asker may ask."""
    if question is None:
        return questions.list(policy, context)
    return await questions.answer(question, policy, context)
