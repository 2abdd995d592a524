"""Sends cards on the bot's initiative: to groups, and to people's chats with the bot.

Docs: platform/dingtalk/cards.md, platform/dingtalk/robots.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.cards.card import Card
from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.apis import AppKeys
from bot.dingtalk.card_api import CardApi, CardSpace
from bot.dingtalk.card_wire import CardTemplate, TemplateChoice, card_params, changed_params
from bot.dingtalk.mentions import can_be_called, naming
from bot.dingtalk.robot import Robot
from bot.dingtalk.send_failures import create_failure, translating_errors
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place, PlaceKind
from bot.outbox.ports import NOBODY_CALLED, NOBODYS, SendFailed, SendFailureKind


class DingTalkMessenger:
    """The messenger for cards; each kind of card has its template, as for answers."""

    def __init__(
        self,
        cards: CardApi,
        robot: Robot,
        keys: AppKeys,
        *,
        templates: TemplateChoice | None = None,
    ) -> None:
        self._cards = cards
        self._robot = robot
        self._robot_code = keys.robot_code
        self._templates = templates or TemplateChoice()

    async def show(
        self,
        places: Sequence[Place],
        track_id: str,
        card: Card,
        *,
        own: Mapping[str, Card] = NOBODYS,
        called: Mapping[str, str] = NOBODY_CALLED,
    ) -> tuple[Place, ...]:
        called = {user_id: name for user_id, name in called.items() if can_be_called(user_id)}
        template = self._templates.of(card.name)
        spaces = {_space_of(place): place for place in places}
        with translating_errors(create_failure):
            params = card_params(naming(card, called, template.budget), template)
            missed = await self._cards.create_and_deliver(
                track_id=track_id,
                params=params,
                template_id=template.template_id,
                spaces=list(spaces),
                summary=card.title,
                robot_code=self._robot_code,
                private=_own_params(own, template, params),
                called=called,
            )
        return tuple(spaces[space] for space in missed)

    async def change(self, track_id: str, card: Card, made_as: str, own: Mapping[str, Card] = NOBODYS) -> None:
        """Update a card in the template it was created with, and ``own`` values for single people.

        Variables without a field in the new kind of card become empty.
        """
        with translating_errors():
            template = self._templates.of(made_as or card.name)
            private = {user_id: changed_params(seen, template, made_as) for user_id, seen in own.items()}
            await self._cards.update(track_id, changed_params(card, template, made_as), private)

    async def write(self, place: Place, card: Card) -> None:
        """Send the text twin as markdown."""
        with translating_errors():
            if place.kind is PlaceKind.PERSON:
                await self._robot.send_to_people([place.id], self._robot_code, title=card.title, markdown=card.twin)
            else:
                await self._robot.send_to_group(place.id, self._robot_code, title=card.title, markdown=card.twin)

    async def ding(self, place: Place, card: Card, way: DingWay) -> None:
        if way is DingWay.OFF or place.kind is not PlaceKind.PERSON:
            raise SendFailed(SendFailureKind.HOPELESS, "nobody is called: neither a rule nor notify.ding says how")
        with translating_errors():
            await self._robot.ding([place.id], self._robot_code, way, content=card.title)


def _space_of(place: Place) -> CardSpace:
    if place.kind is PlaceKind.PERSON:
        return CardSpace(Conversation(place.id, ConversationKind.DIRECT), place.id)
    return CardSpace(Conversation(place.id, ConversationKind.GROUP))


def _own_params(
    own: Mapping[str, Card], template: CardTemplate, params: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return by userId the variables that differ on a person's card."""
    seen = {user_id: card_params(card, template).items() - params.items() for user_id, card in own.items()}
    return {user_id: dict(different) for user_id, different in seen.items() if different}
