"""The company's own questions: the answer to `/ask`, each question a link."""

from __future__ import annotations

from aiohttp import web

from bot.named_questions.views import COMMAND
from bot.web.pages.ask import draw_answer
from bot.web.pages.visit import Page, Visit
from bot.words.phrase import phrase


async def show_questions(visit: Visit) -> web.Response:
    """Show the questions that somebody may ask. Opening the page counts as no question."""
    return await draw_answer(visit, await visit.glance(f"/{COMMAND}"))


QUESTIONS = Page(path="/questions", show=show_questions, title=phrase("Own questions"), needs=COMMAND)
