"""Sends cards without a question: to groups, and to people's chats with the bot.

Docs: platform/dingtalk/cards.md, platform/dingtalk/robots.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from bot.cards.card import Card
from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.card_api import CARD_GONE, CardApi, CardSpace
from bot.dingtalk.card_wire import CardTemplate, TemplateChoice, card_params, changed_params
from bot.dingtalk.errors import (
    DingTalkAccessDenied,
    DingTalkAuthFailed,
    DingTalkError,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkScopeMissing,
    DingTalkTokenExpired,
)
from bot.dingtalk.robot import DingWay, Robot
from bot.errors import ConfigurationError, DingerpError
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import NOBODYS, SendFailed, SendFailureKind

_NO_SUCH_PLACE = frozenset({"param.openSpaceIdEmpty", "param.openSpaceIdInvalid", "param.userIdNotExist"})
"""Codes of places that do not exist (docs: platform/dingtalk/cards.md#errors): a text would not arrive either."""

_PLAIN_REASONS = MappingProxyType(
    {
        "chatbotNotInstall": "the bot is not in this group: add it there",
        "resource.not.found": "the bot is not in this group, or does not exist: add it there",
        "resource.unavailable": "the bot is switched off or not in this group",
        "invalid.openConversationId": "there is no such group: correct the route",
        "miss.openConversationId": "there is no such group: correct the route",
        "group.disbanded": "the group was disbanded: correct the route",
        "conversation.org.notMatch": "the group belongs to another organisation",
        "staffId.notExisted": "there is no such person in the organisation",
        "bot.stopped": "the bot is stopped in DingTalk's console",
        "bot.forbidden.sendMessage": "the bot may not send messages",
        "send.forbidden": "the bot may not send messages here",
        "chatbotId.notAllow.sendOTO": "the bot may not write to people by itself",
        "robot.oto.notExist": "the bot has no chats with people",
        "param.openSpaceIdInvalid": "there is no such group or person: correct the route",
        "param.openSpaceIdEmpty": "there is no such group or person: correct the route",
        "param.userIdNotExist": "there is no such person in the organisation",
    }
)
"""Explanations for the operator of codes that need a correction (docs: platform/dingtalk/cards.md#errors,
platform/dingtalk/robots.md#errors)."""


class DingTalkMessenger:
    """Implements `bot.outbox.ports.Messenger`; each kind of card has its template, as for answers."""

    def __init__(
        self,
        cards: CardApi,
        robot: Robot,
        keys: AppKeys,
        *,
        templates: TemplateChoice | None = None,
        ding: DingWay | None = None,
    ) -> None:
        """``ding`` is how people are called, if they are."""
        self._cards = cards
        self._robot = robot
        self._robot_code = keys.robot_code
        self._templates = templates or TemplateChoice()
        self._ding = ding

    async def show(self, place: Place, track_id: str, card: Card) -> None:
        """Make the card appear."""
        await self.show_together([place], track_id, card)

    async def show_together(
        self, places: Sequence[Place], track_id: str, card: Card, own: Mapping[str, Card] = NOBODYS
    ) -> tuple[Place, ...]:
        """Make one card appear at all these places by one call, and return those where it does not stand."""
        template = self._templates.of(card.name)
        spaces = {_space_of(place): place for place in places}
        with _translating_errors(_create_failure):
            params = card_params(card, template)
            missed = await self._cards.create_at_several(
                track_id=track_id,
                params=params,
                template_id=template.template_id,
                spaces=list(spaces),
                summary=card.title,
                robot_code=self._robot_code,
                private=_own_params(own, template, params),
            )
        return tuple(spaces[space] for space in missed)

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        """Let a card show this content, in the template that it was made with, and ``own`` to single people.

        Variables that the new kind of card has no field for become empty.
        """
        with _translating_errors(_update_failure):
            template = self._templates.of(made_as or card.name)
            private = {user_id: changed_params(seen, template, made_as) for user_id, seen in own.items()}
            await self._cards.update(track_id, changed_params(card, template, made_as), private)

    async def write(self, place: Place, card: Card) -> None:
        """Send the text twin as markdown."""
        with _translating_errors(_update_failure):
            if place.kind is PlaceKind.PERSON:
                await self._robot.send_to_people([place.id], self._robot_code, title=card.title, markdown=card.twin)
            else:
                await self._robot.send_to_group(place.id, self._robot_code, title=card.title, markdown=card.twin)

    async def ding(self, place: Place, card: Card) -> None:
        """Call a person with the card's title."""
        if self._ding is None or place.kind is not PlaceKind.PERSON:
            raise SendFailed(SendFailureKind.HOPELESS, "nobody is called: notify.ding is off")
        with _translating_errors(_update_failure):
            await self._robot.ding([place.id], self._robot_code, self._ding, content=card.title)


def _space_of(place: Place) -> CardSpace:
    if place.kind is PlaceKind.PERSON:
        return CardSpace(Conversation(place.id, ConversationKind.DIRECT), place.id)
    return CardSpace(Conversation(place.id, ConversationKind.GROUP))


def _own_params(
    own: Mapping[str, Card], template: CardTemplate, params: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return by userId the variables in which a person's card is another one."""
    seen = {user_id: card_params(card, template).items() - params.items() for user_id, card in own.items()}
    return {user_id: dict(different) for user_id, different in seen.items() if different}


@contextmanager
def _translating_errors(refused: Callable[[DingerpError], SendFailureKind]) -> Iterator[None]:
    """Turn DingTalk's errors into `SendFailed`; ``refused`` classifies those that a repetition meets again."""
    try:
        yield
    except DingTalkError as error:
        kind = _common_failure(error) or refused(error)
        raise SendFailed(kind, _reason(error), retry_after=error.retry_after) from error
    except ConfigurationError as error:
        # The template's mapping names a field that this card does not have: a text can be sent all the same.
        raise SendFailed(refused(error), error.detail) from error


def _common_failure(error: DingTalkError) -> SendFailureKind | None:
    """Return the meaning of an error for any call; None where it depends on the call."""
    match error:
        case DingTalkRateLimited():
            return SendFailureKind.LIMITED
        case DingTalkQuotaExhausted():
            return SendFailureKind.SPENT
        case DingTalkOutcomeUnknown():
            return SendFailureKind.UNKNOWN
        case DingTalkTokenExpired():
            return SendFailureKind.BUSY
        case _ if error.retry:
            return SendFailureKind.BUSY
    return None


def _create_failure(error: DingerpError) -> SendFailureKind:
    if isinstance(error, DingTalkRefused) and error.code in _NO_SUCH_PLACE:
        return SendFailureKind.HOPELESS
    if isinstance(error, DingTalkAuthFailed | DingTalkAccessDenied) and not isinstance(error, DingTalkScopeMissing):
        return SendFailureKind.SETUP
    return SendFailureKind.NO_CARDS


def _update_failure(error: DingerpError) -> SendFailureKind:
    if isinstance(error, DingTalkRefused) and error.code == CARD_GONE:
        return SendFailureKind.GONE
    return (
        SendFailureKind.SETUP
        if isinstance(error, DingTalkAuthFailed | DingTalkAccessDenied)
        else SendFailureKind.HOPELESS
    )


def _reason(error: DingTalkError) -> str:
    """Return an explanation, followed by DingTalk's own words."""
    plain = _PLAIN_REASONS.get(error.code)
    return f"{plain} ({error.detail})" if plain else error.detail
