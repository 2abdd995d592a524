"""Sends the probe cards that ask an administrator what they see (`bot.chat.answers.card_probes`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from bot.access.policy import ADMIN
from bot.admin.database import OperatorAction, open_database, require_database
from bot.bootstrap.factories import open_api, templates
from bot.cards.language import choose_language, load_languages
from bot.cards.track_ids import TrackIds
from bot.chat.answers.card_probes import CARD_NAME, CardProbe, ProbeNumbers, probe_card
from bot.chat.message import Conversation, ConversationKind
from bot.dingtalk.card_api import CardApi, CardSpace
from bot.dingtalk.card_wire import CardTemplate, TemplateChoice, changed_params
from bot.dingtalk.openapi import pooled_session
from bot.mechanisms.metrics import Metrics
from bot.outbox.spending import Purpose, spending
from bot.settings import Settings
from bot.store.chat.card_probes import StoredCardProbes
from bot.store.database import Database
from bot.store.people import StoredPeople
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import Phrase


async def send_probes(settings: Settings, to: str, now: Callable[[], datetime]) -> str:
    """Send a card for each template in use to ``to``, by default the first administrator; return the recipient.

    The running bot handles the taps. Raises `ConfigurationError` if nobody can be asked or a card is refused.
    """
    action = OperatorAction(command="doctor --probe", detail=f"to {to}" if to else "")
    async with open_database(settings, action) as opened:
        database = require_database(opened)
        person = to or await _administrator(settings, database, now)
        probes = StoredCardProbes(database)
        await probes.load()
        async with pooled_session(proxy=settings.dingtalk.proxy or None) as session:
            api = open_api(settings, session, Metrics())
            sender = _ProbeSender(settings, CardApi(api), api.keys.robot_code)
            for made_as, template in _each_template(templates(settings)):
                probe = _new_probe(settings, template, person, now())
                known = probes.known().get(template.template_id)
                if known is not None:  # what was confirmed holds until it is revoked
                    probe = replace(probe, private_values=known.private_values, own_answers=known.own_answers)
                # A tap may come before the call has returned.
                await probes.put(probe)
                try:
                    await sender.send(probe, template, made_as)
                except DingerpError as error:
                    raise ConfigurationError(f"the card was not sent: {error.detail}") from error
        return person


async def _administrator(settings: Settings, database: Database, now: Callable[[], datetime]) -> str:
    people = [*sorted(settings.access.roles.get(ADMIN, ())), *await StoredPeople(database, now=now).administrators()]
    if not people:
        raise ConfigurationError("nobody is known as an administrator; name who gets the card: --to USERID")
    return people[0]


def _each_template(choice: TemplateChoice) -> Iterator[tuple[str, CardTemplate]]:
    """Yield each template once, with the name of a card that uses it: its buttons carry that name."""
    seen: set[str] = set()
    for name, template in ((CARD_NAME, choice.of(CARD_NAME)), ("default", choice.default), *choice.by_card.items()):
        if template.template_id not in seen:
            seen.add(template.template_id)
            yield name, template


def _new_probe(settings: Settings, template: CardTemplate, user_id: str, now: datetime) -> CardProbe:
    tracks = TrackIds(settings.dingtalk.client_secret.get_secret_value())
    track_id = tracks.for_probe(f"{template.template_id}\0{now.isoformat()}", user_id)
    return CardProbe(template=template.template_id, track_id=track_id, user_id=user_id, sent_at=now)


class _ProbeSender:
    def __init__(self, settings: Settings, cards: CardApi, robot_code: str) -> None:
        self._settings = settings
        self._cards = cards
        self._robot_code = robot_code
        self._languages = load_languages()

    async def send(self, probe: CardProbe, template: CardTemplate, made_as: str) -> None:
        language, numbers = self._language(probe.user_id), ProbeNumbers.of(probe.track_id)
        public, private = (
            changed_params(probe_card(number, numbers, language, self._say), template, made_as)
            for number in (numbers.public, numbers.private)
        )
        with spending(Purpose.OTHER):
            await self._cards.create_and_deliver(
                track_id=probe.track_id,
                params=public,
                template_id=template.template_id,
                spaces=[CardSpace(Conversation("", ConversationKind.DIRECT), probe.user_id)],
                # The list of conversations must not reveal a number.
                summary=probe_card("", numbers, language, self._say).title,
                robot_code=self._robot_code,
                private={probe.user_id: _different(private, public)},
            )

    def _language(self, user_id: str) -> str:
        return self._settings.languages.get(user_id, self._settings.language)

    def _say(self, language: str, words: Phrase) -> str:
        return choose_language(self._languages, language).say(words)


def _different(private: Mapping[str, str], public: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in private.items() if value != public[name]}
