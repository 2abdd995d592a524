"""Lines among which a person chooses, each named in words where the kind of its documents has words for it."""

from __future__ import annotations

from collections.abc import Iterable

from bot.cards.notices import Suggestion
from bot.cards.view import Label
from bot.chat.arguments import Keyword
from bot.chat.errors import BadArgument
from bot.chat.registry import Commands
from bot.erp.kinds import FOLLOWED
from bot.erp.port import Filter
from bot.words.phrase import phrase

_KINDS = {kind.command: kind for kind in FOLLOWED}


def name_choices(lines: Iterable[str], commands: Commands) -> tuple[Suggestion, ...]:
    """Return lines to choose from, with their names."""
    return tuple(Suggestion(line, _name(line, commands)) for line in lines)


def _name(line: str, commands: Commands) -> Label:
    """Return what a list is called, and the text that restricts it; empty for lines that say more than that."""
    parsed = commands.parse(line)
    kind = _KINDS.get(parsed.command or "")
    if kind is None:
        return ""
    try:
        positional, named = commands[kind.command].signature.parse(parsed.rest)
    except BadArgument:
        return ""
    typed = [word for word in (*positional, *named.values()) if word]
    lists = [Filter[word.name] for word in typed if isinstance(word, Keyword) and word.name in Filter.__members__]
    texts = [str(word) for word in typed if not isinstance(word, Keyword)]
    if len(lists) > 1 or len(texts) > 1 or len(lists) + len(texts) < len(typed):
        return ""
    title = kind.list_title(lists[0] if lists else Filter.ALL, restricted=bool(texts))
    return phrase("%(what)s: %(value)s", what=title, value=texts[0]) if texts else title
