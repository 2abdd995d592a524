"""Builds the answering of questions and clicks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import cast

import structlog

from bot.access.audit import AuditLog, RequiredAudit
from bot.alerts.subscriptions import SUBSCRIPTION, SubscriptionClock, SubscriptionComposer, Subscriptions
from bot.bootstrap.access import AccessServices
from bot.bootstrap.alerts import AlertServices
from bot.bootstrap.audit import limit_questions
from bot.bootstrap.exports import askable, build_exports, exportable
from bot.bootstrap.factories import make_renderer
from bot.bootstrap.infrastructure import Infrastructure
from bot.bootstrap.language_model import open_model
from bot.bootstrap.replicas import Replica
from bot.bootstrap.traces import reference_on_card
from bot.cards.budget import Budget
from bot.chat.answers.card_probes import CardProbes
from bot.chat.answers.clicks import ClickPipeline
from bot.chat.answers.forms import PersonalForms
from bot.chat.answers.interim_cards import InterimTiming
from bot.chat.answers.own_cards import OwnCards
from bot.chat.answers.page_answers import PageAnswers
from bot.chat.answers.pipeline import MAX_QUESTION_AGE, QuestionPipeline
from bot.chat.answers.pipeline_parts import PipelineParts
from bot.chat.answers.ports import InboxMessage
from bot.chat.answers.redrawing import AnswerComposer
from bot.chat.answers.standing_answers import ANSWER_KIND, AnswerKeeper
from bot.chat.answers.watched_questions import WatchedQuestions
from bot.chat.answers.welcome import Welcomes
from bot.chat.exports import Exports
from bot.chat.message import ConversationKind, Message
from bot.chat.present_rights import PresentRights
from bot.chat.question_handler import QuestionHandler
from bot.chat.questions.code_scanner import CodeScanner
from bot.chat.questions.dialogues import Dialogues
from bot.chat.questions.dispatcher import NamedLine, QuestionDispatcher
from bot.chat.questions.prompts import OpenPrompts
from bot.chat.questions.recording import AnswerRecord, RecordedQuestions
from bot.chat.questions.shared_memory import RememberingQuestions
from bot.chat.questions.unread_sentences import UnreadNotes
from bot.chat.records.reader_hub import AccountOf
from bot.chat.registry import Commands
from bot.dingtalk.answer_channel import DingTalkAnswerChannel
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.files import ReceivedPictures
from bot.dingtalk.form_channel import DingTalkFormChannel
from bot.dingtalk.messages import parse_message
from bot.dingtalk.openapi import ApiRetryPolicy
from bot.dingtalk.own_cards import DingTalkOwnCards, PrivateWay
from bot.dingtalk.robot import Robot
from bot.erp.hub import ErpHub
from bot.erp.model import Area
from bot.mechanisms.background import Runs, finish, repeat
from bot.mechanisms.tracing import Trace
from bot.outbox.quota import DEGRADED
from bot.outbox.spending import Purpose, Quota
from bot.read_model.queries import ReadModel
from bot.store.alerts.subscriptions import StoredSubscriptions
from bot.store.approvals.repository import case_states_since
from bot.store.chat.conversations import StoredDialogues, StoredPrompts, StoredWelcomes
from bot.store.chat.inbox import StoredInbox
from bot.store.chat.standing_answers import StoredStandingAnswers
from bot.store.outbox.call_counts import StoredModelUse
from bot.store.outbox.deliveries import StoredShownCards
from bot.store.reading_uses import StoredUses
from bot.store.unread_sentences import StoredUnreadSentences
from bot.understanding.language_model.reader import ModelReader
from bot.understanding.learning import NamesOnDocuments, learn_vocabulary
from bot.understanding.reader import GrammarReader
from bot.understanding.sentences import Sentences

log = structlog.get_logger(__name__)

_INBOX_PRUNED_EVERY = 300.0
_TAKEN_OVER_EVERY = 2.0
_UNREAD_FLUSHED_EVERY = 5.0
_UNREAD_PRUNED_EVERY = 600.0
WHOLE_PAGE = Budget(body_bytes=200_000, buttons_bytes=200_000, title_bytes=400, tips_bytes=4_000, max_buttons=500)
"""A page has room for all that an answer says."""
_SCAN_SECONDS = 5.0
"""The maximum time for a picture's wait and scan; hardly any takes half a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringServices:
    """The services for questions and clicks."""

    base: Infrastructure
    commands: Commands
    access: AccessServices
    audit: AuditLog
    required_audit: RequiredAudit | None
    """The same log, if nothing may be shown or changed without it."""
    stored_audit: RequiredAudit
    """The same log, for what is never shown without it."""
    alerts: AlertServices
    collaborators: Mapping[type, object]
    """The collaborators of commands, by parameter type."""
    account_of: AccountOf
    named: NamedLine
    """Finds the company's own question that a line names."""
    reader: GrammarReader | None
    """Reads sentences, if enabled."""
    model: ModelReader | None
    """Asks a language model about sentences, if enabled."""
    traced: Callable[[Trace], None]
    """Gets the trace of each question and click."""


async def open_inbox(base: Infrastructure, replica: Replica | None) -> StoredInbox:
    """Return the persistent inbox of questions."""
    if replica is None:
        inbox = StoredInbox(base.database)
    else:
        inbox = StoredInbox(base.database, replica.id, shared=replica.is_one_of_several)
    await base.run_in_background(inbox.run, "inbox", Runs.EVERYWHERE)

    uses = StoredUses(base.database)

    async def prune() -> None:
        await inbox.prune(base.now())
        await uses.forget(base.now())

    await base.run_in_background(
        partial(repeat, prune, every=_INBOX_PRUNED_EVERY, failed="inbox.not_pruned"), "prune", Runs.WITH_LEAD
    )
    return inbox


async def build_pipelines(
    parts: AnsweringServices, inbox: StoredInbox, patience: ApiRetryPolicy
) -> tuple[QuestionPipeline, ClickPipeline, PageAnswers, PageAnswers, PageAnswers]:
    """Return the pipelines for questions and clicks, and what pages and programs ask, all within their limits; last
    what shared tables are filled from, who record themselves what they show.
    """
    base, owed = parts.base, parts.alerts.outbox.poke
    dialogues = await _start_dialogues(base) if parts.reader else None
    dispatching = partial(
        QuestionDispatcher,
        commands=parts.commands,
        policy=parts.access.policy,
        collaborators=parts.collaborators,
        seconds=base.settings.limits.question_seconds,
        account_of=parts.account_of,
        named=parts.named,
        required_audit=parts.required_audit,
    )
    rights = PresentRights(base.people, parts.access.policy, parts.commands)
    reading = partial(dispatching, commands=exportable(parts.commands), only_asks=True)
    asking = await _asking_commands(parts, rights, reading)
    dispatching = partial(dispatching, collaborators={**parts.collaborators, **asking})
    dispatcher = dispatching(
        reader=parts.reader,
        dialogues=dialogues,
        pictures=_picture_reader(base),
        model=parts.model,
        prompts=OpenPrompts(StoredPrompts(base.database) if base.settings.replicas > 1 else None),
    )
    standing = StoredStandingAnswers(base.database, case_states_since)
    # A redraw is not a question: it neither counts towards limits nor belongs to a dialogue.
    unasked = RecordedQuestions(dispatching(only_asks=True), AnswerRecord(parts.audit, parts.required_audit))
    parts.alerts.composers[ANSWER_KIND] = AnswerComposer(
        standing,
        handler=unasked,
        commands=parts.commands,
        people=base.people,
        audiences=parts.access.audiences,
        now=base.now,
        confirmed=base.confirmed,
    )
    own_values = PrivateWay(base.settings.cards.private_way) is PrivateWay.PRIVATE_DATA
    keeper = AnswerKeeper(standing, own_values=own_values, interim=base.tracks.is_interim, drawn=owed)
    noting = await _note_unread(base, dispatcher, parts.reader)
    limited = limit_questions(base, noting, parts.commands, parts.audit, owed, parts.required_audit)
    handler = (
        limited
        if base.settings.replicas == 1
        else RememberingQuestions(limited, base.stored_languages, base.people.language, dialogues)
    )
    card_reference = partial(reference_on_card, base.settings.trace)
    shared = PipelineParts(
        handler=handler,
        people=base.people,
        organisation=base.organisation,
        outsiders=parts.access.outsiders,
        audit=parts.audit,
        renderer=base.renderer,
        tracks=base.tracks,
        metrics=base.metrics,
        now=base.now,
        forms=build_forms(base),
        keeper=keeper,
        traced=parts.traced,
        card_reference=card_reference,
    )
    clicks = ClickPipeline(
        shared,
        seconds=base.settings.limits.click_seconds,
        audiences=parts.access.audiences,
        own_cards=_own_cards(base),
        confirmed=base.confirmed,
        forget_prompt=dispatcher.forget_prompt,
        say=base.say_in,
        shown=StoredShownCards(base.database),
        probes=CardProbes(base.probes, now=base.now, say=base.say_in),
    )
    # What a program asks stands alone: no dialogue is behind it, and no sentence goes on from it.
    commands = askable(parts.commands)
    alone = dispatching(commands=commands, reader=parts.reader, model=parts.model, only_asks=True)
    programs = limit_questions(base, alone, parts.commands, parts.audit, owed, parts.required_audit, of_keys=True)
    answering = partial(
        PageAnswers,
        glancing=unasked,
        watching=WatchedQuestions(
            dispatching(only_asks=True), parts.audit, parts.stored_audit, parts.commands, parts.access.policy
        ),
        exports=cast(Exports, asking[Exports]),
        renderer=make_renderer(base.settings, base.languages, budget=WHOLE_PAGE, now=base.now),
        policy=parts.access.policy,
        now=base.now,
        card_reference=card_reference,
    )
    pages, api = answering(limited, commands=parts.commands), answering(programs, commands=commands)
    quiet = reading()
    lists = answering(quiet, commands=exportable(parts.commands), glancing=quiet)
    return _question_pipeline(parts, shared, rights, inbox, patience), clicks, pages, api, lists


async def _asking_commands(
    parts: AnsweringServices, rights: PresentRights, dispatching: Callable[..., QuestionDispatcher]
) -> Mapping[type, object]:
    """Return the collaborators of commands that run others: for a file, or each morning."""
    base, reading = parts.base, dispatching(spelling=parts.reader)
    exports = build_exports(base, reading, rights, parts.audit, parts.required_audit)
    base.stack.push_async_callback(exports.close)
    subscribed = StoredSubscriptions(base.database)
    recorded = RecordedQuestions(reading, AnswerRecord(parts.audit, parts.required_audit))
    parts.alerts.composers[SUBSCRIPTION] = SubscriptionComposer(
        subscribed, handler=recorded, rights=rights, audiences=parts.access.audiences, now=base.now
    )
    clock = SubscriptionClock(subscribed, now=base.now, owed=parts.alerts.outbox.poke)
    await base.run_in_background(clock.run, "subscriptions", Runs.WITH_LEAD)
    return {Exports: exports, Subscriptions: Subscriptions(subscribed, reading, parts.access.audiences)}


def _picture_reader(base: Infrastructure) -> ReceivedPictures:
    """Return the reader of codes in people's pictures."""
    scanner = CodeScanner(seconds=_SCAN_SECONDS)
    base.stack.callback(scanner.close)
    return ReceivedPictures(base.api, scanner, sparing=base.month.sparing)


async def resume_questions(
    base: Infrastructure, inbox: StoredInbox, questions: QuestionPipeline, replica: Replica | None
) -> None:
    """Answer what an earlier run acknowledged but did not answer, and later what replicas leave that end."""
    resume = partial(_resume_questions, base, inbox, questions)
    await resume()
    if replica is not None and replica.is_one_of_several:
        taking_over = partial(repeat, resume, every=_TAKEN_OVER_EVERY, failed="inbox.not_taken_over")
        await base.run_in_background(taking_over, "questions of others", Runs.EVERYWHERE)


def answer_typed(base: Infrastructure, questions: QuestionPipeline, stored: InboxMessage) -> None:
    """Answer a line that is in the inbox already; at the end of the process it is left for the next one."""
    if not questions.is_draining:
        questions.resume(_read(base, stored), stored.received_at)


def _read(base: Infrastructure, stored: InboxMessage) -> Message:
    names = base.settings.dingtalk.robot_names
    return parse_message(stored.payload, robot_names=names, fallback_id=stored.msg_id, now=base.now)


async def _resume_questions(base: Infrastructure, inbox: StoredInbox, questions: QuestionPipeline) -> None:
    """Answer the questions that another process acknowledged and can no longer answer; old ones get a notice."""
    if questions.is_draining:
        return  # a process that lives on takes them over
    unanswered = await inbox.unanswered(base.now() - MAX_QUESTION_AGE)
    late: dict[tuple[str, str], list[Message]] = {}
    for stored in unanswered:
        message = _read(base, stored)
        if stored.too_old:
            asker = message.sender.staff_id or message.sender.nick
            late.setdefault((message.conversation.id, asker), []).append(message)
        else:
            questions.resume(message, stored.received_at, interim=stored.interim)
    for messages in late.values():
        questions.give_up(messages)
    if late:
        log.warning("inbox.too_late", questions=sum(map(len, late.values())), askers=len(late))
    if unanswered:
        log.info("inbox.resumed", questions=len(unanswered))


async def start_reader(
    base: Infrastructure, commands: Commands, hub: ErpHub, read_model: ReadModel
) -> tuple[GrammarReader | None, ModelReader | None]:
    """Return the reader of sentences, which learns the company's names in the background, and the one that asks a
    language model; None if disabled.
    """
    wanted = base.settings.understanding
    if not wanted.enabled:
        return None, None
    sentences = cache(partial(Sentences.load, commands, (wanted.sentences,) if wanted.sentences else ()))
    if wanted.sentences:
        sentences()  # a mistake in the company's own file ends the start
    learn = partial(learn_vocabulary, hub, partial(_partner_names, read_model))
    reader = GrammarReader(commands, sentences, learn, hub.book_names)
    await base.run_in_background(reader.run, "understanding", Runs.EVERYWHERE)
    used = StoredModelUse(base.database)
    model = await open_model(base.stack, base.settings, commands, sentences, used, base.metrics, base.now)
    return reader, model


async def _partner_names(read_model: ReadModel) -> NamesOnDocuments:
    """Return the customers and vendors on all kept documents."""
    selling, buying = (Area.SALES, Area.FINANCE), (Area.PURCHASING,)
    customers, vendors = [await read_model.partners(areas) for areas in (selling, buying)]
    return NamesOnDocuments(
        customers=tuple(each.name for each in customers), vendors=tuple(each.name for each in vendors)
    )


async def _note_unread(
    base: Infrastructure, dispatcher: QuestionDispatcher, reader: GrammarReader | None
) -> QuestionHandler:
    """Return the handler that counts sentences that nobody understood, if they are to be counted."""
    stored, keep = StoredUnreadSentences(base.database), timedelta(days=base.settings.understanding.unread_days)

    async def prune() -> None:
        await stored.prune(base.now().date() - keep)

    pruning = partial(repeat, prune, every=_UNREAD_PRUNED_EVERY, failed="unread_sentences.not_pruned")
    await base.run_in_background(pruning, "old unread sentences", Runs.WITH_LEAD)
    if reader is None or not keep:
        return dispatcher
    base.stack.push_async_callback(finish, stored.flush, failed="unread_sentences.not_counted")
    flushing = partial(repeat, stored.flush, every=_UNREAD_FLUSHED_EVERY, failed="unread_sentences.not_counted")
    await base.run_in_background(flushing, "unread sentences", Runs.EVERYWHERE)
    return UnreadNotes(dispatcher, reader.general_form, stored.note)


async def _start_dialogues(base: Infrastructure) -> Dialogues:
    """Return the store of last questions, including those from before a restart."""
    dialogues = Dialogues(StoredDialogues(base.database), now=base.now)
    await dialogues.load()
    await base.run_in_background(dialogues.run, "dialogues", Runs.EVERYWHERE)
    return dialogues


def _question_pipeline(
    parts: AnsweringServices,
    shared: PipelineParts,
    rights: PresentRights,
    inbox: StoredInbox,
    patience: ApiRetryPolicy,
) -> QuestionPipeline:
    base = parts.base
    say = base.say_in

    def degraded(language: str) -> str | None:
        return say(language, DEGRADED) if base.month.sparing() else None

    answers = DingTalkAnswerChannel(
        CardApi(base.api),
        Robot(base.api),
        base.api.keys,
        templates=base.templates,
        now=base.now,
        sparing=degraded,
        reserved=base.month.reserved,
        private_way=PrivateWay(base.settings.cards.private_way),
        confirmed=base.confirmed,
        say=say,
        name_asker=base.settings.notify.name_asker,
    )

    def arrived(message: Message) -> None:
        group = message.conversation.kind is ConversationKind.GROUP
        base.meter.count(Quota.USES, Purpose.QUESTION, message.conversation.id if group else "")
        base.robot_chat.note(message)
        if (place := base.reply_addresses.note(message)) is not None:
            parts.alerts.outbox.open_way(place)

    return QuestionPipeline(
        shared,
        inbox=inbox,
        channel=answers,
        audiences=parts.access.audiences,
        rights=rights,
        at_once=base.settings.limits.questions_at_once,
        pause=patience.backoff,
        welcomes=_welcomes(parts),
        arrived=arrived,
        interim=_interim_terms(base),
    )


def _own_cards(base: Infrastructure) -> OwnCards:
    channel = DingTalkOwnCards(
        CardApi(base.api),
        base.api.keys,
        templates=base.templates,
        way=PrivateWay(base.settings.cards.private_way),
        say=base.say_in,
    )
    return OwnCards(
        channel,
        base.tracks,
        now=base.now,
        sent=base.metrics.own_cards,
        affordable=lambda: not base.month.sparing(),
    )


def _interim_terms(base: Infrastructure) -> InterimTiming:
    limits = base.settings.limits
    return InterimTiming(
        seconds=limits.interim_seconds,
        most=limits.interim_most,
        affordable=lambda: not base.month.has_used(limits.interim_share),
    )


def _welcomes(parts: AnsweringServices) -> Welcomes | None:
    """Return the welcome for newcomers, if enabled."""
    if not parts.base.settings.notify.welcome:
        return None
    return Welcomes(StoredWelcomes(parts.base.database), parts.commands, parts.access.policy)


def build_forms(base: Infrastructure) -> PersonalForms:
    """Return the forms; without a template no form is shown."""
    cards = base.settings.cards
    if not cards.form_template:
        return PersonalForms(base.tracks, None, now=base.now)
    channel = DingTalkFormChannel(
        CardApi(base.api),
        base.api.keys,
        template_id=cards.form_template,
        say=base.say_in,
        now=base.now,
        spared=base.month.sparing,
        in_own_chat=PrivateWay(cards.private_way) is PrivateWay.DIRECT,
    )
    return PersonalForms(base.tracks, channel, now=base.now)
