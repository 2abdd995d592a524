"""Dispatches questions: line → command → access → arguments → view."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from bot.access.areas import OF_PARTNERS
from bot.access.audit import NotRecorded, RequiredAudit
from bot.access.grants import NO_GRANT, Grant
from bot.access.policy import AccessPolicy, Denied
from bot.access.shown import find_shown
from bot.cards.actions import Ask
from bot.cards.notices import (
    ChoiceNotice,
    NotFoundNotice,
    NotUnderstoodNotice,
    UnknownCommandNotice,
)
from bot.cards.view import Button, ListView, View, lead_on
from bot.chat.arguments import shortened
from bot.chat.context import QuestionContext
from bot.chat.document_views import DocumentView
from bot.chat.errors import BadArgument
from bot.chat.links import sources_of, unanswered
from bot.chat.message import ConversationKind, Message, Picture
from bot.chat.parsing import MAX_LINE_BYTES, ParsedLine, command_line, normalise
from bot.chat.question_handler import NO_DOCUMENTS, PreparedAnswer
from bot.chat.questions.bound_commands import BoundCommand, bind_command
from bot.chat.questions.choices import name_choices
from bot.chat.questions.dialogues import Dialogues
from bot.chat.questions.failures import (
    NO_COMMAND_LABEL,
    Failures,
    QuestionOutcome,
    choose_books,
    hint_answer,
    make_hint,
    refuse,
)
from bot.chat.questions.first_questions import first_questions
from bot.chat.questions.pictures import CODE_TOO_LONG, NO_CODE, TOO_SLOW, PictureReader, PictureUnreadable
from bot.chat.questions.prompts import OpenPrompts, may_be_reply
from bot.chat.questions.quoting import line_about, numbers_in, takes_number
from bot.chat.questions.reading import (
    NameSpelling,
    ReadBy,
    Reading,
    SentenceModel,
    SentenceReader,
    named_as_typed,
    of_work,
    settle,
    without_knowledge,
)
from bot.chat.questions.work import kept_on_time, work_of
from bot.chat.records.own_documents import OwnDocuments
from bot.chat.records.reader_hub import AccountOf, ReaderHub, no_account
from bot.chat.registry import Commands
from bot.erp.books import InSeveralBooks
from bot.erp.errors import Unavailable
from bot.erp.hub import ErpHub
from bot.mechanisms.time_limit import TimeLimit
from bot.mechanisms.tracing import TracedLine, add_line, reference_now
from bot.outbox.spending import Purpose, spending
from bot.words.disclosure import HIDDEN, FieldClass, cut
from bot.words.phrase import phrase

HELP = "help"
FIND = "find"
"""The command for lines without a command: a bare SKU, number or name."""

_MAX_CODES = 6
"""Codes per picture to choose among: a shelf may hold dozens."""

_MAX_BARE_LINE = 40
"""Characters of a line without a command that is still looked up in the ERP: longer ones are small talk."""

_NAMES = replace(NO_GRANT, fields=frozenset({FieldClass.PARTNER}))
"""The visibility of a choice among names, which is offered only to people who may see them."""


NamedLine = Callable[[AccessPolicy, QuestionContext], str | None]
"""Returns the line of the company's own question that somebody named in place of a command, if any."""


def no_named_line(_policy: AccessPolicy, _context: QuestionContext) -> None:
    """Return no line: there are no questions of the company's own."""


class QuestionDispatcher:
    """Answers lines. ``collaborators`` maps a type to the object injected for parameters of that type.

    `QuestionContext`, `Commands`, `AccessPolicy` and `OpenPrompts` need not be among them. ``policy`` returns the one
    in force, which may change while the bot runs. ``seconds`` is the time limit of one answer; ``reference`` creates
    the short number of a failure in the log.
    """

    def __init__(
        self,
        *,
        commands: Commands,
        policy: Callable[[], AccessPolicy],
        collaborators: Mapping[type, object],
        seconds: float,
        reference: Callable[[], str] = reference_now,
        failures: type[Failures] = Failures,
        account_of: AccountOf = no_account,
        reader: SentenceReader | None = None,
        dialogues: Dialogues | None = None,
        pictures: PictureReader | None = None,
        model: SentenceModel | None = None,
        spelling: NameSpelling | None = None,
        named: NamedLine = no_named_line,
        only_asks: bool = False,
        required_audit: RequiredAudit | None = None,
        prompts: OpenPrompts | None = None,
    ) -> None:
        """``account_of`` finds the asker's own documents; ``reader`` reads sentences: without it only commands, numbers
        and names are understood; ``dialogues`` stores last questions; ``pictures`` finds codes in pictures; ``model``
        is asked when all of these find nothing, or two likely readings. ``spelling`` resolves abbreviated names in
        lines from others, such as /export; ``reader`` does so in typed ones. ``named`` finds the line of a question of
        the company's own. With ``only_asks`` no line changes anything: nobody types or presses these lines. With
        ``required_audit`` none does either while that log cannot be written.

        Raises `ConfigurationError` if a command needs a missing collaborator.
        """
        self._commands = commands
        self._policy = policy
        self._limit = TimeLimit(seconds)
        self._failures = failures(commands, policy, reference)
        self._reader = reader
        self._dialogues = dialogues
        self._model = model
        self._spelling = spelling
        self._named = named
        self._only_asks = only_asks
        self._required_audit = required_audit
        self._prompts = prompts or OpenPrompts()
        hub = collaborators.get(ErpHub)
        self._hub = ReaderHub(hub, account_of) if isinstance(hub, ErpHub) else None
        self._untold = unanswered(hub) if isinstance(hub, ErpHub) else frozenset()
        own = OwnDocuments(account_of)
        known = {**collaborators, Commands: commands, OpenPrompts: self._prompts, OwnDocuments: own}
        self._bound = {name: bind_command(command, known) for name, command in commands.items()}
        self._pictures = pictures if FIND in self._bound else None

    def hint_for(self, message: Message) -> PreparedAnswer | None:
        """Return the answer to a message that cannot hold a question; None when it can."""
        hint = make_hint(message, reads_pictures=self._pictures is not None)
        return PreparedAnswer(hint, NO_COMMAND_LABEL, QuestionOutcome.HINT) if hint else None

    async def forget_prompt(self, user_id: str) -> None:
        """Treat a person's next message as a new question."""
        await self._prompts.forget(user_id)

    async def view_for(self, context: QuestionContext) -> PreparedAnswer:
        """Answer a line as typed, or from a button. Raises nothing but cancellation."""
        answer = await self._view_for(context)
        add_line(
            TracedLine(context.now, context.line, answer.read_as or "", answer.command, answer.outcome, answer.rule)
        )
        return answer

    async def _view_for(self, context: QuestionContext) -> PreparedAnswer:
        if context.person.is_external:
            return refuse(context)
        if self._only_asks:
            context = replace(context, only_asks=True)
        first = context.line.partition(" ")[0]
        if self._commands.named(first) is None and (line := self._named(self._policy(), context)) is not None:
            context = replace(context, line=line)
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
            return hint_answer(error.problem)
        except Exception as error:  # noqa: BLE001 - as in `_run`
            return (
                hint_answer(TOO_SLOW)
                if limit.expired
                else self._failures.answer(error, self._bound[FIND].command, context)
            )
        lines = _lines_of(codes)
        if not lines:
            return hint_answer(CODE_TOO_LONG if codes else NO_CODE)
        if len(lines) > 1:
            choice = ChoiceNotice(suggestions=name_choices(lines, self._commands))
            return PreparedAnswer(choice, NO_COMMAND_LABEL, QuestionOutcome.HINT)
        # The question continues as typed text that only searches: a printed code must not give orders to the bot.
        asking = replace(context, line=lines[0], picture=None, only_asks=True)
        answer = await self._answer(asking, redirected=False)
        return replace(answer, read_as=lines[0])

    async def _answer(self, context: QuestionContext, *, redirected: bool, is_reading: bool = False) -> PreparedAnswer:
        """Answer a line; ``redirected``: a command returned it as its answer, and ``is_reading``: it is the reading of
        a sentence.
        """
        parsed = self._commands.parse(context.line)
        if (
            not (redirected or is_reading)
            and may_be_reply(parsed, context.line)
            and (line := await self._prompts.take(context))
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
                parsed = self._without_action(parsed, context.line)
        name = parsed.command or (HELP if HELP in self._bound and not parsed.word else None)
        if name is None:
            return await self._without_command(parsed, context, redirected=redirected or is_reading)
        if len(parsed.rest.encode()) > MAX_LINE_BYTES:
            problem = BadArgument(phrase("That is too long for one question."))
            return self._failures.answer(problem, self._bound[name].command, context)
        answer = await self._run(self._bound[name], parsed.rest, context, redirected=redirected)
        # A line from a button is answered as it stands.
        spelling = self._spelling or (None if context.clicked else self._reader)
        if answer.outcome is QuestionOutcome.NOT_FOUND and spelling:
            return await self._answer_spelled(spelling.spell_out(f"/{name} {parsed.rest}"), context) or answer
        return answer

    async def _answer_spelled(self, lines: Sequence[str], context: QuestionContext) -> PreparedAnswer | None:
        """Answer the line with the resolved name, or offer those lines for which this person finds anything.

        Each is tried first: a button must not show a name hidden from the asker.
        """
        found: dict[str, PreparedAnswer] = {}
        for line in lines:
            parsed = self._commands.parse(line)
            assert parsed.command is not None, "a line is spelled out with its command"
            bound, asking = self._bound[parsed.command], replace(context, line=line, offset=0, only_asks=True)
            answer = await self._run(bound, parsed.rest, asking, redirected=False)
            if answer.outcome is QuestionOutcome.ANSWERED and (
                self._may_name_partners(line, context) or _names_partners(answer)
            ):
                found[line] = answer
        if not found:
            return None
        if len(found) > 1:
            choice = ChoiceNotice(suggestions=name_choices(found, self._commands), tells=FieldClass.PARTNER)
            return PreparedAnswer(choice, NO_COMMAND_LABEL, QuestionOutcome.HINT, _NAMES)
        ((line, answer),) = found.items()
        return replace(answer, read_as=line)

    async def _answer_quoting(self, parsed: ParsedLine, context: QuestionContext) -> PreparedAnswer:
        """Answer a line that replies to a card or message: a lone word refers to the document quoted."""
        alone = replace(context, quoted_text="", quotes_bot=False)
        about = self._about_quoted(parsed, context)
        if about is None:
            return await self._answer(alone, redirected=False)
        answer = await self._answer(replace(alone, line=about), redirected=False)
        return answer if answer.decides else replace(answer, read_as=answer.read_as or about)

    def _about_quoted(self, parsed: ParsedLine, context: QuestionContext) -> str | None:
        """Return the line with the quoted document; None if it names one itself or asks for something else."""
        quoted = numbers_in(context.quoted_text)
        if not quoted or numbers_in(context.line):
            return None
        command = self._bound[parsed.command].command if parsed.command else None
        if command and not self._commands.rest_only_asks(command.name, parsed.rest):
            # A guess changes nothing: "agreed" to a colleague's message is not for the bot.
            sure = takes_number(command.examples) and context.quotes_bot and len(quoted) == 1
            return line_about(command.name, quoted[0], parsed.rest) if sure else None
        if self._reader and not parsed.slashed and (sentence := self._sentence_about(self._reader, quoted[0], context)):
            return sentence
        plain = not parsed.rest or parsed.rest.startswith("@")
        if command is None or not plain or not takes_number(command.examples):
            return None
        return line_about(command.name, quoted[0], parsed.rest)

    def _sentence_about(self, reader: SentenceReader, number: str, context: QuestionContext) -> str | None:
        """Return the sentence with the quoted number in front, if it can be about it."""
        alone, sentence = reader.read(context.line), f"{number} {context.line}"
        asked = self._commands.parse(alone.line).command if alone else None
        if asked and not takes_number(self._commands[asked].examples):
            return None
        reading = reader.read(sentence)
        cues = [part.text for part in reading.understood if part.kind == "cue"] if reading else []
        return sentence if any(cue and cue in context.line for cue in cues) else None

    def _read(self, reader: SentenceReader, context: QuestionContext) -> Reading | None:
        """Return the reading of a sentence; None for a typed command, and for one not understood."""
        last = self._dialogues.last(context) if self._dialogues else None
        # Among all commands: an asker without the right to the one meant is told so, and not shown another.
        reading = reader.read(context.line, None, last)
        if reading is None or reading.by is ReadBy.COMMAND:
            return None
        if not self._may_name_partners(reading.line, context):
            reading = without_knowledge(named_as_typed(reading, context.line))
        asked = any(part.kind == "cue" for part in reading.understood)
        return reading if asked or self._may_use(reading.line, context) else None

    def _may_name_partners(self, line: str, context: QuestionContext) -> bool:
        """Return whether the asker sees all customers and vendors on the documents of a line's command.

        If its documents have none, such as stock, a name reveals even more: then they must see all.
        """
        name, policy = self._commands.parse(line).command or "", self._policy()
        of_line = self._commands[name].shows if name else ()
        shown = OF_PARTNERS.intersection(of_line) or OF_PARTNERS
        verdicts = [policy.decide_area(context.person, each, context.conversation.id) for each in shown]
        return all(FieldClass.PARTNER in verdict.grant.fields for verdict in verdicts)

    def _may_use(self, line: str, context: QuestionContext) -> bool:
        """Return whether the asker may use a line's command: a bare number of a closed kind is not found."""
        name = self._commands.parse(line).command
        return name is not None and name not in self._commands.closed(self._policy(), context)

    async def _answer_reading(self, reading: Reading, context: QuestionContext) -> PreparedAnswer:
        if reading.by_work:
            reading = self._of_work(reading, context)
        elif reading.unsure and not reading.unsupported:  # a model would also leave out what no line expresses
            reading = await self._settle(reading, context)
        if reading.unsure:
            picks = name_choices((reading.line, *reading.alternatives), self._commands)
            choice = ChoiceNotice(suggestions=picks, gap=reading.unsupported, tells=_class_told(reading, context))
            return replace(
                PreparedAnswer(choice, NO_COMMAND_LABEL, QuestionOutcome.HINT, _NAMES),
                unknown=reading.unknown,
                unheld=reading.unheld,
            )
        asking = replace(context, line=reading.line, only_asks=True)
        inherited = reading.inherited(self._dialogues.last(context) if self._dialogues else None)
        answer = await self._answer(asking, redirected=False, is_reading=True)
        if isinstance(answer.view, NotFoundNotice) and (tells := _class_told(reading, context)):
            grant = replace(answer.grant, fields=answer.grant.fields | {tells})
            answer = replace(answer, view=replace(answer.view, tells=tells), grant=grant)
        return replace(
            answer,
            view=replace(answer.view, inherited=inherited),
            read_as=answer.read_as or reading.line,
            by_model=reading.by is ReadBy.MODEL,
            change=reading.change,
            wants_erp=reading.wants_erp,
            unknown=reading.unknown,
            unheld=reading.unheld,
        )

    def _of_work(self, reading: Reading, context: QuestionContext) -> Reading:
        """Return a reading with the lines that fit the asker's work."""
        policy, person = self._policy(), context.person
        own = kept_on_time(work_of(policy.roles_of(person), person.department_names))
        usable = {command.name for command in self._commands.usable(policy, context)}
        return of_work(reading, self._commands, own, usable)

    async def _settle(self, reading: Reading, context: QuestionContext) -> Reading:
        """Return the one of several likely readings that the model confirms, otherwise all of them."""
        asked = await self._ask_model(context)
        return settle(reading, asked, self._commands) if asked else reading

    async def _ask_model(self, context: QuestionContext) -> Reading | None:
        """Return the model's reading of a typed sentence, with the commands that the asker may use here."""
        if self._model is None or context.clicked:
            return None
        usable = frozenset(command.name for command in self._commands.usable(self._policy(), context))
        reading = await self._model.read(context.line, context.conversation.id, usable)
        return reading if reading and self._commands.only_asks(reading.line) else None

    def _without_action(self, parsed: ParsedLine, line: str) -> ParsedLine:
        """Return a sentence without the command that it names if its line changes something: only typed commands do."""
        if parsed.command is None or self._commands.rest_only_asks(parsed.command, parsed.rest):
            return parsed
        return ParsedLine(None, normalise(line), parsed.word)

    async def _run(
        self, bound: BoundCommand, rest: str, context: QuestionContext, *, redirected: bool
    ) -> PreparedAnswer:
        command = bound.command
        limit, grant, reach = self._limit.running(), NO_GRANT, NO_DOCUMENTS
        try:
            policy = self._policy()
            verdict = policy.decide(context.person, command.request(context.conversation))
            if not verdict.allowed:
                raise Denied(verdict)
            grant, asks = verdict.grant, self._commands.rest_only_asks(command.name, rest)
            reach = command.reach(policy, context, grant.scopes)
            if context.only_asks and not asks:
                raise BadArgument(phrase("Only you can do that: send the line yourself, %(line)s", line=context.line))
            with limit:
                if not (asks or self._required_audit is None or await self._required_audit.can_write()):
                    raise NotRecorded
                result = await bound.call(rest, context, policy, lambda: self._hub_for(context, policy, verdict.grant))
        except Exception as error:  # noqa: BLE001 - only here a defect becomes a card; `Failures` logs it
            cause = Unavailable(f"no answer in {self._limit.seconds:g} s") if limit.expired else error
            failed = (
                choose_books(cause, f"/{command.name} {rest}".rstrip(), command, grant)
                if isinstance(cause, InSeveralBooks)
                else self._failures.answer(cause, command, context, grant)
            )
            return replace(failed, reach=reach)
        if isinstance(result, ListView) and not result.rows and 0 < result.total <= context.offset:
            # The list has become shorter since the button was created, or somebody typed a nonexistent page.
            last_page = (result.total - 1) // result.page_size * result.page_size
            return await self._run(bound, rest, replace(context, offset=last_page), redirected=redirected)
        if isinstance(result, View):
            closed = self._commands.closed(policy, context)
            result = replace(result, closed=closed, told_by=sources_of(result), untold=self._untold)
            # The next question must not lead to anything hidden from the asker, such as the customer of an order.
            self._remember(command.name, rest, cut(result, grant.fields), context)
            if result.shows_also:
                reach = command.reach(policy, context, grant.scopes, result.shows_also)
            if not result.tells_documents:
                reach = NO_DOCUMENTS
            general = command.signature.general_words(rest)
            return PreparedAnswer(
                result,
                command.name,
                QuestionOutcome.ANSWERED,
                grant,
                verdict.rule,
                reach=reach,
                general="" if general is None else command_line(command.name, *general),
                decides=command.writes,
                changes=not asks,
            )
        if redirected:
            return self._failures.answer(RuntimeError(f"{command.name} redirects in a circle"), command, context, grant)
        leading_on = replace(context, line=result.line, offset=result.offset, only_asks=context.only_asks or asks)
        answer = await self._answer(leading_on, redirected=True)
        instead = not (asks or answer.changes)
        return replace(answer, view=replace(answer.view, instead=True)) if instead else answer

    def _remember(self, command: str, rest: str, view: View, context: QuestionContext) -> None:
        if self._dialogues is None or not view.leads_on:
            return
        rows = _lines_behind(lead_on(view, view.row_buttons())) if isinstance(view, ListView) else ()
        links = _lines_behind(lead_on(view, view.buttons())) if isinstance(view, DocumentView) or not rows else ()
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
        similar = self._commands.similar(parsed.word, slashed=parsed.slashed)
        alike = tuple(command for command in similar if command in usable)
        misspelt = alike and (parsed.slashed or " " in text)
        answer = None
        if FIND in self._bound and not misspelt and len(text) <= _MAX_BARE_LINE:
            answer = await self._run(self._bound[FIND], text, context, redirected=redirected)
            if answer.outcome in {QuestionOutcome.ANSWERED, QuestionOutcome.ERP_DOWN, QuestionOutcome.FAILED}:
                return answer
        if not (parsed.slashed or redirected) and (reading := await self._ask_model(context)):
            return await self._answer_reading(reading, context)
        # Text with a digit is meant as a number, not as a command.
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
        lines = [f"/{command.name} {rest}".strip() for command in alike] if fits else []
        picks = name_choices(lines, self._commands)
        example = next((example for command in usable for example in command.examples), "")
        view = UnknownCommandNotice(typed=shortened(parsed.word), suggestions=picks, example=example)
        return PreparedAnswer(view, NO_COMMAND_LABEL, QuestionOutcome.UNKNOWN_COMMAND)


def _class_told(reading: Reading, context: QuestionContext) -> FieldClass | None:
    """Return the class of names in a line that the asker did not type; the previous question may contain one."""
    is_typed = reading.by is not ReadBy.CONTEXT and named_as_typed(reading, context.line) == reading
    return None if is_typed else FieldClass.PARTNER


def _names_partners(answer: PreparedAnswer) -> bool:
    """Return whether a found answer shows partners' names to the asker: an empty list repeats the question."""
    view = cut(answer.view, answer.grant.fields)
    is_empty = isinstance(view, ListView) and not view.total
    return not is_empty and FieldClass.PARTNER in find_shown(view).classes


def _lines_behind(buttons: Sequence[Button]) -> tuple[str, ...]:
    asks = [button.does for button in buttons if isinstance(button.does, Ask)] if buttons else ()
    return tuple([ask.line for ask in asks if ask.line is not HIDDEN]) if asks else ()


def _lines_of(codes: Iterable[str]) -> tuple[str, ...]:
    """Return the lines that look up code contents, without those too long for a question."""
    lines = (command_line(FIND, normalise(code)) for code in codes if normalise(code))
    fitting = (line for line in lines if len(line.encode()) <= MAX_LINE_BYTES)
    return tuple(islice(dict.fromkeys(fitting), _MAX_CODES))
