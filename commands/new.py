"""/new: begin a document: what would be created is shown first, and one tap creates it."""

from __future__ import annotations

from bot.access.areas import NEW
from bot.access.policy import AccessPolicy
from bot.cards.view import View
from bot.chat.arguments import Keyword, Word
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.registry import command
from bot.creation.asking import CreationRequest, check_preview
from bot.creation.cards import creation_view
from bot.creation.creations import Creations
from bot.creation.kinds import CREATED
from bot.erp.hub import ErpHub
from bot.words.phrase import phrase


class NewWord(Word):
    """A part of a name, a product with its quantity, or the id on the card's buttons."""

    placeholder = phrase("customer SKU×quantity")


class NewKind(Keyword):
    """What is begun."""

    ORDER = phrase("order"), "订单", "销售订单"


class NewAnswer(Keyword, answers=True):
    """What is to become of what was shown."""

    CREATE = phrase("create"), "创建"
    DROP = phrase("drop"), "放弃"


@command(
    NEW,
    aliases=("新建", "xj"),
    examples=("/new order C001 SKU123×20", "/新建 订单 宏达 SKU123×20 SKU146×5"),
    changes=False,
    reserved=True,
    shows=("order",),
    slashed=True,
    personal=True,
    summary=phrase("Begin a sales order in the ERP: shown first, created by one tap"),
    place=44,
)
async def new(
    kind: NewKind | None = None,
    *words: NewWord,
    answer: NewAnswer | None = None,
    creations: Creations,
    erp: ErpHub,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show what would be created or what has become of it, or take the answer to it."""
    if kind is not None and answer is None:
        request = CreationRequest(its=CREATED[kind], words=words, erp=erp, context=context, policy=policy)
        return creation_view(await creations.propose(await request.resolve(creations)))
    if kind is not None or len(words) != 1:
        raise BadArgument(phrase("What is to be created? So far that can be an order."))
    asked = str(words[0])
    found = await creations.look(asked, context.person)
    if found is not None and answer is NewAnswer.CREATE:
        await check_preview(found, erp, policy, context)
    if answer is not None:
        found = await creations.answer(asked, context.person, creates=answer is NewAnswer.CREATE)
    if found is None:
        raise NothingFound(asked)
    return creation_view(found)
