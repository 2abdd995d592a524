"""Commands: their declaration and discovery.

A command is an asynchronous function in a file of its own::

    @command("stock", aliases=("库存", "kc"), examples=("/stock SKU123",), summary=phrase("Stock of a product"))
    async def stock(*skus: Sku, warehouse: Warehouse | None = None, erp: ErpHub, context: QuestionContext) -> View: ...

Usage, help, completion and suggestions are read from it; see `bot.chat.arguments` for its parameters.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Generic, ParamSpec

from bot.access.areas import EVERY_AREA
from bot.access.grants import Scope, common_scopes
from bot.access.policy import AccessPolicy, AccessRequest, CommandRequests
from bot.cards.actions import Ask
from bot.cards.view import View
from bot.chat.arguments import InnerLine, Keyword, Signature, read_signature, usage
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation
from bot.chat.parsing import LineParser, ParsedLine
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase

P = ParamSpec("P")

ENTRY_POINTS = "dingerp.commands"
"""Entry point group for commands of other packages: each names a `Command` or a module with some."""

_SIMILAR_SCORE, _SLIP_SCORE = 70.0, 80.0
"""RapidFuzz score from which a word counts as a misspelt command, after a slash and without: ``stcok`` and ``stock``
have 80, ``nice`` and ``invoice`` 73.
"""


def _readable(lines: Sequence[str], language: str) -> tuple[str, ...]:
    return tuple(line for line in lines if language.startswith("zh") or line.isascii())


@dataclass(frozen=True)
class Command(Generic[P]):
    """One command. Calling it calls its function, so that tests need no registry.

    ``names`` are the name and all aliases. ``governed``: separate rules decide for each document who may change it
    (`bot.access.policy.AccessRequest`). ``reserved``: only for administrators, and for people named in a rule about
    this very command. ``changes``: it changes something, such as a mute or a language; the default is True. A function
    may return an `Ask` in place of a view: then that line is answered, after another check of the access policy.

    ``shows`` are the commands whose documents its answers contain: a group sees an answer if all of its members may see
    those. Empty: no documents and no figures. ``to_concerned``: people involved in a document of these see it whatever
    the rules say. ``slashed``: its names are words of other lines and of sentences, so they count only after a slash.
    ``personal``: its answers are for the asker alone; a group is not told more than that there is one. ``proposable``:
    a program may propose its lines; not those with which a person answers what was put to themselves.
    """

    name: str
    aliases: tuple[str, ...]
    examples: tuple[str, ...]
    writes: bool
    summary: Phrase
    place: int
    function: Callable[P, Awaitable[View | Ask]]
    signature: Signature
    governed: bool = False
    reserved: bool = False
    changes: bool = True
    shows: tuple[str, ...] = EVERY_AREA
    to_concerned: bool = False
    slashed: bool = False
    personal: bool = False
    proposable: bool = True

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Awaitable[View | Ask]:
        return self.function(*args, **kwargs)

    @property
    def names(self) -> tuple[str, ...]:
        """The name and all aliases."""
        return (self.name, *self.aliases)

    def examples_in(self, language: str) -> tuple[str, ...]:
        """Return the examples that a reader of ``language`` can type: Chinese ones only for Chinese."""
        return _readable(self.examples, language)

    def aliases_in(self, language: str) -> tuple[str, ...]:
        """Return the aliases that a reader of ``language`` can type."""
        return _readable(self.aliases, language)

    def called_in(self, language: str) -> str:
        """Return the command's name in the script of ``language``: its main name if there is no other."""
        return next((alias for alias in self.aliases_in(language) if not alias.isascii()), self.name)

    @property
    def only_asks(self) -> bool:
        """Whether it changes nothing, in an ERP or in the bot, unless a keyword in its line does."""
        return not (self.writes or self.governed or self.changes)

    @property
    def changing_keywords(self) -> tuple[Keyword, ...]:
        """The keywords that make an otherwise read-only command change something."""
        kinds = (parameter.type for parameter in self.signature.parameters if self.only_asks)
        return tuple(member for kind in kinds if issubclass(kind, Keyword) and kind.changes for member in kind)

    @property
    def usage(self) -> Phrase:
        """The usage line: ``/stock <SKU…> [@warehouse]``, with the placeholders in the reader's language."""
        return usage(self.name, self.signature)

    def request(self, conversation: Conversation | None = None) -> AccessRequest:
        """Return the access request for running it there; None: in the asker's chat with the bot."""
        where = conversation.id if conversation else ""
        return AccessRequest(
            command=self.name,
            conversation_id=where,
            writes=self.writes,
            governed=self.governed,
            reserved=self.reserved,
        )

    def reach(
        self, policy: AccessPolicy, context: QuestionContext, granted: tuple[Scope, ...], also: Sequence[str] = ()
    ) -> Mapping[str, tuple[Scope, ...]]:
        """Return the documents visible to the asker in an answer, by the command that also shows them.

        ``granted`` are the documents of this command; ``also`` are further commands whose documents are shown.
        """
        shown = dict.fromkeys((*self.shows, *also))
        if not shown:
            return {}
        person, where = context.person, context.conversation.id
        found = {self.name: granted}
        for each in shown:
            theirs = policy.decide_area(person, each, where).grant.scopes
            concerned = self.to_concerned and each in self.shows
            found[each] = granted if concerned else common_scopes(granted, theirs)
        return found


def command(
    name: str,
    *,
    aliases: tuple[str, ...] = (),
    examples: tuple[str, ...] = (),
    writes: bool = False,
    governed: bool = False,
    reserved: bool = False,
    changes: bool = True,
    shows: Collection[str] = EVERY_AREA,
    to_concerned: bool = False,
    slashed: bool = False,
    personal: bool = False,
    proposable: bool = True,
    summary: Phrase,
    place: int = 100,
) -> Callable[[Callable[P, Awaitable[View | Ask]]], Command[P]]:
    """Make a `Command` of an asynchronous function; raises `ConfigurationError` for an unusable signature.

    ``changes=False`` declares it read-only; any other command is never run by a sentence, a subscription or a file.
    Without ``shows`` a command is assumed to show documents of every area.

    ``place`` is its position in the help: lower ones first, equal ones by name.
    """

    def make(function: Callable[P, Awaitable[View | Ask]]) -> Command[P]:
        if not inspect.iscoroutinefunction(function):
            raise ConfigurationError(f"command {name!r} must be an async function")
        signature = read_signature(function)
        return Command(
            name=name,
            aliases=aliases,
            examples=examples,
            writes=writes,
            summary=summary,
            place=place,
            function=function,
            signature=signature,
            governed=governed,
            reserved=reserved,
            changes=changes,
            shows=tuple(shows),
            to_concerned=to_concerned,
            slashed=slashed,
            personal=personal,
            proposable=proposable,
        )

    return make


AnyCommand = Command[...]


class Commands(Mapping[str, AnyCommand]):
    """All commands by name, in the order of the help; finds the command of a line."""

    def __init__(self, commands: Iterable[AnyCommand]) -> None:
        """Raises `ConfigurationError` if two commands claim the same name or alias."""
        self._by_name: dict[str, AnyCommand] = {}
        owners: dict[str, str] = {}
        for command in sorted(commands, key=lambda command: (command.place, command.name)):
            for word in map(str.casefold, command.names):
                if not word or any(char.isspace() for char in word):
                    raise ConfigurationError(f"command {command.name!r}: {word!r} is no single word")
                if word in owners:
                    raise ConfigurationError(
                        f"commands {owners[word]!r} and {command.name!r} both want the name {word!r}"
                    )
                owners[word] = command.name
            self._by_name[command.name] = command
        self._words = tuple(owners)
        self._owners = owners
        self._parser = LineParser(owners, {word for word, name in owners.items() if self._by_name[name].slashed})
        self._requests = CommandRequests(tuple(command.request() for command in self.values()))

    @classmethod
    def discover(cls, package: str = "commands") -> Commands:
        """Return the built-in commands of ``package`` and those of other installed packages."""
        return cls(
            [*_built_in(importlib.import_module(package)), *_from_entry_points(entry_points(group=ENTRY_POINTS))]
        )

    def __getitem__(self, name: str) -> AnyCommand:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def parse(self, line: str) -> ParsedLine:
        """Return the command of ``line``, and its arguments."""
        parsed = self._parser.parse(line)
        rest = self.with_implied(parsed.word, parsed.rest)
        return parsed if rest == parsed.rest else replace(parsed, rest=rest)

    def line_of(self, text: str) -> str:
        """Return the line inside another one, with the command's main name; its slash may be left out."""
        inner = text.lstrip("/ ")
        parsed = self.parse(f"/{inner}")
        if parsed.command is None:
            parsed = self.parse(inner)
        return f"/{parsed.command} {parsed.rest}".strip() if parsed.command else f"/{inner}"

    def only_asks(self, line: str) -> bool:
        """Return whether running a line changes nothing: the single test for everything that runs lines nobody has
        typed or pressed, such as sentences, subscriptions and files.
        """
        parsed = self.parse(line)
        return parsed.command is None or self.rest_only_asks(parsed.command, parsed.rest)

    def rest_only_asks(self, name: str, rest: str) -> bool:
        """Return whether a command with these arguments changes nothing: neither by a keyword, nor by an inner line."""
        command = self[name]
        if not command.only_asks or command.signature.changes_by(rest):
            return False
        has_line = any(issubclass(parameter.type, InnerLine) for parameter in command.signature.parameters)
        return not (has_line and rest) or self.only_asks(self.line_of(rest))

    def with_implied(self, word: str, rest: str) -> str:
        """Return a command's arguments with the keyword that its alias implies, as 月报 implies the report.

        It is omitted if another keyword of its kind was typed.
        """
        command = self.named(word)
        kinds = (parameter.type for parameter in command.signature.parameters) if command else ()
        for kind in kinds:
            if issubclass(kind, Keyword) and (member := kind.meant_by(word.lstrip("/"))):
                return rest if any(map(kind.meant_by, rest.split())) else f"{member} {rest}".rstrip()
        return rest

    def named(self, word: str) -> AnyCommand | None:
        """Return the command with this name or alias, ignoring case and a leading slash where none is needed."""
        owner = self._owners.get(word.lstrip("/").casefold())
        found = self._by_name[owner] if owner else None
        return None if found and found.slashed and not word.startswith("/") else found

    def usable(self, policy: AccessPolicy, context: QuestionContext) -> tuple[AnyCommand, ...]:
        """Return the commands that this person may use in this conversation."""
        closed = self.closed(policy, context)
        return tuple(command for command in self.values() if command.name not in closed)

    def closed(self, policy: AccessPolicy, context: QuestionContext) -> frozenset[str]:
        """Return the names of the commands that this person may not use in this conversation."""
        return policy.closed_to(context.person, self._requests, context.conversation.id)

    def similar(self, word: str, *, slashed: bool = True, limit: int = 3) -> tuple[AnyCommand, ...]:
        """Return the commands with a name or alias similar to ``word``, most similar first.

        A word without a slash may just be of a sentence: it must be very similar, and not a command's own word, which
        would be no slip.
        """
        from rapidfuzz import fuzz, process

        least = _SIMILAR_SCORE if slashed else _SLIP_SCORE
        hits = process.extract(word.casefold(), self._words, scorer=fuzz.ratio, limit=limit * 2, score_cutoff=least)
        names = dict.fromkeys(self._owners[hit] for hit, _, _ in hits if slashed or hit != word.casefold())
        return tuple(self._by_name[name] for name in names)[:limit]


@cache
def installed_commands() -> Commands:
    """Return all commands, discovered once: packages do not come and go while a process runs.

    Raises `ConfigurationError` as `Commands.discover` does.
    """
    return Commands.discover()


def _built_in(package: ModuleType) -> Iterator[AnyCommand]:
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield from _of_module(importlib.import_module(module.name))


def _from_entry_points(points: Iterable[EntryPoint]) -> Iterator[AnyCommand]:
    for point in points:
        try:
            found = point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(f"entry point {point.name!r} ({point.value}): {error}") from error
        if isinstance(found, Command):
            yield found
        elif isinstance(found, ModuleType):
            yield from _of_module(found)
        else:
            raise ConfigurationError(f"entry point {point.name!r} ({point.value}) is neither a command nor a module")


def _of_module(module: ModuleType) -> Iterator[AnyCommand]:
    for value in vars(module).values():
        if isinstance(value, Command) and value.function.__module__ == module.__name__:
            yield value
