"""Dispatches questions: line → command → access → arguments → view. Failures are views too, and so are hints for
messages without a question.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

import structlog

from bot.access.areas import DOCUMENT_COMMANDS, OF_PARTNERS
from bot.access.grants import NO_GRANT, Grant
from bot.access.people import MembershipDoubt
from bot.access.policy import AccessPolicy, Denied
from bot.access.shown import find_shown, is_code
from bot.cards.actions import Ask
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
    NotUnderstoodNotice,
    QuotaNotice,
    Suggestion,
    UnconfirmedNotice,
    UnknownCommandNotice,
)
from bot.cards.view import Button, ListView, View
from bot.chat.argument_hints import hint_arguments
from bot.chat.arguments import shortened
from bot.chat.context import QuestionContext
from bot.chat.dialogues import Dialogues
from bot.chat.errors import BadArgument, NothingFound
from bot.chat.first_questions import first_questions
from bot.chat.message import ConversationKind, Message, MessageKind, Picture
from bot.chat.own_documents import OwnDocuments
from bot.chat.parsing import MAX_LINE_BYTES, ParsedLine, command_line, normalise
from bot.chat.pictures import CODE_TOO_LONG, NO_CODE, TOO_SLOW, PictureReader, PictureUnreadable
from bot.chat.pipeline import PreparedAnswer
from bot.chat.prompts import OpenPrompts, may_be_reply
from bot.chat.quoting import line_about, numbers_in, takes_number
from bot.chat.reader_hub import AccountOf, ReaderHub, no_account
from bot.chat.reading import NameSpelling, ReadBy, Reading, SentenceModel, SentenceReader, named_as_typed, settle
from bot.chat.registry import AnyCommand, Commands
from bot.chat.view_parts import DocumentView
from bot.disclosure import HIDDEN, FieldClass, cut
from bot.erp.errors import ErpError, NotFound, Unavailable
from bot.erp.hub import ErpHub
from bot.errors import ConfigurationError, DingerpError
from bot.outbox.spending import Purpose, spending
from bot.phrase import Phrase, phrase
from bot.read_model.queries import ReadModel
from bot.time_limit import TimeLimit

_PROBLEMS: dict[MessageKind, Phrase] = {
    MessageKind.AUDIO: phrase("I could not hear any words in this voice message. Please write your question."),
    MessageKind.PICTURE: phrase("I cannot open this picture. Please write your question as text."),
    MessageKind.VIDEO: phrase("I cannot watch videos. Please write your question as text."),
    MessageKind.FILE: phrase("I cannot open files. Please write your question as text."),
    MessageKind.UNKNOWN: phrase("I do not understand this kind of message. Please write your question as text."),
}


def make_hint(message: Message, *, reads_pictures: bool = False) -> View | None:
    """Return the hint for a message that cannot hold a question; None when it can.

    An empty text is a question: people who only mention the bot want to know what it can do.
    """
    if reads_pictures and message.picture is not None:
        return None
    # Voice messages come with the words that DingTalk recognised, or without
    # (docs: platform/dingtalk/messages.md#voice).
    heard = message.kind is MessageKind.AUDIO and message.text.strip()
    if heard or message.kind in {MessageKind.TEXT, MessageKind.RICH_TEXT}:
        return None
    if message.kind is MessageKind.QUOTA_EXHAUSTED:
        return QuotaNotice()
    if message.sender.staff_id is None:
        return ExternalNotice()
    return HintNotice(problem=_PROBLEMS[message.kind])


log = structlog.get_logger(__name__)

_NEEDS = {MembershipDoubt.NO_ANSWER: Introduction.WAIT, MembershipDoubt.NEVER_WROTE: Introduction.WRITE}

NO_COMMAND_LABEL = "none"
"""Metrics label of questions without a known command."""

HELP = "help"
FIND = "find"
"""The command that answers lines without a command: a bare SKU, number or name."""

_MAX_CODES = 6
"""Codes of one picture among which people choose: a shelf may hold dozens."""

_MAX_BARE_LINE = 40
"""Characters of a line without a command that are still looked up in the ERP: longer ones are small talk."""

_NAMES = replace(NO_GRANT, fields=frozenset({FieldClass.PARTNER}))
"""What is seen of a choice among names, which are offered only to those who may see them."""


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
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class _BoundCommand:
    """A command with the collaborators that are the same for every call, and the parameters that take the question, the
    policy as it is then, or the ERPs and the documents kept as the asker may see them.
    """

    command: AnyCommand
    collaborators: Mapping[str, object]
    context: tuple[str, ...]
    policy: tuple[str, ...]
    hub: tuple[str, ...]
    kept: Mapping[str, ReadModel]

    async def call(
        self, rest: str, context: QuestionContext, policy: AccessPolicy, hub: Callable[[], ErpHub]
    ) -> View | Ask:
        # Words about a decision are the person's own.
        mentions = context.mentions_others or not self.command.only_asks
        positional, named = self.command.signature.parse(rest, mentions=mentions)
        named.update(self.collaborators)
        for name in self.context:
            named[name] = context
        for name in self.policy:
            named[name] = policy
        if self.hub or self.kept:
            visible = hub()
            for name in self.hub:
                named[name] = visible
            for name, kept in self.kept.items():
                named[name] = kept.narrowed(visible)
        return await self.command.function(*positional, **named)


class QuestionDispatcher:
    """Answers lines. ``collaborators`` maps a type to the object that commands get for a parameter of that type.

    `QuestionContext`, `Commands`, `AccessPolicy` and `OpenPrompts` need not be among them. ``policy`` gives the one in
    force, which may change while the bot runs. ``seconds`` is the most that one answer may take; ``reference`` makes
    the short number under which the log has a failure.
    """

    def __init__(
        self,
        *,
        commands: Commands,
        policy: Callable[[], AccessPolicy],
        collaborators: Mapping[type, object],
        seconds: float,
        reference: Callable[[], str] = lambda: secrets.token_hex(3),
        account_of: AccountOf = no_account,
        reader: SentenceReader | None = None,
        dialogues: Dialogues | None = None,
        pictures: PictureReader | None = None,
        model: SentenceModel | None = None,
        spelling: NameSpelling | None = None,
    ) -> None:
        """``account_of`` finds the asker's own documents; ``reader`` reads sentences: without it only commands, numbers
        and names are understood; ``dialogues`` remembers what was asked before; ``pictures`` finds codes in pictures;
        ``model`` is asked where all of these find nothing, or two likely readings. ``spelling`` finds names that are
        spelled in lines that others ask, as /export does; ``reader`` finds them in those that people type.

        Raises `ConfigurationError` when a command needs a collaborator that is missing.
        """
        self._commands = commands
        self._policy = policy
        self._limit = TimeLimit(seconds)
        self._reference = reference
        self._reader = reader
        self._dialogues = dialogues
        self._model = model
        self._spelling = spelling
        self._prompts = OpenPrompts()
        hub = collaborators.get(ErpHub)
        self._hub = ReaderHub(hub, account_of) if isinstance(hub, ErpHub) else None
        own = OwnDocuments(account_of)
        known = {**collaborators, Commands: commands, OpenPrompts: self._prompts, OwnDocuments: own}
        self._bound = {name: _bind(command, known) for name, command in commands.items()}
        self._pictures = pictures if FIND in self._bound else None

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        """Return the answer to a message that cannot hold a question; None when it can."""
        hint = make_hint(message, reads_pictures=self._pictures is not None)
        return PreparedAnswer(hint, NO_COMMAND_LABEL, QuestionOutcome.HINT) if hint else None

    def forget_prompt(self, user_id: str) -> None:
        """Take what a person writes next for a question of its own."""
        self._prompts.forget(user_id)

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        """Answer a line as it was typed, or as a button carries it. Raises nothing but cancellation."""
        if context.person.is_external:
            return _refuse(context)
        if self._pictures is not None and context.picture is not None:
            return await self._answer_picture(self._pictures, context.picture, context)
        return await self._answer(context, redirected=False)

    async def _answer_picture(
        self, pictures: PictureReader, picture: Picture, context: QuestionContext
    ) -> PreparedAnswer:
        """Look up the code in a picture, or let the asker choose among several."""
        limit, group = self._limit.running(), context.conversation.kind is ConversationKind.GROUP
        try:
            with limit, spending(Purpose.QUESTION, context.conversation.id if group else ""):
                codes = await pictures.codes_in(picture)
        except PictureUnreadable as error:
            return _hint(error.problem)
        except Exception as error:  # noqa: BLE001 - as in `_run`
            return _hint(TOO_SLOW) if limit.expired else self._failure(error, self._bound[FIND].command, context)
        lines = _lines_of(codes)
        if not lines:
            return _hint(CODE_TOO_LONG if codes else NO_CODE)
        if len(lines) > 1:
            choice = ChoiceNotice(suggestions=tuple(map(Suggestion, lines)))
            return PreparedAnswer(choice, NO_COMMAND_LABEL, QuestionOutcome.HINT)
        # The question goes on as typed text, with nothing but a search: whoever prints a code commands nobody's bot.
        answer = await self._answer(replace(context, line=lines[0], picture=None), redirected=False)
        return replace(answer, read_as=lines[0])

    async def _answer(self, context: QuestionContext, *, redirected: bool, is_reading: bool = False) -> PreparedAnswer:
        """Answer a line; ``redirected``: a command answered by it, and ``is_reading``: a sentence was taken for it."""
        parsed = self._commands.parse(context.line)
        if (
            not (redirected or is_reading)
            and may_be_reply(parsed, context.line)
            and (line := self._prompts.take(context))
        ):
            return await self._answer(replace(context, line=line, offset=0, free_text=context.line), redirected=True)
        if context.quoted_text:
            return await self._answer_quoting(parsed, context)
        if parsed.offset:
            context = replace(context, offset=parsed.offset)
        if self._reader and not (parsed.slashed or redirected or is_reading or context.clicked):
            if reading := self._read(self._reader, context):
                return await self._answer_reading(reading, context)
            if parsed.command and parsed.word != context.line.split(maxsplit=1)[0]:
                parsed = self._without_deed(parsed, context.line)
        name = parsed.command or (HELP if HELP in self._bound and not parsed.word else None)
        if name is None:
            return await self._without_command(parsed, context, redirected=redirected or is_reading)
        if len(parsed.rest.encode()) > MAX_LINE_BYTES:
            problem = BadArgument(phrase("That is too long for one question."))
            return self._failure(problem, self._bound[name].command, context)
        answer = await self._run(self._bound[name], parsed.rest, context, redirected=redirected)
        # What a button asks is answered as it stands.
        spelling = self._spelling or (None if context.clicked else self._reader)
        if answer.outcome is QuestionOutcome.NOT_FOUND and spelling:
            return await self._answer_spelled(spelling.spell_out(f"/{name} {parsed.rest}"), context) or answer
        return answer

    async def _answer_spelled(self, lines: Sequence[str], context: QuestionContext) -> PreparedAnswer | None:
        """Answer the line with the name that was spelled, or offer those lines under which this person finds something.

        Each is tried first: a name that the asker may not see must not be on a button.
        """
        found: dict[str, PreparedAnswer] = {}
        for line in lines:
            parsed = self._commands.parse(line)
            assert parsed.command is not None, "a line is spelled out with its command"
            bound, asking = self._bound[parsed.command], replace(context, line=line, offset=0)
            answer = await self._run(bound, parsed.rest, asking, redirected=False)
            if answer.outcome is QuestionOutcome.ANSWERED and (
                self._may_name_partners(line, context) or _names_partners(answer)
            ):
                found[line] = answer
        if not found:
            return None
        if len(found) > 1:
            choice = ChoiceNotice(suggestions=tuple(map(Suggestion, found)), tells=FieldClass.PARTNER)
            return PreparedAnswer(choice, NO_COMMAND_LABEL, QuestionOutcome.HINT, _NAMES)
        ((line, answer),) = found.items()
        return replace(answer, read_as=line)

    async def _answer_quoting(self, parsed: ParsedLine, context: QuestionContext) -> PreparedAnswer:
        """Answer a line that replies to a card or message: a word alone is about the document of that."""
        alone = replace(context, quoted_text="", quotes_bot=False)
        about = self._about_quoted(parsed, context)
        if about is None:
            return await self._answer(alone, redirected=False)
        answer = await self._answer(replace(alone, line=about), redirected=False)
        return answer if answer.decides else replace(answer, read_as=answer.read_as or about)

    def _about_quoted(self, parsed: ParsedLine, context: QuestionContext) -> str | None:
        """Return the line with the quoted document in it; None where it names one itself or asks for something else."""
        quoted = numbers_in(context.quoted_text)
        if not quoted or numbers_in(context.line):
            return None
        command = self._bound[parsed.command].command if parsed.command else None
        if command and (command.writes or command.governed):
            # Nothing is decided on a guess: "agreed" to what a colleague wrote is not for the bot.
            sure = takes_number(command.examples) and context.quotes_bot and len(quoted) == 1
            return line_about(command.name, quoted[0], parsed.rest) if sure else None
        if self._reader and not parsed.slashed and (sentence := self._sentence_about(self._reader, quoted[0], context)):
            return sentence
        plain = not parsed.rest or parsed.rest.startswith("@")
        if command is None or not plain or not takes_number(command.examples):
            return None
        return line_about(command.name, quoted[0], parsed.rest)

    def _sentence_about(self, reader: SentenceReader, number: str, context: QuestionContext) -> str | None:
        """Return the sentence with the quoted number before it, if it asks something that can be about it."""
        alone, sentence = reader.read(context.line), f"{number} {context.line}"
        asked = self._commands.parse(alone.line).command if alone else None
        if asked and not takes_number(self._commands[asked].examples):
            return None
        reading = reader.read(sentence)
        cues = [part.text for part in reading.understood if part.kind == "cue"] if reading else []
        return sentence if any(cue and cue in context.line for cue in cues) else None

    def _read(self, reader: SentenceReader, context: QuestionContext) -> Reading | None:
        """Return what a sentence asks for; None for a typed command, and for what is not understood."""
        last = self._dialogues.last(context) if self._dialogues else None
        # Among all commands: who may not use the one that is meant is told so, and not shown something else.
        reading = reader.read(context.line, None, last)
        if reading is None or reading.by is ReadBy.COMMAND:
            return None
        if not self._may_name_partners(reading.line, context):
            reading = named_as_typed(reading, context.line)
        asked = any(part.kind == "cue" for part in reading.understood)
        return reading if asked or self._may_use(reading.line, context) else None

    def _may_name_partners(self, line: str, context: QuestionContext) -> bool:
        """Whether the asker sees the customers and vendors of all documents that the command of a line shows.

        Where it shows none that have any, such as stock, a name tells the more: then they must see all.
        """
        name, policy = self._commands.parse(line).command or "", self._policy()
        shown = OF_PARTNERS.intersection(DOCUMENT_COMMANDS.get(name, (name,))) or OF_PARTNERS
        verdicts = [policy.decide_area(context.person, each, context.conversation.id) for each in shown]
        return all(FieldClass.PARTNER in verdict.grant.fields for verdict in verdicts)

    def _may_use(self, line: str, context: QuestionContext) -> bool:
        """Whether the asker may use the command of a line: a bare number of what is closed to them is not found."""
        name = self._commands.parse(line).command
        return name is not None and self._commands[name] in self._commands.usable(self._policy(), context)

    async def _answer_reading(self, reading: Reading, context: QuestionContext) -> PreparedAnswer:
        if reading.unsure:
            reading = await self._settle(reading, context)
        if reading.unsure:
            lines = (reading.line, *reading.alternatives)
            choice = ChoiceNotice(suggestions=tuple(map(Suggestion, lines)), tells=_class_told(reading, context))
            return PreparedAnswer(choice, NO_COMMAND_LABEL, QuestionOutcome.HINT, _NAMES)
        answer = await self._answer(replace(context, line=reading.line), redirected=False, is_reading=True)
        if isinstance(answer.view, NotFoundNotice) and (tells := _class_told(reading, context)):
            grant = replace(answer.grant, fields=answer.grant.fields | {tells})
            answer = replace(answer, view=replace(answer.view, tells=tells), grant=grant)
        return replace(
            answer,
            read_as=answer.read_as or reading.line,
            by_model=reading.by is ReadBy.MODEL,
            wish=reading.wish,
            wants_erp=reading.wants_erp,
        )

    async def _settle(self, reading: Reading, context: QuestionContext) -> Reading:
        """Return the one of several likely readings that the model takes too, else all of them."""
        asked = await self._ask_model(context)
        return settle(reading, asked, self._commands) if asked else reading

    async def _ask_model(self, context: QuestionContext) -> Reading | None:
        """Return what the model takes a typed sentence for, with the commands that the asker may use here."""
        if self._model is None or context.clicked:
            return None
        usable = frozenset(command.name for command in self._commands.usable(self._policy(), context))
        reading = await self._model.read(context.line, context.conversation.id, usable)
        name = self._commands.parse(reading.line).command if reading else None
        return reading if name is not None and self._commands[name].only_asks else None

    def _without_deed(self, parsed: ParsedLine, line: str) -> ParsedLine:
        """Return a sentence without the command that it names if that one changes something: only typed ones do."""
        command = self._bound[parsed.command].command if parsed.command else None
        if command is None or command.only_asks:
            return parsed
        return ParsedLine(None, normalise(line), parsed.word)

    async def _run(
        self, bound: _BoundCommand, rest: str, context: QuestionContext, *, redirected: bool
    ) -> PreparedAnswer:
        command = bound.command
        limit, grant = self._limit.running(), NO_GRANT
        try:
            policy = self._policy()
            verdict = policy.decide(context.person, command.request(context.conversation))
            if not verdict.allowed:
                raise Denied(verdict)
            grant = verdict.grant
            with limit:
                result = await bound.call(rest, context, policy, lambda: self._hub_for(context, policy, verdict.grant))
        except Exception as error:  # noqa: BLE001 - only here a defect becomes a card; `_defect` logs it
            cause = Unavailable(f"no answer in {self._limit.seconds:g} s") if limit.expired else error
            return self._failure(cause, command, context, grant)
        if isinstance(result, ListView) and not result.rows and 0 < result.total <= context.offset:
            # The list has become shorter since the button was made, or somebody typed a page that does not exist.
            last_page = (result.total - 1) // result.page_size * result.page_size
            return await self._run(bound, rest, replace(context, offset=last_page), redirected=redirected)
        if isinstance(result, View):
            # What follows must lead to nothing that the asker does not see: not to the customer of an order either.
            self._remember(command.name, rest, cut(result, grant.fields), context)
            return PreparedAnswer(
                result, command.name, QuestionOutcome.ANSWERED, grant, verdict.rule, decides=command.writes
            )
        if redirected:
            return self._failure(RuntimeError(f"{command.name} redirects in a circle"), command, context, grant)
        return await self._answer(replace(context, line=result.line, offset=result.offset), redirected=True)

    def _remember(self, command: str, rest: str, view: View, context: QuestionContext) -> None:
        if self._dialogues is None or not view.leads_on:
            return
        rows = _lines_behind(view.row_buttons()) if isinstance(view, ListView) else ()
        links = _lines_behind(view.buttons()) if isinstance(view, DocumentView) or not rows else ()
        self._dialogues.remember(context, f"/{command} {rest}".strip(), rows, links)

    def _hub_for(self, context: QuestionContext, policy: AccessPolicy, granted: Grant) -> ErpHub:
        assert self._hub is not None, "commands that need the ERPs were bound to them"
        return self._hub.of(context, policy, granted)

    async def _without_command(
        self, parsed: ParsedLine, context: QuestionContext, *, redirected: bool
    ) -> PreparedAnswer:
        """Look up a bare code or name, ask the model, or suggest the command that was misspelt."""
        text = f"{parsed.word} {parsed.rest}".strip() if parsed.slashed else parsed.rest
        policy, person = self._policy(), context.person
        usable = self._commands.usable(policy, context)
        alike = tuple(command for command in self._commands.similar(parsed.word) if command in usable)
        misspelt = alike and (parsed.slashed or " " in text)
        answer = None
        if FIND in self._bound and not misspelt and len(text) <= _MAX_BARE_LINE:
            answer = await self._run(self._bound[FIND], text, context, redirected=redirected)
            if answer.outcome in {QuestionOutcome.ANSWERED, QuestionOutcome.ERP_DOWN, QuestionOutcome.FAILED}:
                return answer
        if not (parsed.slashed or redirected) and (reading := await self._ask_model(context)):
            return await self._answer_reading(reading, context)
        # Text with a digit was meant as a number, not as a command.
        number = not parsed.slashed and any(map(str.isdigit, text))
        if number and answer and answer.outcome is QuestionOutcome.NOT_FOUND:
            return answer
        names = {command.name for command in usable}
        examples = first_questions(policy.roles_of(person), person.department_names, names)
        if examples and not (parsed.slashed or alike):
            unread = NotUnderstoodNotice(typed=shortened(text), suggestions=examples)
            return PreparedAnswer(unread, NO_COMMAND_LABEL, QuestionOutcome.UNKNOWN_COMMAND)
        rest = text.removeprefix(parsed.word).strip()
        fits = len(rest.encode()) <= MAX_LINE_BYTES
        picks = tuple(Suggestion(f"/{command.name} {rest}".strip()) for command in alike) if fits else ()
        example = next((example for command in usable for example in command.examples), "")
        view = UnknownCommandNotice(typed=shortened(parsed.word), suggestions=picks, example=example)
        return PreparedAnswer(view, NO_COMMAND_LABEL, QuestionOutcome.UNKNOWN_COMMAND)

    def _failure(
        self, error: Exception, command: AnyCommand, context: QuestionContext, grant: Grant = NO_GRANT
    ) -> PreparedAnswer:
        view, outcome = self._notice(error, command, context)
        rule = error.verdict.rule if isinstance(error, Denied) else ""
        guessed = self._guessed(error, command, context)
        return PreparedAnswer(view, command.name, outcome, grant, rule, decides=command.writes, guessed=guessed)

    def _guessed(self, error: Exception, command: AnyCommand, context: QuestionContext) -> str:
        """Return the number that was not found, if the rules may be why; empty for anything else."""
        if not isinstance(error, NotFound) or not is_code(error.what):
            return ""
        hidden = not self._policy().sees_all(context.person, command.name, context.conversation.id)
        return error.what if hidden else ""

    def _notice(self, error: Exception, command: AnyCommand, context: QuestionContext) -> tuple[View, QuestionOutcome]:
        examples = command.examples_in(context.person.language)
        example = next(iter(examples), "")
        match error:
            case BadArgument():
                usage = command.usage
                bad = BadArgumentNotice(problem=error.problem, usage=usage, examples=examples, missing=error.missing)
                return bad, QuestionOutcome.BAD_ARGUMENT
            case NotFound():
                closest = error.closest if isinstance(error, NothingFound) else ()
                notes = error.notes if isinstance(error, NothingFound) else ()
                hints = hint_arguments(command.name, command.signature, self._commands.parse(context.line).rest)
                nothing = NotFoundNotice(
                    what=error.what,
                    closest=(*hints.lines, *closest),
                    example=example,
                    notes=notes or hints.notes,
                )
                return nothing, QuestionOutcome.NOT_FOUND
            case Denied():
                denied = DeniedNotice(reason=error.verdict.reason, ask=error.verdict.ask)
                return denied, QuestionOutcome.DENIED
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


def _class_told(reading: Reading, context: QuestionContext) -> FieldClass | None:
    """Return the class of the names that a line tells and the asker did not type; what was asked before may be one."""
    is_typed = reading.by is not ReadBy.CONTEXT and named_as_typed(reading, context.line) == reading
    return None if is_typed else FieldClass.PARTNER


def _names_partners(answer: PreparedAnswer) -> bool:
    """Return whether an answer that was found shows the asker names of partners: an empty list repeats what it was
    asked for.
    """
    view = cut(answer.view, answer.grant.fields)
    is_empty = isinstance(view, ListView) and not view.total
    return not is_empty and FieldClass.PARTNER in find_shown(view).classes


def _lines_behind(buttons: Sequence[Button]) -> tuple[str, ...]:
    asks = [button.does for button in buttons if isinstance(button.does, Ask)] if buttons else ()
    return tuple([ask.line for ask in asks if ask.line is not HIDDEN]) if asks else ()


def _hint(problem: Phrase) -> PreparedAnswer:
    return PreparedAnswer(HintNotice(problem=problem), NO_COMMAND_LABEL, QuestionOutcome.HINT)


def _lines_of(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the lines that look up what codes say, without those that are too long for a question."""
    lines = (command_line(FIND, normalise(code)) for code in codes if normalise(code))
    fitting = (line for line in lines if len(line.encode()) <= MAX_LINE_BYTES)
    return tuple(islice(dict.fromkeys(fitting), _MAX_CODES))


def _refuse(context: QuestionContext) -> PreparedAnswer:
    """Return the answer to somebody who is not known to be a member of the organisation."""
    doubt = context.person.doubt
    if doubt is None:
        return PreparedAnswer(ExternalNotice(), NO_COMMAND_LABEL, QuestionOutcome.DENIED)
    view = UnconfirmedNotice(needs=_NEEDS[doubt], line=context.line, offset=context.offset)
    silent = doubt is MembershipDoubt.NO_ANSWER
    return PreparedAnswer(view, NO_COMMAND_LABEL, QuestionOutcome.UNCONFIRMED, provisional=silent)


_ALWAYS_KNOWN = frozenset({QuestionContext, Commands, AccessPolicy, OpenPrompts, OwnDocuments})


def can_answer(command: AnyCommand, collaborators: Container[type]) -> bool:
    """Whether a dispatcher with these ``collaborators`` has all that ``command`` needs."""
    kinds = command.signature.collaborators.values()
    return all(kind in _ALWAYS_KNOWN or kind in collaborators for kind in kinds)


def _bind(command: AnyCommand, known: Mapping[type, object]) -> _BoundCommand:
    fixed: dict[str, object] = {}
    context: list[str] = []
    policy: list[str] = []
    hub: list[str] = []
    kept: dict[str, ReadModel] = {}
    for name, kind in command.signature.collaborators.items():
        if kind is QuestionContext:
            context.append(name)
        elif kind is AccessPolicy:
            policy.append(name)
        elif kind is ErpHub and kind in known:
            hub.append(name)
        elif isinstance(collaborator := known.get(kind), ReadModel):
            kept[name] = collaborator
        elif kind in known:
            fixed[name] = known[kind]
        else:
            raise ConfigurationError(f"command {command.name!r} needs a {kind.__name__} and there is none")
    return _BoundCommand(command, fixed, tuple(context), tuple(policy), tuple(hub), kept)
