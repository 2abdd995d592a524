"""From a click to its answer, within DingTalk's two seconds.

The answer's data is public data of the card (docs: platform/dingtalk/unknowns.md#answers-and-private-values), so it
shows only what all its holders may see. Content for the clicker alone goes into their own card.

A click names the clicker and the card, and carries a button's token. DingTalk vouches for the person and the card (and
the card's id is sealed), but any client can send any token. So an action is only a request to have a line answered:
access is checked again, and an alert is changed only if a card there shows it. Others see the effect when the outbox
updates the alert's cards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from itertools import count
from typing import Protocol

import structlog

from bot.access.audit import AuditEntry, AuditKind
from bot.cards.actions import Action, ApprovalAction, Ask, BadToken, FillIn, unpack
from bot.cards.card import Card, CardForm, CardReply, Click, FormReply, FormState
from bot.cards.escape import escape_text
from bot.cards.form import REASON_FIELD, VALUE_FIELD
from bot.cards.form_layout import reply_with
from bot.cards.notices import (
    BusyNotice,
    DeniedNotice,
    ExpiredNotice,
    FormClosedNotice,
    Introduction,
    OutOfDateNotice,
    UnconfirmedNotice,
    WithheldNotice,
)
from bot.cards.view import View
from bot.chat.answers.card_probes import CardProbes
from bot.chat.answers.forms import FormClaim
from bot.chat.answers.own_cards import OwnCards
from bot.chat.answers.pipeline_parts import PipelineParts
from bot.chat.answers.probe_results import UNCONFIRMED, ProbeResults
from bot.chat.answers.standing_answers import AnswerKeeper, CardReaders, StandingAnswer
from bot.chat.audiences import Audiences, SharedView
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.failures import QuestionOutcome
from bot.mechanisms.tracing import Trace, tracing
from bot.outbox.place import Place, PlaceKind
from bot.words.disclosure import cut
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

MAX_FORM_TEXT = 200
"""Characters read from a form field."""

MAX_NAME = 24
"""Characters of a name beside a card."""

ANSWER_TRAVELS = timedelta(milliseconds=200)
"""How long the answer to a click may take to arrive: it may cover a change of the card meanwhile."""

REDRAW_DELAYS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each attempt to restore a card covered by a late answer; by then the answer has arrived."""


_COULD_NOT_ACT = frozenset({QuestionOutcome.FAILED, QuestionOutcome.UNCONFIRMED, QuestionOutcome.NOT_RECORDED})
"""Outcomes after which an action may be repeated: the card gets its buttons back."""

_TRY_AGAIN = frozenset({"bad_argument", "busy"})
"""Outcomes after which a form can be submitted again."""

_FOREIGN_FORM = phrase("This form was made for somebody else.")

_FORM_LABELS = {
    FormState.OPEN: phrase("To fill in"),
    FormState.ANSWERED: phrase("Answered"),
    FormState.CANCELLED: phrase("Cancelled"),
    FormState.EXPIRED: phrase("No longer valid"),
}

TO_YOU_ALONE = phrase("The answer goes to you alone.")
"""A card's only text about an answer that some of its holders may not see."""
DEAD_BUTTON = phrase("This button no longer works. Please ask again.")
SOMEBODY_ELSES = phrase("This card stands in somebody else's chat.")
ASK_IN_PRIVATE = phrase("Please ask me in your own chat: the month's calls run out.")

_LINE_BREAK = "<br>"
"""Between the lines of a card's body."""

_WORTH_A_CARD = frozenset({QuestionOutcome.ANSWERED, QuestionOutcome.NOT_FOUND, QuestionOutcome.HINT})
"""Outcomes that lead on. All others are told in a few words: neither outsiders nor outages cost calls."""

_TELLS_WHAT_TO_DO = (UnconfirmedNotice, BusyNotice, ExpiredNotice)
"""Notices whose last line is an instruction."""

_NOT_INTRODUCED = PreparedAnswer(UnconfirmedNotice(needs=Introduction.WRITE_IN_GROUP), "click", "unknown_organisation")
"""The answer to a click while the bot's organisation is unknown."""


class ShownCards(Protocol):
    """Knows the unsolicited cards; implemented on the outbox by `bot.store.outbox.deliveries`."""

    async def clicked(self, track_id: str, by: str, now: datetime) -> tuple[Place, ...]:
        """Record a click by the person with the userId ``by`` and return the card's place.

        Of several places their own chat comes first, if it is among them. None for an unknown card. Raises a
        `bot.words.errors.DingerpError` when the store is unavailable.
        """
        ...

    async def has_own_values(self, track_id: str, user_id: str) -> bool:
        """Return whether a person sees private values on a card that is also elsewhere.

        Raises a `bot.words.errors.DingerpError` when the store is unavailable.
        """
        ...

    async def stands_in(self, track_id: str, group: str) -> bool:
        """Return whether a card is in a group.

        Raises a `bot.words.errors.DingerpError` when the store is unavailable.
        """
        ...

    async def redraw(self, track_id: str, now: datetime) -> bool:
        """Redraw a card that an answer covers; False while it is being sent: retry then.

        Raises a `bot.words.errors.DingerpError` when the store is unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to a click, and the part of it that all holders of the card may see.

    ``held``: others hold the card, too, or may; ``shared`` is their part of the answer, if it is meant for them.
    Without it a ``note`` is enough, or the clicker gets a card of their own: nobody else's tap takes the card from
    them. ``restores``: the answer covers the card's buttons, which have to come back. ``name`` is the clicker's, if the
    directory knows it.
    """

    prepared: PreparedAnswer
    held: bool
    shared: SharedView | None = None
    where: Conversation | None = None
    note: Phrase | None = None
    restores: bool = False
    name: str = ""

    @property
    def own(self) -> View:
        """The part for the clicker alone."""
        return cut(self.prepared.view, self.prepared.grant.fields)


async def _forget_nothing(_user_id: str) -> None:
    """Nothing asks anybody for words."""


class ClickPipeline:
    """Answers every click within the callback itself: page turns, drill-downs, actions. Only content that some holders
    of the card may not see costs a call.
    """

    def __init__(
        self,
        parts: PipelineParts,
        *,
        seconds: float,
        audiences: Audiences,
        own_cards: OwnCards,
        confirmed: Callable[[], ProbeResults] = lambda: UNCONFIRMED,
        forget_prompt: Callable[[str], Awaitable[None]] = _forget_nothing,
        say: Callable[[str, Phrase], str] = lambda language, words: str(words),
        shown: ShownCards | None = None,
        probes: CardProbes | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Without ``shown`` the bot sends no unsolicited cards.

        ``own_cards`` show content for the clicker alone, and ``confirmed`` tells when none is needed. ``forget_prompt``
        is told who cancels a form: their next message is then not its answer. ``say`` translates a phrase into a
        language.
        """
        self._parts = parts
        self._seconds = seconds
        self._audiences = audiences
        self._own_cards = own_cards
        self._confirmed = confirmed
        self._forget_prompt = forget_prompt
        self._say = say
        self._shown = shown
        self._probes = probes
        self._sleep = sleep
        self._at_work: set[asyncio.Task[object]] = set()
        self._closing = asyncio.Event()

    async def answer(self, click: Click) -> CardReply | FormReply | None:
        """Return the changes to the card, or the new state of the clicker's form.

        None leaves the card as it is (foreign cards, foreign organisations).

        ``corp_id`` is the clicker's organisation, and ``user_id`` is valid only there.
        """
        if not self._parts.tracks.is_ours(click.track_id) or not click.user_id:
            self._ignore("foreign_card", click)
            return None
        own = self._parts.organisation
        if not own.is_known:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds / 2):
                    await own.recognise(click.corp_id)
        if own.is_known and not own.is_own(click.corp_id):
            self._note_outsider(Conversation(click.space_id, _kind(click.space_id)))
            self._ignore("foreign_organisation", click)
            return None
        if self._probes is not None and own.is_known and self._parts.tracks.is_probe_for(click.track_id, click.user_id):
            return await self._probes.answer(click, self._parts.people.language(click.user_id))
        now = self._parts.now()
        with tracing("click", now, self._parts.traced) as trace:
            return await self._answer_ours(click, now, trace)

    async def _answer_ours(self, click: Click, now: datetime, trace: Trace) -> CardReply | FormReply:
        """Answer a click on a card of the bot by a person of its organisation, or of one that is not known yet."""
        claim = self._parts.forms.judge(click) if self._parts.forms.is_form(click) else None
        if not self._parts.organisation.is_known:
            answer = _Answer(_NOT_INTRODUCED, bool(self._others(click, ())))
            self._record_refusal(click, f"{click.user_id}@{click.corp_id}", answer.prepared.outcome)
        elif claim is None or claim is FormClaim.FILLED_IN:
            answer = await self._answer(click, now)
        else:
            answer = _Answer(await self._turn_down(click, claim), held=False)
        trace.note(answer.prepared.command, answer.prepared.outcome, answer.prepared.rule)
        self._parts.metrics.clicks.labels(answer.prepared.outcome).inc()
        zone = now.tzinfo
        assert zone is not None, "the clock gives aware times"
        if claim is not None:
            return self._reply(click, claim, replace(answer.prepared, view=answer.own), zone)
        return await self._show(click, answer, now, zone)

    async def _show(self, click: Click, answer: _Answer, now: datetime, zone: tzinfo) -> CardReply:
        """Return the clicked card's new content: everything for a single reader, otherwise the part for all holders."""
        ways, shared = self._confirmed(), answer.shared
        if answer.held and shared is None and not ways.own_answers:
            return await self._tell_clicker(click, answer, now, zone)
        covers = answer.held and await self._has_own_values(click)
        is_all = not answer.held or (shared is not None and shared.is_all)
        if is_all or ways.own_answers:
            if answer.restores:
                self._redraw_later(click.track_id)
            card = self._draw(click, shared.view if shared is not None and shared.is_all else answer.own, zone)
            return CardReply(shown=card, own=card if covers and (is_all or ways.private_values) else None)
        if covers and ways.private_values:
            return CardReply(own=self._draw(click, answer.own, zone))
        assert shared is not None, "all else is told the clicker alone"
        card = self._draw(click, shared.view, zone)
        return CardReply(shown=card, own=card if covers else None)

    async def _tell_clicker(self, click: Click, answer: _Answer, now: datetime, zone: tzinfo) -> CardReply:
        """Answer the clicker: in a few words beside the card, or on a card of their own. The shared card stays."""
        if answer.note is not None:
            return self._tell(click, answer, answer.note, now)
        if answer.prepared.outcome not in _WORTH_A_CARD:
            card = self._draw(click, answer.own, zone)
            what_to_do = card.body.rpartition(_LINE_BREAK)[2] if isinstance(answer.own, _TELLS_WHAT_TO_DO) else ""
            if not what_to_do:
                return self._tell(click, answer, card.title, now)
            return self._tell(click, answer, phrase("%(what)s: %(value)s", what=card.title, value=what_to_do), now)
        if await self._has_own_values(click) and self._confirmed().private_values:
            return CardReply(own=self._draw(click, answer.own, zone))
        return await self._show_apart(click, answer, now, zone)

    def _tell(self, click: Click, answer: _Answer, words: Phrase | str, now: datetime) -> CardReply:
        """Show a few words beside the card. All holders may read them for a long time, so they name their addressee and
        time.
        """
        if answer.name:
            words = phrase(
                "%(name)s, %(time)s: %(words)s",
                name=str(escape_text(answer.name, MAX_NAME)),
                time=f"{now:%H:%M}",
                words=words,
            )
        text = words if isinstance(words, str) else self._say(self._parts.people.language(click.user_id), words)
        return CardReply(note=text)

    async def _show_apart(self, click: Click, answer: _Answer, now: datetime, zone: tzinfo) -> CardReply:
        """Give the clicker a card of their own, or a form; the clicked card stays as it is."""
        language = self._parts.people.language(click.user_id)
        where = answer.where or Conversation(click.space_id, _kind(click.space_id))
        reference = self._parts.card_reference()
        card = self._parts.renderer.render(answer.own, language, zone=zone, trail=(), reference=reference)
        if card.form is not None:
            self._start(self._ask_apart(click, answer, card, where, now))
        elif not await self._show_own_card(click, answer, card, where, now):
            return self._tell(click, answer, ASK_IN_PRIVATE, now)
        return self._tell(click, answer, TO_YOU_ALONE, now)

    async def _ask_apart(self, click: Click, answer: _Answer, card: Card, where: Conversation, now: datetime) -> None:
        if card.form is None or not await self._show_form(click, card.form):
            await self._show_own_card(click, answer, card, where, now)

    async def _show_own_card(
        self, click: Click, answer: _Answer, card: Card, where: Conversation, now: datetime
    ) -> bool:
        """Have a card shown soon to the clicker alone; False if calls are scarce."""
        track_id = self._own_cards.show(click.track_id, click.user_id, where, card)
        if not track_id:
            return False
        self._parts.ways.begin(track_id, click.user_id, card.line)
        following = answer.own.following()
        if self._parts.keeper is not None and following is not None:
            standing = StandingAnswer(
                track_id=track_id,
                conversation=where,
                user_id=click.user_id,
                line=following.again.line,
                first_row=following.again.offset,
                readers=CardReaders.ASKER,
                made_as=card.name,
                at=now,
                documents=following.documents,
            )
            await self._parts.keeper.keep(standing)
        return True

    async def _turn_down(self, click: Click, claim: FormClaim) -> PreparedAnswer:
        """Return the text for a form that is cancelled, not this person's, or too late."""
        match claim:
            case FormClaim.CANCELLED:
                await self._forget_prompt(click.user_id)
                title, text = phrase("Cancelled"), phrase("Nothing was sent.")
            case FormClaim.EXPIRED:
                title, text = phrase("This form is no longer valid"), phrase("Nothing was sent. Please ask again.")
            case _:
                self._record_refusal(click, click.user_id, claim)
                title, text = phrase("Not allowed"), _FOREIGN_FORM
        return _notice(FormClosedNotice(title=title, text=text), claim)

    def _reply(self, click: Click, claim: FormClaim, answer: PreparedAnswer, zone: tzinfo) -> FormReply:
        """Return the new state of a form; it stays open if anything is missing, or if the action took too long."""
        language = self._parts.people.language(click.user_id)
        if claim is FormClaim.FOREIGN and not self._confirmed().own_answers:
            # Another person's tap must not take the form from its owner.
            return FormReply(label=self._say(language, _FOREIGN_FORM))
        again = answer.outcome in _TRY_AGAIN or answer.view.form() is not None
        if claim is FormClaim.FILLED_IN:
            state = FormState.OPEN if again else FormState.ANSWERED
        else:
            state = FormState.CANCELLED if claim is FormClaim.CANCELLED else FormState.EXPIRED
        card = self._parts.renderer.render(answer.view, language, zone=zone, trail=())
        return reply_with(card, state, self._say(language, _FORM_LABELS[state]))

    async def _show_form(self, click: Click, form: CardForm) -> bool:
        in_group = await self._stands_in_group(click)
        where = Conversation(click.space_id, ConversationKind.GROUP if in_group else ConversationKind.DIRECT)
        return await self._parts.forms.show(form, user_id=click.user_id, where=where, key=click.track_id)

    async def _stands_in_group(self, click: Click) -> bool:
        """Return whether the click was in a group that has the card: a click does not distinguish a group from the
        clicker's own chat, which is always safe (docs: platform/dingtalk/callbacks.md#who-clicked).
        """
        clicked = Conversation(click.space_id, ConversationKind.GROUP)
        if (beside := self._own_cards.beside(click.track_id, click.user_id)) is not None:
            return beside == clicked
        if not self._parts.tracks.is_card(click.track_id):
            where = None if self._parts.keeper is None else await self._parts.keeper.conversation_of(click.track_id)
            return where == clicked
        try:
            return self._shown is not None and await self._shown.stands_in(click.track_id, click.space_id)
        except DingerpError as error:
            log.warning("click.place_unknown", error=type(error).__name__, detail=error.detail)
            return False

    def _draw(self, click: Click, view: View, zone: tzinfo) -> Card:
        """Return the card with the way back to its previous content for the clicker; no way back after an action.

        A form that it needs is shown beside the card, after the answer.
        """
        card = self._draw_card(click, view, zone)
        if card.form is not None:
            self._start(self._show_form(click, card.form))
        return card

    def _draw_card(self, click: Click, view: View, zone: tzinfo) -> Card:
        language, asked = self._parts.people.language(click.user_id), _asked(click.token)
        render = partial(self._parts.renderer.render, reference=self._parts.card_reference())
        if asked is None or not view.leads_back:
            self._parts.ways.end(click.track_id, click.user_id)
            return render(view, language, zone=zone, trail=())
        before = self._parts.ways.before(click.track_id, click.user_id, asked)
        card = render(view, language, zone=zone, trail=before)
        self._parts.ways.go(click.track_id, click.user_id, card.line, before)
        return card

    async def _answer(self, click: Click, now: datetime) -> _Answer:
        try:
            action = unpack(click.token)
        except BadToken as error:
            log.info("click.out_of_date", detail=error.detail)
            return _Answer(_notice(OutOfDateNotice(), "out_of_date"), bool(self._others(click, ())), note=DEAD_BUTTON)
        line, offset = line_of(action, click.values)
        try:
            # The directory may be as slow as the ERP.
            async with asyncio.timeout(self._seconds):
                return await self._answer_line(click, action, line, offset, now)
        except TimeoutError:
            # The work continues anyway, and is idempotent.
            is_decision = isinstance(action, ApprovalAction)
            notice = _notice(BusyNotice(line=line, offset=offset, is_decision=is_decision), "busy")
            return _Answer(notice, bool(self._others(click, ())), restores=True)

    async def _answer_line(self, click: Click, action: Action, line: str, offset: int, now: datetime) -> _Answer:
        on_form, asks = self._parts.forms.is_form(click), isinstance(action, Ask)
        if isinstance(action, ApprovalAction) and not await self._is_kept(click, now):
            return _Answer(_notice(ExpiredNotice(refresh=action.look), "out_of_date"), bool(self._others(click, ())))
        places = await self._places(click, now)
        where = self._own_cards.beside(click.track_id, click.user_id) or _where(click, places, asks=asks)
        if where is None:
            self._record_refusal(click, click.user_id, "foreign_chat")
            return _Answer(_notice(DeniedNotice(reason=SOMEBODY_ELSES), "denied"), held=True, note=SOMEBODY_ELSES)
        others = self._others(click, places)
        person = await self._parts.people.identify(click.user_id, name="")
        if person.is_outsider:
            self._note_outsider(where)
        context = QuestionContext(
            person=person,
            conversation=where,
            line=line,
            offset=offset,
            now=now,
            clicked=True,
            # Actions are announced to everybody; questions go to the clicker alone, if necessary.
            overlooked=not asks and any(place.kind is PlaceKind.GROUP for place in others),
            on_form=on_form,
            free_text=form_text(click.values, REASON_FIELD),
        )
        answer = await self._parts.handler.view_for(context)
        shared = None
        if others and (answer.outcome == QuestionOutcome.ANSWERED if asks else answer.view.is_for_all()):
            shared = await self._audiences.share_at(cut(answer.view, answer.grant.fields), answer, others)
            if isinstance(shared.view, WithheldNotice) or (asks and not shared.is_all):
                shared = None
        if not on_form:
            # Content for the clicker alone leaves the card's subject unchanged.
            if not others or shared is not None:
                await self._keep(click, where, answer.view, now)
            if isinstance(action, ApprovalAction):
                self._uncover_later(click.track_id, now)
        restores = not on_form and not asks and answer.outcome in _COULD_NOT_ACT
        name = "" if person.name == person.user_id else person.name
        return _Answer(answer, bool(others), shared, where, restores=restores, name=name)

    def _others(self, click: Click, places: Sequence[Place]) -> tuple[Place, ...]:
        """Return the card's places visible to others than the clicker; a place in a group, whose members are
        unknown.
        """
        if self._parts.tracks.is_for(click.track_id, click.user_id) or self._parts.forms.is_form(click):
            return ()
        own_chat = Place(PlaceKind.PERSON, click.user_id)
        if own_chat in places:
            return tuple(place for place in places if place != own_chat)
        # A forwarded card is also visible where it was clicked.
        return tuple(dict.fromkeys((*places, Place(PlaceKind.GROUP, click.space_id))))

    async def _is_kept(self, click: Click, now: datetime) -> bool:
        """Return whether the clicked card will show the outcome of a decision."""
        if self._parts.keeper is None or not self.is_on_answer(click):
            return True
        return await self._parts.keeper.stands(click.track_id, now)

    async def _keep(self, click: Click, where: Conversation, view: View, now: datetime) -> None:
        following = view.following()
        if self._parts.keeper is None or following is None:
            return
        clicked = StandingAnswer(
            track_id=click.track_id,
            conversation=where,
            user_id=click.user_id,
            line=following.again.line,
            first_row=following.again.offset,
            readers=CardReaders.ASKER if self._is_alone(click, where) else CardReaders.ALL,
            made_as=click.made_as,
            at=now,
        )
        await self._parts.keeper.clicked(clicked, following, is_answer=self.is_on_answer(click))

    def _is_alone(self, click: Click, where: Conversation) -> bool:
        return where.kind is ConversationKind.DIRECT or self._parts.tracks.is_for(click.track_id, click.user_id)

    async def _places(self, click: Click, now: datetime) -> tuple[Place, ...]:
        """Return the places of an unsolicited card, the clicker's own chat first; none for other cards."""
        if self._shown is None or not self._parts.tracks.is_card(click.track_id):
            return ()
        try:
            return await self._shown.clicked(click.track_id, click.user_id, now)
        except DingerpError as error:
            # Then assume that it stands where it was clicked, which is nearly always right.
            log.warning("click.place_unknown", error=type(error).__name__, detail=error.detail)
            return ()

    def _note_outsider(self, where: Conversation) -> None:
        if where.kind is ConversationKind.GROUP:
            self._parts.outsiders.note(where.id)

    def _redraw_later(self, track_id: str) -> None:
        """Make sure that "please wait", or a refusal, does not stay where the buttons were."""
        if self._parts.tracks.is_card(track_id):
            redraw = partial(self._redraw_shown, self._shown, track_id) if self._shown is not None else None
        else:
            keeper = self._parts.keeper
            redraw = partial(self._redraw_answer, keeper, track_id) if keeper is not None else None
        if redraw is not None:
            self._start(self._redraw(redraw))

    async def close(self) -> None:
        """Run all delayed follow-ups of clicks now."""
        self._closing.set()
        await asyncio.gather(*self._at_work)
        await self._own_cards.close()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the bot's end."""
        waits = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._closing.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _redraw(self, redraw: Callable[[], Awaitable[bool]]) -> None:
        """Restore a card, retrying while the database is unavailable."""
        for attempt in count(1):
            await self._pause(REDRAW_DELAYS[min(attempt, len(REDRAW_DELAYS)) - 1])
            try:
                if await redraw():
                    return
                is_away = False
            except DingerpError as error:
                is_away = True
                log.warning("click.not_uncovered", error=type(error).__name__, detail=error.detail)
            if self._closing.is_set() if is_away else attempt >= len(REDRAW_DELAYS):
                break
        log.warning("click.stays_covered")

    def _uncover_later(self, track_id: str, since: datetime) -> None:
        """Make sure that "the ERP is being told" does not stay on a card already updated by a quick ERP."""
        if self._parts.keeper is not None:
            self._start(self._uncover(self._parts.keeper, track_id, since, self._parts.now() + ANSWER_TRAVELS))

    async def _uncover(self, keeper: AnswerKeeper, track_id: str, since: datetime, until: datetime) -> None:
        await self._pause(REDRAW_DELAYS[0])
        try:
            await keeper.uncover(track_id, since, until, self._parts.now())
        except DingerpError as error:
            log.warning("click.not_uncovered", error=type(error).__name__, detail=error.detail)

    def _start(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _redraw_answer(self, keeper: AnswerKeeper, track_id: str) -> bool:
        await keeper.redraw(track_id, self._parts.now())
        return True

    async def _redraw_shown(self, shown: ShownCards, track_id: str) -> bool:
        return await shown.redraw(track_id, self._parts.now())

    async def _has_own_values(self, click: Click) -> bool:
        """Return whether the clicker may have private values on the clicked card, which would cover an answer."""
        if not self.is_on_answer(click):
            return await self._sees_own_values(click)
        if self._parts.tracks.is_interim(click.track_id) and _kind(click.space_id) is ConversationKind.DIRECT:
            return False  # the asker is the only reader there
        if self._parts.keeper is None:
            return False
        return await self._parts.keeper.has_own_values(click.track_id, click.user_id)

    async def _sees_own_values(self, click: Click) -> bool:
        if self._shown is None or not self._parts.tracks.is_card(click.track_id):
            return False
        try:
            return await self._shown.has_own_values(click.track_id, click.user_id)
        except DingerpError as error:
            # The answer stays hidden then, but the card's next state shows it.
            log.warning("click.values_unknown", error=type(error).__name__, detail=error.detail)
            return False

    def is_on_answer(self, click: Click) -> bool:
        """Return whether the clicked card is the answer to a question."""
        other = self._parts.tracks.is_card(click.track_id) or self._parts.tracks.is_form(click.track_id)
        return self._parts.tracks.is_ours(click.track_id) and not other

    def _ignore(self, why: str, click: Click) -> None:
        self._parts.metrics.clicks.labels(why).inc()
        log.warning("click.ignored", why=why)
        # In another organisation the same userId is another person.
        self._record_refusal(click, f"{click.user_id}@{click.corp_id}", why)

    def _record_refusal(self, click: Click, actor: str, why: str) -> None:
        entry = AuditEntry(
            kind=AuditKind.REFUSAL,
            at=self._parts.now(),
            actor=actor,
            action="click",
            conversation=click.space_id,
            outcome=why,
        )
        self._parts.audit.record(entry)


def _where(click: Click, places: Sequence[Place], *, asks: bool) -> Conversation | None:
    """Return the conversation that counts; None for a card of another person's chat.

    A card may have been forwarded. An action on its alert then counts where the card stands, but a question is asked
    where the click was, so that a forwarded card opens nothing that is closed there.
    """
    clicked = Conversation(click.space_id, _kind(click.space_id))
    if not places:
        return clicked
    place = places[0]
    if place.kind is PlaceKind.GROUP:
        return clicked if asks else Conversation(place.id, ConversationKind.GROUP)
    return Conversation(click.space_id, ConversationKind.DIRECT) if place.id == click.user_id else None


def _notice(view: View, outcome: str) -> PreparedAnswer:
    return PreparedAnswer(view, "click", outcome)


def _asked(token: str) -> Ask | None:
    """Return a button's question; None for an action."""
    with suppress(BadToken):
        action = unpack(token)
        return action if isinstance(action, Ask) else None
    return None


def line_of(action: Action, values: Mapping[str, object]) -> tuple[str, int]:
    """Return the line behind a button or form, and the first row wanted of a list."""
    if isinstance(action, FillIn):
        return action.completed(" ".join(form_text(values, VALUE_FIELD).split())), 0
    return action.question


def form_text(values: Mapping[str, object], field: str) -> str:
    """Return the value of a form field: text, or the value of the chosen option.

    Docs: platform/dingtalk/callbacks.md#form-values
    """
    value = values.get(field)
    if isinstance(value, Mapping):
        value = value.get("value")
    return value.strip()[:MAX_FORM_TEXT] if isinstance(value, str) else ""


def _kind(space_id: str) -> ConversationKind:
    return ConversationKind.GROUP if space_id.startswith("cid") else ConversationKind.DIRECT
