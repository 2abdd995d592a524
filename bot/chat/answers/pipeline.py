"""From a message to its answer: store → acknowledge → find → wait for its turn → send. Once per question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import structlog
from prometheus_client import Counter

from bot.access.audit import AuditEntry, AuditKind
from bot.access.people import Person
from bot.cards.card import Card
from bot.cards.notices import ChoiceNotice, ErpDownNotice, FailedNotice, InterimNotice
from bot.cards.view import View
from bot.chat.answers.interim_cards import NO_INTERIM, InterimCards, InterimTiming
from bot.chat.answers.pipeline_parts import PipelineParts
from bot.chat.answers.ports import (
    AnswerCards,
    AnswerChannel,
    AnswerUnconfirmed,
    AnswerVia,
    Inbox,
    InboxMessage,
    InboxState,
    SentAnswer,
    TextUnconfirmed,
)
from bot.chat.answers.scheduling import ConversationQueue, LoopPacer, QueueTicket
from bot.chat.answers.standing_answers import CardReaders, StandingAnswer
from bot.chat.answers.unstored import UnstoredQuestions
from bot.chat.answers.welcome import Welcomes
from bot.chat.audiences import Audiences
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind, Message
from bot.chat.present_rights import NotedRights, PresentRights
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.failures import QuestionOutcome
from bot.mechanisms.backoff import BackoffPolicy
from bot.mechanisms.tracing import ANSWER, CARD, Trace, current_trace, reference_now, step, tracing
from bot.words.disclosure import cut
from bot.words.errors import DingerpError
from bot.words.phrase import phrase

log = structlog.get_logger(__name__)

MAX_QUESTION_AGE = timedelta(minutes=2)
"""Older questions are not retried, not even after a crash: nobody is waiting for them any more."""

MAX_INTERIM_AGE = timedelta(minutes=30)
"""How long the bot keeps trying to turn an interim card into its answer."""

MAX_RETRY_PAUSE = 10.0
"""Longest pause in seconds between two attempts to send one answer."""


TEXT_REPEATS = 2
"""How often a fallback text that may have arrived is sent again: silence is worse than a duplicate."""


AcknowledgeQuestion: TypeAlias = Callable[[DingerpError | None], None]
"""Acknowledges a stored question, or gives the error: then it gets no acknowledgement."""


@dataclass(frozen=True, slots=True)
class _SentCard:
    """A card of an answer: its id, its readers, and whether it was another card at first."""

    track_id: str
    readers: CardReaders
    stands: bool = False

    def made_as(self, cards: AnswerCards) -> str:
        """Return the card's name at its creation."""
        if self.stands:
            return InterimNotice.card
        return (cards.own if self.readers is CardReaders.ASKER else cards.shared).name


class QuestionPipeline:
    """Answers every accepted message exactly once, in order per conversation, many at a time."""

    def __init__(
        self,
        parts: PipelineParts,
        *,
        inbox: Inbox,
        channel: AnswerChannel,
        audiences: Audiences,
        rights: PresentRights,
        at_once: int,
        pause: float = 1.0,
        welcomes: Welcomes | None = None,
        arrived: Callable[[Message], None] = lambda message: None,
        interim: InterimTiming = NO_INTERIM,
    ) -> None:
        """``pause`` is in seconds before an answer is sent again; each further pause is twice as long.

        ``interim`` decides when a card announces a longer wait, and later becomes the answer. ``welcomes`` return the
        welcome in a conversation's first answer; ``arrived`` is called for every message once. ``rights`` are checked
        again when an answer is sent.
        """
        self._parts = parts
        self._inbox = inbox
        self._channel = channel
        self._audiences = audiences
        self._rights = rights
        zone = parts.now().tzinfo
        assert zone is not None, "the clock gives aware times"
        self._zone = zone
        self._backoff = BackoffPolicy(first=pause, longest=MAX_RETRY_PAUSE)
        self._arrived = arrived
        self._slots = asyncio.Semaphore(at_once)
        self._turns = LoopPacer()
        self._queue = ConversationQueue()
        self._running: set[asyncio.Task[None]] = set()
        self._welcomes = welcomes
        self._unstored = UnstoredQuestions(self._explain)
        self._interim = InterimCards(
            inbox=inbox,
            channel=channel,
            draw=lambda message: parts.renderer.render(
                InterimNotice(), parts.people.language(message.sender.staff_id), zone=zone, trail=()
            ),
            tracks=parts.tracks,
            seconds=interim.seconds,
            shown=parts.metrics.interim,
            affordable=lambda: len(self._running) <= interim.most and interim.affordable(),
        )
        self._drained = False
        parts.metrics.waiting.set_function(lambda: len(self._running))
        self._questions: dict[tuple[str, str], Counter] = {}
        self._sent = {via: parts.metrics.sent.labels(via) for via in AnswerVia}

    def accept(self, message: Message, payload: str, acknowledge: AcknowledgeQuestion) -> None:
        """Acknowledge the question once it is stored in the inbox, then answer it.

        A known question is only acknowledged, and so is one to the bot of another organisation. If it cannot be stored,
        ``acknowledge`` gets the error instead, and the question is kept in memory until it can be.
        """
        if not self._parts.organisation.admits(message.organisation):
            self._parts.metrics.questions.labels("none", "foreign_organisation").inc()
            log.warning("question.foreign_organisation", corp_id=message.organisation)
            self._record_foreign(message)
            acknowledge(None)
            return
        started, received_at = time.monotonic(), self._parts.now()
        # The ticket is taken before the commit, so that questions keep the order of their frames.
        ticket = self._queue.take_ticket(message.conversation.id)

        def stored(new: bool | DingerpError) -> None:
            if isinstance(new, DingerpError):
                ticket.release()
                acknowledge(new)
                self._unstored.add(message, new, partial(self.accept, message, payload, _acknowledge_nothing))
                return
            acknowledge(None)
            self._unstored.discard(message.msg_id)
            if new:
                self._arrived(message)
            if new and not self._drained:
                self._begin(message, ticket, started, received_at)
            else:
                ticket.release()

        self._inbox.accept(
            InboxMessage(message.msg_id, payload, received_at, conversation=message.conversation.id), stored
        )

    def _record_foreign(self, message: Message) -> None:
        # In another organisation the same userId is another person.
        entry = AuditEntry(
            kind=AuditKind.REFUSAL,
            at=self._parts.now(),
            actor=f"{message.sender.staff_id or 'external'}@{message.organisation}",
            action="question",
            conversation=message.conversation.id,
            outcome="foreign_organisation",
        )
        self._parts.audit.record(entry)

    def flush(self) -> None:
        """Start storing the accepted questions: no more are coming at the moment."""
        self._inbox.flush()

    def resume(self, message: Message, received_at: datetime, *, interim: bool = False) -> None:
        """Answer a question that another process accepted, at ``received_at``.

        ``interim``: a card may exist that has to become the answer.
        """
        ticket = self._queue.take_ticket(message.conversation.id)
        self._begin(message, ticket, time.monotonic(), received_at, interim=interim)

    def give_up(self, messages: Sequence[Message]) -> None:
        """Tell the asker of these questions, oldest first and all in one conversation, that there was no answer.

        One card says so, with a button that asks the newest again.
        """
        *earlier, newest = messages
        for message in earlier:
            self._inbox.mark_soon(message.msg_id, InboxState.FAILED)
            self._count("", "given_up")
        ticket = self._queue.take_ticket(newest.conversation.id)
        self._begin(newest, ticket, time.monotonic(), self._parts.now(), late=len(messages))

    def _begin(
        self,
        message: Message,
        ticket: QueueTicket,
        started: float,
        received_at: datetime,
        *,
        interim: bool = False,
        late: int = 0,
    ) -> None:
        task = asyncio.create_task(self._work(message, ticket, started, received_at, interim=interim, late=late))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    @property
    def is_draining(self) -> bool:
        """Whether no more questions are started."""
        return self._drained

    async def drain(self, grace: float) -> int:
        """Start no more questions and wait up to ``grace`` seconds for those in progress.

        Returns how many are left for the next start.
        """
        self._drained = True
        self._unstored.close()
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        left = len(self._running)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        return left

    async def _explain(self, message: Message, error: DingerpError) -> None:
        """Tell the asker that the question could not be stored; it is answered once it is."""
        reference = reference_now()
        log.error("question.not_stored", reference=reference, error=type(error).__name__, detail=error.detail)
        notice = FailedNotice(problem=error.tell(), reference=reference)
        card = self._parts.renderer.render(
            notice, self._parts.people.language(message.sender.staff_id), zone=self._zone
        )
        track_id = self._parts.tracks.for_message(f"{message.msg_id} unstored")
        try:
            await self._channel.answer(message, AnswerCards(card), track_id=track_id, before_fallback=_note_nothing)
        except DingerpError as failure:
            log.error("answer.not_delivered", error=type(failure).__name__, detail=failure.detail, command="")
        self._count("", "not_stored")

    async def _work(
        self,
        message: Message,
        ticket: QueueTicket,
        started: float,
        received_at: datetime,
        *,
        interim: bool,
        late: int = 0,
    ) -> None:
        """Answer a question; ``late`` is the number of questions that are too old, 0 for one to be answered."""
        with tracing("question", self._parts.now(), self._parts.traced) as trace:
            await self._work_within(trace, message, ticket, started, received_at, interim=interim, late=late)

    async def _work_within(
        self,
        trace: Trace,
        message: Message,
        ticket: QueueTicket,
        started: float,
        received_at: datetime,
        *,
        interim: bool,
        late: int,
    ) -> None:
        waiting = None if interim or late else self._interim.watch(message, ticket)
        begun = trace.at
        try:
            async with self._slots:
                if late or (interim and self._parts.now() - received_at > MAX_QUESTION_AGE):
                    answer, cards, rights = self._tell_given_up(message, late)
                    trace.note(answer.command, answer.outcome, answer.rule)
                else:
                    answer, cards, rights = await self._find(message)
                interim = interim or (waiting is not None and await waiting.settle())
                if answer.is_told_already and not interim:
                    self._finish(message, answer)
                    return
                if not interim and await self._asks_by_form(message, answer, cards, ticket):
                    return
                # Before it can be clicked: a clicked card has to be known.
                await self._keep(message, answer.view, cards, interim=interim)
                # All cards of this turn of the loop are rendered before the first is sent: repeated work finds
                # its code and data in the processor's caches (5 to 10 % more answers, measured).
                await asyncio.sleep(0)
                await ticket.wait_turn()
                if not await self._inbox.wait_turn(message.msg_id):
                    log.warning("question.taken_over", msg_id=message.msg_id)
                    return
                await self._send(message, answer, cards, rights, started, received_at, begun, interim=interim)
        except Exception as error:
            # It is counted and logged with its traceback, and the question is answered after a restart.
            self._parts.metrics.errors.labels("chat", type(error).__name__).inc()
            trace.note(trace.command, QuestionOutcome.FAILED, trace.rule)
            log.error("question.defect", error=type(error).__name__, exc_info=error)
        finally:
            if waiting is not None:
                waiting.close()
            ticket.release()

    def _tell_given_up(self, message: Message, count: int) -> tuple[PreparedAnswer, AnswerCards, None]:
        """Return the card for a question, or ``count`` of them, too old to be answered without asking again."""
        problem = phrase("The bot was restarted before there was an answer.")
        if count > 1:
            problem = phrase(
                "The bot was restarted before it had answered your %(num)s questions here. The button asks the last "
                "one again.",
                num=count,
            )
        answer = PreparedAnswer(ErpDownNotice(problem=problem, line=message.text, away=True), "", "given_up")
        language = self._parts.people.language(message.sender.staff_id)
        return answer, self._draw(answer, message.conversation, language), None

    async def _find(self, message: Message) -> tuple[PreparedAnswer, AnswerCards, NotedRights]:
        # Without waiting for a turn: this is light, and if it waited for the rendering of others, all questions would
        # wait for the ERP at the same moment while the loop idles (measured with 256 in flight: a tenth of its time).
        await self._parts.organisation.save()
        person = await self._identify(message)
        self._note_outsider(message, person)
        context = self._asking(message, person)
        rights = self._rights.note(context)
        with step(ANSWER):
            answer = self._parts.handler.hint_for(message) or await self._parts.handler.view_for(context)
        if trace := current_trace():
            trace.note(answer.command, answer.outcome, answer.rule)
        # A question back leaves no room for further choices: the next answer welcomes.
        welcomes = None if person.is_external or answer.decides else self._welcomes
        asks_back = isinstance(answer.view, ChoiceNotice)
        if welcomes and not asks_back and (tries := await welcomes.tries_for(message.msg_id, context)):
            answer = replace(answer, tries=tries)
        await self._turns.wait()
        # The language is looked up again, because the answer may have changed it.
        return answer, self._draw(answer, message.conversation, self._parts.people.language(person.user_id)), rights

    def _note_outsider(self, message: Message, person: Person) -> None:
        if message.conversation.kind is not ConversationKind.GROUP:
            return
        outside = message.mentions and any(mention.staff_id is None for mention in message.mentions)
        if outside or person.is_outsider:
            self._parts.outsiders.note(message.conversation.id)

    def _draw(self, answer: PreparedAnswer, where: Conversation, language: str) -> AnswerCards:
        """Return the asker's card; if the group may not see all of it, the group's as well.

        The line that a sentence was read as may contain names hidden from the group.
        """
        own = cut(answer.view, answer.grant.fields)
        if where.kind is not ConversationKind.GROUP:
            return AnswerCards(self._render(language, own, answer))
        shared = self._audiences.share(own, answer, where.id)
        if shared.is_all:
            return AnswerCards(self._render(language, shared.view, answer))
        plain = replace(answer, read_as="", unknown=(), unheld=(*answer.unknown, *answer.unheld))
        return AnswerCards(self._render(language, own, answer), partial(self._render, language, shared.view, plain))

    def _render(self, language: str, view: View, answer: PreparedAnswer) -> Card:
        return self._parts.renderer.render(
            view,
            language,
            zone=self._zone,
            read_as=answer.reading,
            trail=(),
            tries=answer.tries,
            reference=self._parts.card_reference(),
        )

    async def _identify(self, message: Message) -> Person:
        """Return the sender. Their ids count only from inside the bot's own organisation."""
        sender, own = message.sender, self._parts.organisation
        ours = own.admits(message.organisation)
        inside = ours and own.is_own(sender.corp_id)
        user_id = sender.staff_id if inside or (ours and not sender.corp_id) else None
        return await self._parts.people.identify(
            user_id,
            name=sender.nick,
            is_admin=sender.is_admin,
            wrote_at=message.sent_at if inside and message.organisation else None,
        )

    def _asking(self, message: Message, person: Person) -> QuestionContext:
        return QuestionContext(
            person=person,
            conversation=message.conversation,
            line=message.text,
            now=self._parts.now(),
            picture=message.picture,
            quoted_text=message.quoted_text,
            quotes_bot=message.quotes_bot,
            mentions_others=bool(message.mentions),
        )

    async def _send(
        self,
        message: Message,
        answer: PreparedAnswer,
        cards: AnswerCards,
        rights: NotedRights | None,
        started: float,
        received_at: datetime,
        begun: datetime,
        *,
        interim: bool,
    ) -> None:
        outcome, state = answer.outcome, InboxState.ANSWERED
        until = self._parts.now() + MAX_INTERIM_AGE if interim else received_at + MAX_QUESTION_AGE
        try:
            answer, sent = await self._deliver(message, answer, cards, rights, until, interim=interim)
            outcome = answer.outcome
            self._sent[sent.via].inc()
            self._parts.metrics.answer_seconds.observe(time.monotonic() - started)
            await self._catch_up(message, answer.view, cards, begun, interim=interim)
        except DingerpError as error:
            # A card that still announces an answer is retried after the next start.
            outcome, state = "not_delivered", InboxState.INTERIM if interim else InboxState.FAILED
            self._parts.metrics.errors.labels("channel", type(error).__name__).inc()
            log.error("answer.not_delivered", error=type(error).__name__, detail=error.detail, command=answer.command)
        if trace := current_trace():
            trace.note(answer.command, outcome, answer.rule)
        self._inbox.mark_soon(message.msg_id, state)
        self._count(answer.command, outcome)

    async def _answer_anew(
        self, message: Message, cards: AnswerCards, before_fallback: Callable[[], Awaitable[None]]
    ) -> SentAnswer:
        [card] = self._sent_cards(message, cards, interim=False)
        return await self._channel.answer(message, cards, track_id=card.track_id, before_fallback=before_fallback)

    async def _replace_interim(
        self, message: Message, cards: AnswerCards, before_fallback: Callable[[], Awaitable[None]]
    ) -> SentAnswer:
        return await self._channel.replace_interim(
            message,
            cards,
            track_id=self._parts.tracks.for_interim(message.msg_id, message.only_reader),
            own_track_id=self._parts.tracks.for_message(message.msg_id, message.sender.staff_id or ""),
            before_fallback=before_fallback,
        )

    def _sent_cards(self, message: Message, cards: AnswerCards, *, interim: bool) -> tuple[_SentCard, ...]:
        """Return the cards of an answer: one, or beside an existing one the asker's own."""
        tracks, asker = self._parts.tracks, message.sender.staff_id or ""
        readers = self._channel.readers_of(message, cards, interim=interim)
        if not interim:
            holder = asker if readers is CardReaders.ASKER else ""
            return (_SentCard(tracks.for_message(message.msg_id, holder), readers),)
        stands = _SentCard(tracks.for_interim(message.msg_id, message.only_reader), readers, stands=True)
        if readers is not CardReaders.ALL or not asker or cards.is_shared:
            return (stands,)
        return stands, _SentCard(tracks.for_message(message.msg_id, asker), CardReaders.ASKER)

    async def _keep(self, message: Message, view: View, cards: AnswerCards, *, interim: bool) -> None:
        following, user_id = view.following(), message.sender.staff_id
        for card in self._sent_cards(message, cards, interim=interim):
            theirs = card.readers is not CardReaders.ALL
            self._parts.ways.begin(card.track_id, user_id or "" if theirs else "", cards.own.line)
            if self._parts.keeper is None or following is None or user_id is None:
                continue
            answer = StandingAnswer(
                track_id=card.track_id,
                conversation=message.conversation,
                user_id=user_id,
                line=following.again.line,
                first_row=following.again.offset,
                readers=card.readers,
                made_as=card.made_as(cards),
                at=self._parts.now(),
                documents=following.documents,
            )
            await self._parts.keeper.keep(answer)

    async def _catch_up(
        self, message: Message, view: View, cards: AnswerCards, begun: datetime, *, interim: bool
    ) -> None:
        """Redraw an answer if one of its documents has changed since work on it had ``begun``."""
        following = view.following()
        if self._parts.keeper is None or following is None:
            return
        for card in self._sent_cards(message, cards, interim=interim):
            await self._parts.keeper.sent(card.track_id, following, begun, self._parts.now())

    async def _asks_by_form(
        self, message: Message, answer: PreparedAnswer, cards: AnswerCards, ticket: QueueTicket
    ) -> bool:
        """Ask for missing input by a form in place of a card, if possible; return whether it was shown."""
        if cards.own.form is None:
            return False
        await ticket.wait_turn()
        person, where = message.sender.staff_id, message.conversation
        shown = await self._parts.forms.show(cards.own.form, user_id=person, where=where, key=message.msg_id)
        if shown:
            self._sent[AnswerVia.FORM].inc()
            self._finish(message, answer)
        return shown

    def _finish(self, message: Message, answer: PreparedAnswer) -> None:
        """Record that a question needs no card."""
        self._inbox.mark_soon(message.msg_id, InboxState.ANSWERED)
        self._count(answer.command, answer.outcome)

    def _count(self, command: str, outcome: str) -> None:
        counter = self._questions.get((command, outcome))
        if counter is None:
            counter = self._questions[command, outcome] = self._parts.metrics.questions.labels(command, outcome)
        counter.inc()

    async def _deliver(
        self,
        message: Message,
        answer: PreparedAnswer,
        cards: AnswerCards,
        rights: NotedRights | None,
        until: datetime,
        *,
        interim: bool,
    ) -> tuple[PreparedAnswer, SentAnswer]:
        """Send the answer, with retries while they may help and ``until`` has not come.

        Returns what was sent: a provisional answer may have been replaced, and so is one whose asker lost the right to
        it meanwhile. A text that may have arrived is retried a few times, and then the card is used instead, unless it
        announces a decision.
        """
        text_repeats = 0 if answer.decides else TEXT_REPEATS
        send = partial(self._replace_interim, message) if interim else partial(self._answer_anew, message)
        doubt: AnswerUnconfirmed | None = None
        unconfirmed: TextUnconfirmed | None = None
        noted = False
        failures = 0

        async def before_fallback() -> None:
            nonlocal noted
            if text_repeats < 0 and unconfirmed is not None:
                raise unconfirmed  # enough texts may have been sent: only the card is retried
            if doubt is not None:
                raise doubt  # an earlier card may have arrived: a text could be a second answer
            noted = True
            await self._inbox.mark(message.msg_id, InboxState.FALLING_BACK)

        while True:
            if rights and (lost := await self._rights.find_loss(rights, answer.command)):
                language = self._parts.people.language(message.sender.staff_id)
                answer, cards, rights = lost, self._draw(lost, message.conversation, language), None
            try:
                with step(CARD):
                    sent = await send(cards, before_fallback)
                return answer, sent
            except DingerpError as error:
                failures += 1
                wait = max(self._backoff.pause(failures), error.retry_after or 0.0)
                again = error.retry
                if isinstance(error, TextUnconfirmed):
                    again, text_repeats, unconfirmed = not answer.decides, text_repeats - 1, error
                    noted = False  # it may exist: after a crash it is not sent again
                if not again or self._parts.now() + timedelta(seconds=wait) > until:
                    raise
                if isinstance(error, AnswerUnconfirmed):
                    doubt = error
                log.info("answer.tried_again", error=type(error).__name__, detail=error.detail, seconds=wait)
            if noted:  # but nothing was sent: after a crash it may be retried
                noted = False
                self._inbox.mark_soon(message.msg_id, InboxState.INTERIM if interim else InboxState.WAITING)
            await asyncio.sleep(wait)
            if answer.provisional and doubt is None:
                answer, cards, rights = await self._find(message)


def _acknowledge_nothing(error: DingerpError | None) -> None:
    """Leave a given-up frame alone: DingTalk may send it again, and then it is acknowledged."""


async def _note_nothing() -> None:
    """Record nothing before a fallback while the store is unavailable; at worst the same text is sent twice."""
