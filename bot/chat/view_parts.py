"""Parts that many views about the ERP share: how old an answer is and from where, and buttons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.cards.actions import Ask
from bot.cards.view import Button
from bot.chat.parsing import command_line
from bot.erp.hub import Answer
from bot.phrase import Phrase, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """When the ERP said it. ``stale``: it does not answer now, so this is the last known value.

    ``failures`` name the other sources that did not answer, and what else the reader should know.
    """

    as_of: datetime
    stale: bool
    source: str
    failures: tuple[Phrase, ...] = ()


def freshness(found: Answer[Any], as_of: datetime | None = None, *, failures: bool = True) -> Freshness:
    """Return the freshness of one answer; ``as_of`` is when it was true, where the ERP itself says that.

    Without ``failures`` only where the view shows them itself.
    """
    said = (*found.failures, *found.notes) if failures else found.notes
    return Freshness(as_of=as_of or found.as_of, stale=found.stale, source=found.source, failures=said)


def freshness_of_all(founds: Sequence[Answer[Any]]) -> Freshness:
    """Return the freshness of answers shown together (at least one): of the oldest, with the source if it is one."""
    sources = {found.source for found in founds}
    return Freshness(
        as_of=min(found.as_of for found in founds),
        stale=any(found.stale for found in founds),
        source=sources.pop() if len(sources) == 1 else "",
        failures=tuple(
            {str(failure): failure for found in founds for failure in (*found.failures, *found.notes)}.values()
        ),
    )


def ask_buttons(command: str, words: Iterable[str]) -> list[Button]:
    """Return one button a word that asks ``command`` for it; repeated and empty words give none."""
    return [Button(word, Ask(command_line(command, word))) for word in dict.fromkeys(words) if word]


def erp_link_buttons(url: str) -> list[Button]:
    """Return the button that opens a document in the ERP, if that has an address to open."""
    return [Button(phrase("Open in the ERP"), url)] if url.startswith("https://") else []
