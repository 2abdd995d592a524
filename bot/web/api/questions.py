"""The route that answers lines and sentences, as the chat does."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from bot.web.api.list_pages import DEEPEST, MOST_ROWS
from bot.web.api.records import Schema, Schemas
from bot.web.api.routes import AS_WHOLE, CHOICES_REF, ApiRequest, ApiRoute, RequestModel, answer
from bot.web.api.views import known_views

MOST_LINE = 400


class QuestionBody(RequestModel):
    """A line, or a sentence, as people type it."""

    line: str = Field(
        min_length=1,
        max_length=MOST_LINE,
        pattern=r"\S",
        description="What a person would type: a line such as /order late, a number, a name, or a sentence.",
        examples=["/order late"],
    )
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS), AS_WHOLE] | None = Field(
        None, description="Rows of a list; without it what fits a card.", examples=[20]
    )
    offset: Annotated[int, Field(ge=0, le=DEEPEST), AS_WHOLE] = Field(
        0, description="Rows of a list that were told already.", examples=[20]
    )


async def answer_question(asked: ApiRequest) -> web.Response:
    """Answer a line."""
    return answer(asked.request, await tell_answer(asked))


async def tell_answer(asked: ApiRequest) -> dict[str, Any]:
    """Return the view's record, the text of its card, what a line was read as, and what it leads on to."""
    found = await asked.look_up(asked.values.line, offset=asked.values.offset, rows=asked.values.limit)
    drawn = asked.draw(found)
    return {
        "asked": found.asked,
        "command": drawn.command,
        "outcome": drawn.outcome,
        "text": drawn.card.twin,
        "view": asked.write(found.view),
        "choices": asked.choices(drawn),
    }


def _gives(schemas: Schemas) -> Schema:
    views = [schemas.of_view(view) for view in known_views()]
    properties: dict[str, Schema] = {
        "asked": {"type": "string", "description": "The line that was answered: what a sentence was read as."},
        "command": {"type": "string"},
        "outcome": {"type": "string", "description": "answered, or what came of it, such as not_found."},
        "text": {"type": "string", "description": "The same as the chat writes it where it shows no cards."},
        "view": {"anyOf": views, "description": "The record behind the card; the name of the card tells which."},
        "choices": CHOICES_REF,
    }
    return {"type": "object", "properties": properties, "required": [*properties]}


QUESTIONS = ApiRoute(
    method="POST",
    path="/questions",
    name="ask",
    summary="Answer a line or a sentence as the chat would",
    serve=answer_question,
    takes=QuestionBody,
    gives=_gives,
)
