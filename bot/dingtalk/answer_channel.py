"""Sends answers: as a card, otherwise as a plain message, otherwise through the message's session webhook.

The next way is tried only if the previous one certainly left nothing in the conversation. Content for the asker alone
goes into a group by one of three private ways; texts in a group are always the shared card's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog

from bot.cards.card import Card
from bot.cards.escape import clean
from bot.cards.notices import InterimNotice
from bot.chat.answers.ports import AnswerCards, AnswerUnconfirmed, AnswerVia, SentAnswer
from bot.chat.answers.probe_results import UNCONFIRMED, ProbeResults
from bot.chat.answers.standing_answers import CardReaders
from bot.chat.message import Conversation, ConversationKind, Message, Sender
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.card_api import CARD_GONE, CardApi, CardSpace
from bot.dingtalk.card_wire import TemplateChoice, card_params, changed_params
from bot.dingtalk.errors import (
    DingTalkAuthFailed,
    DingTalkCardUnconfirmed,
    DingTalkNoToken,
    DingTalkNotReachable,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRefused,
    DingTalkTextUnconfirmed,
)
from bot.dingtalk.mentions import can_be_called, naming
from bot.dingtalk.own_cards import ONLY_YOU, DingTalkOwnCards, PrivateWay
from bot.dingtalk.robot import Robot
from bot.outbox.ports import NOBODY_CALLED
from bot.outbox.spending import Purpose, falling_back, spending
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

_log = structlog.get_logger(__name__)

IN_YOUR_CHAT = phrase("The answer is in your own chat with me.")
"""The group's only text about an answer in the asker's own chat."""

YOUR_ANSWER = phrase("The answer to your question")
"""The same for a question without words."""

MAX_PRIVATE_VALUE = 1024
"""Documented bytes of one value for a single person (docs: platform/dingtalk/cards.md#values)."""
_MAX_QUESTION = 40
"""Characters of a question in the list of conversations."""


class DingTalkAnswerChannel:
    """The channel for answers; ``now`` returns an aware time."""

    def __init__(
        self,
        cards: CardApi,
        robot: Robot,
        keys: AppKeys,
        *,
        templates: TemplateChoice | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sparing: Callable[[str], str | None] = lambda language: None,
        reserved: Callable[[], bool] = lambda: False,
        private_way: PrivateWay = PrivateWay.RECIPIENTS,
        confirmed: Callable[[], ProbeResults] = lambda: UNCONFIRMED,
        say: Callable[[str, Phrase], str] = lambda language, words: str(words),
        name_asker: bool = False,
    ) -> None:
        """``say`` translates a phrase into a language; ``name_asker``: a card for a whole group mentions the asker.

        ``confirmed`` tells whether values for single people are delivered; until then nobody gets any. ``sparing``
        returns the line that says that the month's calls run out, or None while they last. When they run out, the
        message's own webhook is tried first, as it costs no call (docs: platform/dingtalk/robots.md#session-webhooks).
        While the remaining calls are ``reserved`` for critical cards, it is the only way.
        """
        self._cards = cards
        self._robot = robot
        self._keys = keys
        self._templates = templates or TemplateChoice()
        self._now = now
        self._sparing = sparing
        self._reserved = reserved
        self._own_cards = DingTalkOwnCards(cards, keys, templates=templates, way=private_way, say=say)
        self._private_way = private_way
        self._confirmed = confirmed
        self._say = say
        self._name_asker = name_asker

    def readers_of(self, message: Message, cards: AnswerCards, *, interim: bool = False) -> CardReaders:
        if message.conversation.kind is not ConversationKind.GROUP:
            return CardReaders.ASKER
        if interim:
            alike = _same_for_all(message, cards) or not self._confirmed().private_values
            return CardReaders.ALL if alike else CardReaders.ALL_AND_ASKER
        way = self._private_way_of(message, cards)
        if way is None:
            return CardReaders.ALL
        return CardReaders.ALL_AND_ASKER if way is PrivateWay.PRIVATE_DATA else CardReaders.ASKER

    async def answer(
        self,
        message: Message,
        cards: AnswerCards,
        *,
        track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        """Send the answer to where ``message`` was written; see `bot.chat.answers.ports.AnswerChannel`.

        Raises `DingTalkCardUnconfirmed` if the card may be there already: the same ``track_id`` may be retried. Raises
        `DingTalkTextUnconfirmed` if a text may be there already. If all ways failed, raises an error that a later
        attempt may overcome; otherwise the webhook's error or, without a valid webhook, the card's.
        """
        cards, group = _for_conversation(message, cards)
        with spending(Purpose.QUESTION, group):
            return await self._answer(message, cards, track_id, before_fallback)

    async def show_interim(self, message: Message, card: Card, *, track_id: str) -> bool:
        """Send a card that becomes the answer later; see `bot.chat.answers.ports.AnswerChannel`.

        Not used while calls are scarce, as it costs one more.
        """
        if self._sparing(card.language) is not None or not _is_reachable(message):
            return False
        _, group = _for_conversation(message, AnswerCards(card))
        with spending(Purpose.QUESTION, group):
            try:
                await self._send_interim(message, card, track_id)
            except DingTalkOutcomeUnknown as error:
                raise _card_unconfirmed(error) from error
        return True

    async def replace_interim(
        self,
        message: Message,
        cards: AnswerCards,
        *,
        track_id: str,
        own_track_id: str,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        """Turn the card from `show_interim` into the answer; see `bot.chat.answers.ports.AnswerChannel`.

        Raises the errors of `answer`, and the card's own error if a later attempt may work: no text is sent then.
        """
        cards, group = _for_conversation(message, cards)
        with spending(Purpose.QUESTION, group):
            try:
                return await self._replace(message, cards, track_id, own_track_id)
            except DingTalkOutcomeUnknown as error:
                raise _card_unconfirmed(error) from error
            except DingerpError as error:
                if error.retry:
                    raise
                _log_failed_way(AnswerVia.CARD, cards.own, error)
                return await self._answer_in_words(message, cards, None, error, before_fallback)

    async def _answer(
        self, message: Message, cards: AnswerCards, track_id: str, before_fallback: Callable[[], Awaitable[None]]
    ) -> SentAnswer:
        line = self._sparing(cards.own.language)
        if line is not None and await self._answer_unbilled(message, cards, line, before_fallback):
            return SentAnswer(AnswerVia.WEBHOOK)
        robot_code = self._keys.robot(message.robot_code)
        private_way = self._private_way_of(message, cards)
        refusal: DingerpError
        if not _is_reachable(message):
            refusal = DingTalkNotReachable("a person outside the organisation in a direct chat")
        else:
            try:
                await self._send_card(message, cards, private_way, track_id, robot_code)
            except DingTalkOutcomeUnknown as error:
                raise _card_unconfirmed(error) from error
            except DingerpError as error:
                refusal = error
                _log_failed_way(AnswerVia.CARD, cards.own, error)
            else:
                if private_way is PrivateWay.DIRECT:
                    await self._point_to_chat(message, cards.own.language, before_fallback)
                return SentAnswer(AnswerVia.CARD if private_way is None else AnswerVia.OWN_CARD)
        return await self._answer_in_words(message, cards, private_way, refusal, before_fallback)

    async def _answer_in_words(
        self,
        message: Message,
        cards: AnswerCards,
        private_way: PrivateWay | None,
        refusal: DingerpError,
        before_fallback: Callable[[], Awaitable[None]],
    ) -> SentAnswer:
        """Send the answer as a text, after its card failed with ``refusal``."""
        await before_fallback()
        errors, robot_code = [refusal], self._keys.robot(message.robot_code)
        reachable = _is_reachable(message)
        # An exhausted month, refused keys or a missing token rule out another API call.
        if reachable and not isinstance(refusal, DingTalkQuotaExhausted | DingTalkAuthFailed | DingTalkNoToken):
            try:
                with falling_back():
                    await self._send_markdown(message, cards, private_way, robot_code)
            except DingTalkOutcomeUnknown as error:
                raise _text_unconfirmed(error) from error
            except DingerpError as error:
                errors.append(error)
                _log_failed_way(AnswerVia.MARKDOWN, cards.own, error)
            else:
                return SentAnswer(AnswerVia.MARKDOWN)
        last = refusal
        webhook = message.webhook
        if webhook is not None and webhook.expires_at > self._now():
            try:
                with falling_back():
                    await self._robot.answer_session(webhook, title=cards.shared.title, markdown=cards.shared.twin)
            except DingTalkOutcomeUnknown as error:
                raise _text_unconfirmed(error) from error
            except DingerpError as error:
                errors.append(last := error)
            else:
                return SentAnswer(AnswerVia.WEBHOOK)
        raise next((error for error in errors if error.retry), last)

    def _private_way_of(self, message: Message, cards: AnswerCards) -> PrivateWay | None:
        """Return how the asker alone gets the answer; None if everybody may see it, or the asker is unknown."""
        if cards.is_shared or message.sender.staff_id is None:
            return None
        if self._private_way is not PrivateWay.PRIVATE_DATA:
            return self._private_way
        # Cards of two kinds may have two templates.
        arrives = self._confirmed().private_values and cards.own.name == cards.shared.name
        return PrivateWay.PRIVATE_DATA if arrives else PrivateWay.RECIPIENTS

    async def _answer_unbilled(
        self, message: Message, cards: AnswerCards, line: str, before_fallback: Callable[[], Awaitable[None]]
    ) -> bool:
        """Answer through the message's webhook, if it has one; ``line`` says that calls are scarce.

        Raises the webhook's error if no other way is allowed.
        """
        webhook = message.webhook
        card = cards.shared
        refusal: DingerpError = DingTalkQuotaExhausted("the last calls of the month are kept for critical cards")
        if webhook is not None and webhook.expires_at > self._now():
            try:
                await before_fallback()
            except AnswerUnconfirmed:
                return False  # an earlier card may be there: only the same card may be retried
            try:
                with falling_back():
                    await self._robot.answer_session(webhook, title=card.title, markdown=f"{card.twin}\n\n{line}")
            except DingTalkOutcomeUnknown as error:
                raise _text_unconfirmed(error) from error
            except DingerpError as error:
                refusal = error
                _log_failed_way(AnswerVia.WEBHOOK, card, error)
            else:
                return True
        if self._reserved():
            raise refusal
        return False

    async def _replace(self, message: Message, cards: AnswerCards, track_id: str, own_track_id: str) -> SentAnswer:
        """Update the card to the answer, or create it as the answer."""
        where, person = message.conversation, message.sender.staff_id
        called = _called(message.sender) if self._name_asker and where.kind is ConversationKind.GROUP else NOBODY_CALLED
        template, made_as = self._templates.of(InterimNotice.card), InterimNotice.card
        params = changed_params(naming(cards.shared, called, template.budget), template, made_as)
        alike = _same_for_all(message, cards)
        apart = not alike and not self._confirmed().private_values
        own = {} if alike or apart else changed_params(naming(cards.own, called, template.budget), template, made_as)
        private = _private_values(person, params, own)
        try:
            await self._cards.update(track_id, params, private)
        except DingTalkRefused as refusal:
            if refusal.code != CARD_GONE:
                raise
            await self._cards.create_and_deliver(
                track_id=track_id,
                params=params,
                template_id=template.template_id,
                spaces=[CardSpace(where, person)],
                summary=cards.shared.title,
                robot_code=self._keys.robot(message.robot_code),
                private=private,
                called=called,
            )
        if apart and person is not None:
            await self._own_cards.show(cards.own, user_id=person, where=where, track_id=own_track_id)
        return SentAnswer(AnswerVia.CARD if alike else AnswerVia.OWN_CARD)

    async def _send_interim(self, message: Message, card: Card, track_id: str) -> None:
        """Create the card; the list of conversations shows the question, which stays true once the answer is there."""
        where, person = message.conversation, message.sender.staff_id
        called = _called(message.sender) if self._name_asker and where.kind is ConversationKind.GROUP else NOBODY_CALLED
        template = self._templates.of(card.name)
        line = clean(message.text, _MAX_QUESTION)
        await self._cards.create_and_deliver(
            track_id=track_id,
            params=card_params(naming(card, called, template.budget), template),
            template_id=template.template_id,
            spaces=[CardSpace(where, person)],
            summary=self._say(card.language, phrase("Answer to: %(line)s", line=line) if line else YOUR_ANSWER),
            robot_code=self._keys.robot(message.robot_code),
            called=called,
            announces=card.title,
        )

    async def _send_card(
        self, message: Message, cards: AnswerCards, way: PrivateWay | None, track_id: str, robot_code: str
    ) -> None:
        group, person = message.conversation, message.sender.staff_id
        shared = way in (None, PrivateWay.PRIVATE_DATA)
        names = self._name_asker and shared and group.kind is ConversationKind.GROUP
        called = _called(message.sender) if names else NOBODY_CALLED
        card = cards.shared if shared else cards.own
        template = self._templates.of(card.name)
        params = card_params(naming(card, called, template.budget), template)
        own = naming(cards.own, called, template.budget)
        own_params = card_params(own, template) if way is PrivateWay.PRIVATE_DATA else {}
        where = Conversation(group.id, ConversationKind.DIRECT) if way is PrivateWay.DIRECT else group
        await self._cards.create_and_deliver(
            track_id=track_id,
            params=params,
            template_id=template.template_id,
            spaces=[CardSpace(where, person)],
            summary=self._say(card.language, ONLY_YOU) if way is PrivateWay.RECIPIENTS else card.title,
            robot_code=robot_code,
            recipients=[person] if person is not None and way is PrivateWay.RECIPIENTS else (),
            private=_private_values(person, params, own_params),
            called=called,
        )

    async def _send_markdown(
        self, message: Message, cards: AnswerCards, way: PrivateWay | None, robot_code: str
    ) -> None:
        group, person = message.conversation, message.sender.staff_id
        own_chat = group.kind is ConversationKind.DIRECT or way is PrivateWay.DIRECT
        if own_chat and person is not None:
            await self._robot.send_to_people([person], robot_code, title=cards.own.title, markdown=cards.own.twin)
        else:
            await self._robot.send_to_group(group.id, robot_code, title=cards.shared.title, markdown=cards.shared.twin)

    async def _point_to_chat(
        self, message: Message, language: str, before_fallback: Callable[[], Awaitable[None]]
    ) -> None:
        """Say in the group where the answer is. Only by webhook, which costs no call, and never twice."""
        webhook = message.webhook
        if webhook is None or webhook.expires_at <= self._now():
            return
        words = self._say(language, IN_YOUR_CHAT)
        try:
            await before_fallback()
            with falling_back():
                await self._robot.answer_session(webhook, title=words, markdown=words)
        except DingerpError as error:
            # The answer itself has arrived.
            _log.info("answer_not_pointed_to", error=type(error).__name__, detail=error.detail)


def _called(sender: Sender) -> Mapping[str, str]:
    """Return the people an answer mentions: the asker, with their name."""
    asker = sender.staff_id
    return {asker: sender.nick or asker} if asker is not None and can_be_called(asker) else NOBODY_CALLED


def _private_values(
    person: str | None, shared: Mapping[str, str], own: Mapping[str, str]
) -> Mapping[str, Mapping[str, str]]:
    """Return the asker's values in place of the shared ones; empty if one of them is too long.

    The group's card then has a button that shows the asker the whole answer.
    """
    if not own:
        return {}
    different = {name: value for name, value in own.items() if value != shared[name]}
    if person is None or any(len(value.encode()) > MAX_PRIVATE_VALUE for value in different.values()):
        return {}
    return {person: different} if different else {}


def _is_reachable(message: Message) -> bool:
    """Return whether a card or robot message can be sent to where a message was written."""
    return message.conversation.kind is ConversationKind.GROUP or message.sender.staff_id is not None


def _same_for_all(message: Message, cards: AnswerCards) -> bool:
    """Return whether nobody gets private values: everybody may see the answer, or the asker is unknown."""
    return cards.is_shared or message.sender.staff_id is None


def _for_conversation(message: Message, cards: AnswerCards) -> tuple[AnswerCards, str]:
    """Return the cards for a message's conversation, and the group to which their calls are charged."""
    if message.conversation.kind is ConversationKind.GROUP:
        return cards, message.conversation.id
    return AnswerCards(cards.own), ""  # the asker is everybody there


def _card_unconfirmed(error: DingTalkOutcomeUnknown) -> DingTalkCardUnconfirmed:
    return DingTalkCardUnconfirmed(error.detail, code=error.code, request_id=error.request_id)


def _text_unconfirmed(error: DingTalkOutcomeUnknown) -> DingTalkTextUnconfirmed:
    return DingTalkTextUnconfirmed(error.detail, code=error.code, request_id=error.request_id)


def _log_failed_way(via: AnswerVia, card: Card, error: DingerpError) -> None:
    _log.warning("answer_way_failed", via=via.value, card=card.name, error=type(error).__name__, detail=error.detail)
