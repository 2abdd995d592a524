"""The documents of any kind: lists with filters. What a kind has is said by the kind and by its command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from bot.chat.amounts import Amounts
from bot.chat.answers.page_answers import PageAnswer
from bot.chat.arguments import Keyword
from bot.chat.conditions import ListCondition
from bot.chat.days import Days
from bot.chat.document_views import DocumentListView
from bot.chat.parsing import command_line
from bot.chat.records.documents import Documents
from bot.erp.kinds import KINDS
from bot.erp.port import Filter
from bot.web.pages.shown import ROWS, show, status_of
from bot.web.pages.visit import Page, Visit
from bot.words.disclosure import HIDDEN
from bot.words.phrase import Phrase, phrase

DOCUMENTS = "/documents"
_KINDS = {kind.command: kind for kind in KINDS}
_MOST = 100

PERIODS: tuple[tuple[str, Phrase], ...] = (
    ("today", phrase("today")),
    ("this week", phrase("this week")),
    ("last week", phrase("last week")),
    ("this month", phrase("this month")),
    ("last month", phrase("last month")),
    ("this year", phrase("this year")),
)
"""Days that are asked for most, as they are typed."""


_RESTRICTIONS = Documents.restrictions


@dataclass(frozen=True, slots=True)
class DocumentFilters:
    """The form above a list: what may be chosen, and what is."""

    kind: str
    lists: tuple[tuple[str, str], ...]
    takes_days: bool
    takes_amounts: bool
    restrictions: tuple[tuple[str, str], ...]
    periods: tuple[tuple[str, str], ...]
    chosen: Mapping[str, str]


async def show_documents(visit: Visit) -> web.Response:
    """Show the list that the filters ask for; without a kind the kinds to choose from."""
    kind = visit.request.match_info.get("kind", "")
    if kind not in _KINDS or kind not in visit.parts.answers.commands:
        return visit.draw("kinds", kinds=kinds_of(visit))
    answer = await visit.ask(_line(visit, kind), rows=ROWS)
    filters = document_filters(visit, answer, kind)
    told, status = show(visit, answer), status_of(answer)
    return visit.draw("ask", status=status, shown=told, filters=filters, refresh="", beside=())


def kinds_of(visit: Visit) -> tuple[tuple[str, str, str], ...]:
    """Return the kinds whose documents the person may see: the command, its name, and what it shows."""
    usable, commands, code = visit.parts.answers.usable(visit.person), visit.parts.answers.commands, visit.language.code
    return tuple(
        (name, commands[name].called_in(code), visit.say(commands[name].summary)) for name in _KINDS if name in usable
    )


def rows_for(visit: Visit, line: str) -> int | None:
    """Return how many rows of a line's answer a page shows; None for what is no list of documents."""
    return ROWS if visit.parts.answers.commands.parse(line).command in _KINDS else None


def document_filters(visit: Visit, answer: PageAnswer, kind: str = "") -> DocumentFilters | None:
    """Return the filters of an answer that is a list of documents, with what it was asked for."""
    view, commands = answer.view, visit.parts.answers.commands
    if isinstance(view, DocumentListView):
        typed = {name: word for name, word in view.typed().items() if word is not HIDDEN}
        chosen = {
            "list": typed.get(ListCondition.LIST, ""),
            "text": typed.get(ListCondition.TEXT, ""),
            "days": typed.get(ListCondition.DAYS, ""),
            "amounts": typed.get(ListCondition.AMOUNTS, ""),
            **{name: typed.get(word.by, "").removeprefix(word.prefix) for name, word in _RESTRICTIONS.items()},
        }
        kind = view.command
    else:
        chosen = {name: visit.query.get(name, "") for name in ("list", "text", "days", "amounts", *_RESTRICTIONS)}
    if kind not in _KINDS or kind not in commands:
        return None
    types = [parameter.type for parameter in commands[kind].signature.parameters]
    return DocumentFilters(
        kind=kind,
        lists=tuple((str(member), visit.say(member.label)) for member in named_lists(visit, kind)),
        takes_days=any(issubclass(each, Days) for each in types),
        takes_amounts=any(issubclass(each, Amounts) for each in types),
        restrictions=tuple((name, visit.say(word.label)) for name, word in _RESTRICTIONS.items()),
        periods=tuple((typed, visit.say(name)) for typed, name in PERIODS),
        chosen=chosen,
    )


def named_lists(visit: Visit, kind: str) -> tuple[Keyword, ...]:
    """Return the words of a command that name lists of its kind."""
    types = [parameter.type for parameter in visit.parts.answers.commands[kind].signature.parameters]
    members = [member for each in types if issubclass(each, Keyword) for member in each]
    filters = _KINDS[kind].filters
    return tuple(each for each in members if each.name in Filter.__members__ and Filter[each.name] in filters)


def _line(visit: Visit, kind: str) -> str:
    """Return the line that people would type for what the filters say."""
    names = ("list", "text", "amounts", *_RESTRICTIONS)
    asked = {name: " ".join(visit.query.get(name, "").split())[:_MOST] for name in names}
    within = (f"{word.prefix}{asked[name]}" for name, word in _RESTRICTIONS.items() if asked[name])
    line = command_line(kind, asked["list"], asked["text"], *within)
    return " ".join(filter(None, (line, asked["amounts"], typed_days(visit.query))))


def typed_days(query: Mapping[str, str]) -> str:
    """Return the days of a form as people would type them."""
    first, last = query.get("first", "")[:10], query.get("last", "")[:10]
    if first or last:
        return f"{first or last}..{last or first}"
    return " ".join(query.get("days", "").split())[:_MOST]


LISTS = Page(path=DOCUMENTS, show=show_documents, title=phrase("Documents"))
LIST = Page(path=f"{DOCUMENTS}/{{kind}}", show=show_documents)
