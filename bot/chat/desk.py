"""The desk where questions are answered: line → command → may they → arguments → view. Every failure is a view too."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from bot.access.policy import AccessPolicy, Denied
from bot.cards.actions import Ask
from bot.cards.notices import (
    BadArgument as BadArgumentNotice,
)
from bot.cards.notices import DeniedNotice, ErpDown, ExternalNotice, Failed, NotFoundNotice, Pick, UnknownCommand
from bot.cards.view import ListView, View
from bot.chat.arguments import shortened
from bot.chat.asking import Asking
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.hints import hint_for
from bot.chat.line import MAX_LINE_BYTES
from bot.chat.message import Message
from bot.chat.pipeline import Answer
from bot.chat.reading import Reading
from bot.chat.registry import AnyCommand, Commands
from bot.chat.replies import OpenQuestions, may_answer
from bot.erp.errors import ErpError, NotFound, Unavailable
from bot.errors import ConfigurationError, DingerpError
from bot.phrase import phrase
from bot.time_limit import TimeLimit

log = structlog.get_logger(__name__)

NO_COMMAND = "none"
"""Metrics label of questions without a known command."""

HELP = "help"
FIND = "find"
"""The command that answers lines without a command: a bare SKU, number or name."""

_MAX_BARE = 40
"""Characters of a line without a command that are still looked up in the ERP: longer ones are small talk."""


class Outcome(StrEnum):
    """What became of a question; bounded, because it labels a metric."""

    ANSWERED = "answered"
    UNKNOWN_COMMAND = "unknown_command"
    BAD_ARGUMENT = "bad_argument"
    NOT_FOUND = "not_found"
    DENIED = "denied"
    ERP_DOWN = "erp_down"
    FAILED = "failed"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class _Bound:
    """A command with the collaborators that are the same for every call, and the parameters that take the question."""

    command: AnyCommand
    collaborators: Mapping[str, object]
    asking: tuple[str, ...]

    async def call(self, rest: str, asking: Asking) -> View | Ask:
        positional, named = self.command.signature.parse(rest)
        named.update(self.collaborators)
        for name in self.asking:
            named[name] = asking
        return await self.command.function(*positional, **named)


class QuestionDesk:
    """Answers lines. ``collaborators`` maps a type to the object that commands get for a parameter of that type.

    `Asking`, `Commands`, `AccessPolicy` and `OpenQuestions` need not be among them. ``seconds`` is the most that one
    answer may take; ``reference`` gives the short number by which a failure is found in the log.
    """

    def __init__(
        self,
        *,
        commands: Commands,
        policy: AccessPolicy,
        collaborators: Mapping[type, object],
        seconds: float,
        reference: Callable[[], str] = lambda: secrets.token_hex(3),
    ) -> None:
        """Raises `ConfigurationError` when a command needs a collaborator that there is not."""
        self._commands = commands
        self._policy = policy
        self._limit = TimeLimit(seconds)
        self._reference = reference
        self._questions = OpenQuestions()
        known = {**collaborators, Commands: commands, AccessPolicy: policy, OpenQuestions: self._questions}
        self._bound = {name: _bind(command, known) for name, command in commands.items()}

    def hint_for(self, message: Message) -> Answer | None:
        """Return the answer to a message that cannot hold a question; None when it can."""
        hint = hint_for(message)
        return Answer(hint, NO_COMMAND, Outcome.HINT) if hint else None

    async def view_for(self, asking: Asking) -> Answer:
        """Answer a line as it was typed, or as a button carries it. Raises nothing but cancellation."""
        if asking.person.is_external:
            return Answer(ExternalNotice(), NO_COMMAND, Outcome.DENIED)
        return await self._answer(asking, redirected=False)

    async def _answer(self, asking: Asking, *, redirected: bool) -> Answer:
        reading = self._commands.read(asking.line)
        if not redirected and may_answer(reading, asking.line) and (line := self._questions.take(asking)):
            return await self._answer(replace(asking, line=line, offset=0, said=asking.line), redirected=True)
        if reading.offset:
            asking = replace(asking, offset=reading.offset)
        name = reading.command or (HELP if HELP in self._bound and not reading.word else None)
        if name is None:
            return await self._without_command(reading, asking, redirected=redirected)
        if len(reading.rest.encode()) > MAX_LINE_BYTES:
            problem = BadArgument(phrase("That is too long for one question."))
            return self._failure(problem, self._bound[name].command, asking)
        return await self._run(self._bound[name], reading.rest, asking, redirected=redirected)

    async def _run(self, bound: _Bound, rest: str, asking: Asking, *, redirected: bool) -> Answer:
        command = bound.command
        limit = self._limit.running()
        try:
            verdict = self._policy.decide(asking.person, command.request(asking.conversation))
            if not verdict.allowed:
                raise Denied(verdict)
            with limit:
                result = await bound.call(rest, asking)
        except Exception as error:  # noqa: BLE001 - here alone a defect becomes a card; `_defect` logs it
            cause = Unavailable(f"no answer in {self._limit.seconds:g} s") if limit.expired else error
            return self._failure(cause, command, asking)
        if isinstance(result, ListView) and not result.rows and 0 < result.total <= asking.offset:
            # The list became shorter since the button was made, or somebody typed a page that there is not.
            last_page = (result.total - 1) // result.page_size * result.page_size
            return await self._run(bound, rest, replace(asking, offset=last_page), redirected=redirected)
        if isinstance(result, View):
            return Answer(result, command.name, Outcome.ANSWERED)
        if redirected:
            return self._failure(RuntimeError(f"{command.name} redirects in a circle"), command, asking)
        return await self._answer(replace(asking, line=result.line, offset=result.offset), redirected=True)

    async def _without_command(self, reading: Reading, asking: Asking, *, redirected: bool) -> Answer:
        """Suggest what was misspelt, or look a bare code or name up."""
        text = f"{reading.word} {reading.rest}".strip() if reading.slashed else reading.rest
        usable = self._commands.usable(self._policy, asking)
        alike = tuple(command for command in self._commands.alike(reading.word) if command in usable)
        misspelt = alike and (reading.slashed or " " in text)
        if FIND in self._bound and not misspelt and len(text) <= _MAX_BARE:
            answer = await self._run(self._bound[FIND], text, asking, redirected=redirected)
            if answer.outcome in {Outcome.ANSWERED, Outcome.ERP_DOWN, Outcome.FAILED}:
                return answer
            # What has a digit was meant as a number and not as a command.
            if answer.outcome is Outcome.NOT_FOUND and not reading.slashed and any(map(str.isdigit, text)):
                return answer
        rest = text.removeprefix(reading.word).strip()
        fits = len(rest.encode()) <= MAX_LINE_BYTES
        picks = tuple(Pick(f"/{command.name} {rest}".strip()) for command in alike) if fits else ()
        example = next((one for command in usable for one in command.examples), "")
        view = UnknownCommand(typed=shortened(reading.word), suggestions=picks, example=example)
        return Answer(view, NO_COMMAND, Outcome.UNKNOWN_COMMAND)

    def _failure(self, error: Exception, command: AnyCommand, asking: Asking) -> Answer:
        view, outcome = self._notice(error, command, asking)
        return Answer(view, command.name, outcome)

    def _notice(self, error: Exception, command: AnyCommand, asking: Asking) -> tuple[View, Outcome]:
        example = next(iter(command.examples), "")
        match error:
            case BadArgument():
                usage, examples = command.usage, command.examples
                bad = BadArgumentNotice(problem=error.problem, usage=usage, examples=examples)
                return bad, Outcome.BAD_ARGUMENT
            case NotFound():
                lines = error.closest if isinstance(error, NothingFound) else ()
                closest = tuple(Pick(line) for line in lines)
                return NotFoundNotice(what=error.what, closest=closest, example=example), Outcome.NOT_FOUND
            case Denied():
                return DeniedNotice(reason=error.verdict.reason, ask=error.verdict.ask), Outcome.DENIED
            case ErpError():
                line = asking.line if error.retry else ""
                down = ErpDown(problem=error.tell(), source=error.source, line=line, offset=asking.offset)
                return down, Outcome.ERP_DOWN
            case _:
                return self._defect(error, command), Outcome.FAILED

    def _defect(self, error: Exception, command: AnyCommand) -> Failed:
        """Log once what nobody expected, and give the person a reference to it."""
        reference = self._reference()
        log.error("question.failed", reference=reference, command=command.name, exc_info=error)
        known = error if isinstance(error, DingerpError) else DingerpError()
        return Failed(problem=known.tell(), reference=reference)


def _bind(command: AnyCommand, known: Mapping[type, object]) -> _Bound:
    fixed: dict[str, object] = {}
    asking: list[str] = []
    for name, kind in command.signature.collaborators.items():
        if kind is Asking:
            asking.append(name)
        elif kind in known:
            fixed[name] = known[kind]
        else:
            raise ConfigurationError(f"command {command.name!r} needs a {kind.__name__} and there is none")
    return _Bound(command, fixed, tuple(asking))
