"""Answers to failed questions: failures are views too, and so are hints and refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from bot.access.audit import NotRecorded
from bot.access.grants import NO_GRANT, Grant
from bot.access.people import MembershipDoubt
from bot.access.policy import AccessPolicy, Denied
from bot.access.shown import is_code
from bot.cards.notices import (
    BadArgumentNotice,
    ChoiceNotice,
    DeniedNotice,
    ErpDownNotice,
    ExternalNotice,
    FailedNotice,
    HintNotice,
    Introduction,
    NotFoundNotice,
    NotRecordedNotice,
    QuotaNotice,
    Suggestion,
    UnconfirmedNotice,
)
from bot.cards.view import View
from bot.chat.arguments import Keyword, Signature, Word, shortened
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument, NothingFound, SeveralMeant
from bot.chat.message import Message, MessageKind
from bot.chat.parsing import command_line, in_books, split
from bot.chat.question_handler import PreparedAnswer
from bot.chat.registry import AnyCommand, Commands
from bot.erp.books import InSeveralBooks
from bot.erp.errors import ErpError, NotFound
from bot.mechanisms.tracing import Trace
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase
from bot.words.spelling import misspelt_for

log = structlog.get_logger(__name__)


class QuestionOutcome(StrEnum):
    """The outcome of a question; bounded, because it labels a metric."""

    ANSWERED = "answered"
    UNKNOWN_COMMAND = "unknown_command"
    BAD_ARGUMENT = "bad_argument"
    NOT_FOUND = "not_found"
    DENIED = "denied"
    UNCONFIRMED = "unconfirmed"
    ERP_DOWN = "erp_down"
    FAILED = "failed"
    NOT_RECORDED = "not_recorded"
    """It must be recorded, and that is impossible now."""
    HINT = "hint"


NO_ANSWER_NOW = frozenset(
    {QuestionOutcome.ERP_DOWN, QuestionOutcome.FAILED, QuestionOutcome.UNCONFIRMED, QuestionOutcome.NOT_RECORDED}
)
"""Outcomes after which a retry may succeed."""
_FAILED = frozenset({*NO_ANSWER_NOW, "not_delivered", "busy", "500", "503"})

NO_COMMAND_LABEL = "none"
"""Metrics label of questions without a known command."""

_NEEDS = {MembershipDoubt.NO_ANSWER: Introduction.WAIT, MembershipDoubt.NEVER_WROTE: Introduction.WRITE}

_PROBLEMS: dict[MessageKind, Phrase] = {
    MessageKind.AUDIO: phrase("I could not hear any words in this voice message. Please write your question."),
    MessageKind.PICTURE: phrase("I cannot open this picture. Please write your question as text."),
    MessageKind.VIDEO: phrase("I cannot watch videos. Please write your question as text."),
    MessageKind.FILE: phrase("I cannot open files. Please write your question as text."),
    MessageKind.UNKNOWN: phrase("I do not understand this kind of message. Please write your question as text."),
}


def make_hint(message: Message, *, reads_pictures: bool = False) -> View | None:
    """Return the hint for a message that cannot hold a question; None if it can.

    An empty text is a question: people who only mention the bot want to know what it can do.
    """
    if reads_pictures and message.picture is not None:
        return None
    # Voice messages come with or without DingTalk's transcription
    # (docs: platform/dingtalk/messages.md#voice).
    heard = message.kind is MessageKind.AUDIO and message.text.strip()
    if heard or message.kind in {MessageKind.TEXT, MessageKind.RICH_TEXT}:
        return None
    if message.kind is MessageKind.QUOTA_EXHAUSTED:
        return QuotaNotice()
    if message.sender.staff_id is None:
        return ExternalNotice()
    return HintNotice(problem=_PROBLEMS[message.kind])


class Failures:
    """Answers errors; ``reference`` gives the short number under which the trace and the log have it."""

    def __init__(self, commands: Commands, policy: Callable[[], AccessPolicy], reference: Callable[[], str]) -> None:
        self._commands = commands
        self._policy = policy
        self._reference = reference

    def answer(
        self, error: Exception, command: AnyCommand, context: QuestionContext, grant: Grant = NO_GRANT
    ) -> PreparedAnswer:
        """Return the card for an error raised by a command, with the asker's grant at that time."""
        view, outcome = self._notice(error, command, context)
        rule = error.verdict.rule if isinstance(error, Denied) else ""
        guessed = self._guessed(error, command, context)
        return PreparedAnswer(view, command.name, outcome, grant, rule, decides=command.writes, guessed=guessed)

    def _guessed(self, error: Exception, command: AnyCommand, context: QuestionContext) -> str:
        """Return the number that was not found, if the rules may be the reason; empty for anything else."""
        if not isinstance(error, NotFound) or not is_code(error.what):
            return ""
        hidden = not self._policy().sees_all(context.person, (command.name, *command.shows), context.conversation.id)
        return error.what if hidden else ""

    def _notice(self, error: Exception, command: AnyCommand, context: QuestionContext) -> tuple[View, QuestionOutcome]:
        examples = command.examples_in(context.person.language)
        example = next(iter(examples), "")
        match error:
            case BadArgument():
                usage = command.usage
                bad = BadArgumentNotice(problem=error.problem, usage=usage, examples=examples, missing=error.missing)
                return bad, QuestionOutcome.BAD_ARGUMENT
            case SeveralMeant():
                return ChoiceNotice(suggestions=error.picks), QuestionOutcome.HINT
            case NotFound():
                closest = error.closest if isinstance(error, NothingFound) else ()
                hints = hint_arguments(command.name, command.signature, self._commands.parse(context.line).rest)
                nothing = NotFoundNotice(
                    what=error.what,
                    closest=(*hints.lines, *closest),
                    example=example,
                    notes=error.notes or hints.notes,
                )
                return nothing, QuestionOutcome.NOT_FOUND
            case Denied():
                denied = DeniedNotice(reason=error.verdict.reason, ask=error.verdict.ask)
                return denied, QuestionOutcome.DENIED
            case NotRecorded():
                return NotRecordedNotice(problem=error.tell(), line=context.line), QuestionOutcome.NOT_RECORDED
            case ErpError():
                line = context.line if error.retry else ""
                down = ErpDownNotice(problem=error.tell(), source=error.source, line=line, offset=context.offset)
                return down, QuestionOutcome.ERP_DOWN
            case _:
                return self._defect(error, command), QuestionOutcome.FAILED

    def _defect(self, error: Exception, command: AnyCommand) -> FailedNotice:
        """Log an unexpected error once, and give the person a reference to it."""
        reference = self._reference()
        log.error("question.failed", reference=reference, command=command.name, exc_info=error)
        known = error if isinstance(error, DingerpError) else DingerpError()
        return FailedNotice(problem=known.tell(), reference=reference)


def choose_books(error: InSeveralBooks, line: str, command: AnyCommand, grant: Grant) -> PreparedAnswer:
    """Return the choice among documents with the same number: the asked line, once for each of the books."""
    picks = tuple(
        Suggestion(in_books(line, names), " · ".join((shortened(error.what), *names))) for names in error.books
    )
    return PreparedAnswer(ChoiceNotice(suggestions=picks), command.name, QuestionOutcome.HINT, grant)


def hint_answer(problem: Phrase) -> PreparedAnswer:
    """Return the answer that explains why a message is not a question."""
    return PreparedAnswer(HintNotice(problem=problem), NO_COMMAND_LABEL, QuestionOutcome.HINT)


def refuse(context: QuestionContext) -> PreparedAnswer:
    """Return the answer to a person who is not a known member of the organisation."""
    doubt = context.person.doubt
    if doubt is None:
        return PreparedAnswer(ExternalNotice(), NO_COMMAND_LABEL, QuestionOutcome.DENIED)
    view = UnconfirmedNotice(needs=_NEEDS[doubt], line=context.line, offset=context.offset)
    silent = doubt is MembershipDoubt.NO_ANSWER
    return PreparedAnswer(view, NO_COMMAND_LABEL, QuestionOutcome.UNCONFIRMED, provisional=silent)


_MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class ArgumentHints:
    """The searched text and the command's keywords; and lines with the keywords that may have been meant."""

    notes: tuple[Phrase, ...] = ()
    lines: tuple[Suggestion, ...] = ()


def hint_arguments(command: str, signature: Signature, rest: str) -> ArgumentHints:
    """Return hints on ``rest``, for which nothing was found, such as the name “opne” in /invoice opne.

    Empty if no keyword of the command was meant.
    """
    types = [parameter.type for parameter in signature.parameters]
    named = next((kind for kind in types if issubclass(kind, Word) and kind.takes_rest), None)
    keywords = [member for kind in types if issubclass(kind, Keyword) for member in kind]
    # Numbers and Chinese names are not misspelt English words.
    if named is None or not keywords or not rest.isascii() or any(char.isdigit() for char in rest):
        return ArgumentHints()
    note = phrase(
        "It was looked for as %(kind)s. This command also knows the words: %(words)s.",
        kind=named.placeholder,
        words=tuple(member.label for member in keywords),
    )
    return ArgumentHints((note,), _corrected(command, keywords, split(rest)))


def _corrected(command: str, keywords: list[Keyword], words: tuple[str, ...]) -> tuple[Suggestion, ...]:
    lines: dict[str, None] = {}
    for place, word in enumerate(words):
        for member in keywords:
            if misspelt_for(word, member.words):
                lines[command_line(command, *words[:place], str(member), *words[place + 1 :])] = None
    return tuple(map(Suggestion, lines))[:_MOST_LINES]


def has_failed(trace: Trace) -> bool:
    """Return whether what was traced has failed, or one of the lines that were asked."""
    return not _FAILED.isdisjoint({trace.outcome, *(line.outcome for line in trace.lines)})
