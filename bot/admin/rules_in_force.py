"""The status of rule files: which are read, which are not, and whether the running bot uses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path

import aiohttp

from bot.admin.output import at, say_lines, warning
from bot.bootstrap.rules import find_lost
from bot.bootstrap.running_rules import compare_rules, read_on_disk
from bot.rulefiles.followed_file import find_files
from bot.settings import Settings
from bot.web.running_bot import ask_running_bot
from bot.words.names import KnownNames
from bot.words.phrase import Say, Words, phrase


async def describe_running_rules(settings: Settings, *names: str, say: Say = str) -> list[str]:
    """Return the running bot's report on the rules with these names, including the configuration."""
    return say_lines(await _running_rules(settings, *names), say)


async def _running_rules(settings: Settings, *names: str) -> list[Words]:
    if not settings.http.port:
        return [phrase("the port of a running bot is not known: nobody could be asked what is in force")]
    try:
        said = await ask_running_bot(settings.http.host, settings.http.port)
    except aiohttp.ClientConnectorError:
        return [phrase("no bot runs here: this is what a start would read")]
    rules = None if said is None else said.get("rules")
    if not isinstance(rules, dict):
        port = str(settings.http.port)
        return [phrase("what listens on port %(port)s does not tell which rules are in force", port=port)]
    compared = (compare_rules(rules.get(name), read_on_disk(settings, name)) for name in names)
    return [found.words if found.agrees else warning(found.words) for found in compared]


async def warn_of_lost(settings: Settings, names: KnownNames, part: str) -> list[Words]:
    """Return a line if a start would be refused because a part's earlier rules are gone."""
    lost = await find_lost(settings, names, part)
    return [lost] if lost else []


def name_places(places: Sequence[Path]) -> Words:
    """Return the places searched for a file, in words."""
    named: Iterator[Words] = map(str, places)
    return reduce(lambda before, after: phrase("%(before)s or %(after)s", before=before, after=after), named)


def warn_of_unread(places: Sequence[Path]) -> Iterator[Words]:
    """Yield a warning for each existing file that is not read."""
    first, *others = find_files(places) or (None,)
    for other in others:
        yield at(other, warning(phrase("it is not read, since there is %(file)s", file=str(first))))
