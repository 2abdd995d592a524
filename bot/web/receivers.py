"""Programs that are told what happens: CloudEvents, posted to their addresses as signed Standard Webhooks.

What an event holds is the answer that the API would give the receiver's owner at this moment: it goes through the same
rules, records and cuts. So nothing that is owed lies in the database, and nobody is told what they may no longer see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol

import aiohttp
import orjson
from yarl import URL

from bot.access.people import MembershipDoubt, Person
from bot.cards.language import Language
from bot.chat.answers.page_answers import PageAnswers
from bot.chat.message import Conversation, ConversationKind
from bot.chat.questions.failures import NO_ANSWER_NOW
from bot.mechanisms.outside_hosts import OutsideResolver, is_inside
from bot.outbox.happenings import TYPE_PREFIX, Happening, Receiver
from bot.outbox.receiver_lane import EVENT_MEDIA, EventMessage, EventNotRead, EventNotTaken
from bot.web.api.records import Json, write_view

RECEIVER_PLACE = "receiver:"
"""How the place of what a receiver is told begins; its name follows."""
OWNER_LEFT = "its owner is no member of the organisation (any more)"

_REFUSED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers about the event itself; all others are about the receiver."""
_ALL_LINES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLetters:
    """Writes events as their receivers' owners may see them now."""

    answers: PageAnswers
    identify: Callable[[str], Awaitable[Person]]
    """Returns the person of a userId as they are now."""
    language_of: Callable[[str], Language]

    async def write(self, receiver: Receiver, event_id: str, happening: Happening) -> EventMessage | None:
        """Return the event; None if the owner may not see what it is about, or that is gone.

        Raises `EventNotTaken` while there is no owner, and `EventNotRead` without an answer.
        """
        person = await self.identify(receiver.owner)
        if person.user_id is None:
            doubt = "nobody can say at the moment whether its owner is a member"
            raise EventNotTaken(OWNER_LEFT if person.doubt is not MembershipDoubt.NO_ANSWER else doubt)
        place = Conversation(f"{RECEIVER_PLACE}{receiver.name}", ConversationKind.DIRECT)
        found = await self.answers.look_up(person, happening.line, place=place, rows=_ALL_LINES, is_question=False)
        if found.answer.outcome in NO_ANSWER_NOW:
            raise EventNotRead(f"what happened cannot be read: {found.answer.outcome}")
        if found.view.card != happening.card:
            return None
        view = write_view(found.view, self.language_of(person.language))
        body = orjson.dumps(cloud_event(event_id, happening, view))
        return EventMessage(event_id, body, happening.subject)


def cloud_event(event_id: str, happening: Happening, view: Json) -> dict[str, Json]:
    """Return the CloudEvent (1.0, structured JSON); ``view`` is what it is about, as the API writes it."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/dingerp/{happening.source}",
        "type": f"{TYPE_PREFIX}{happening.type}",
        "subject": happening.subject,
        "time": happening.at.isoformat(),
        "datacontenttype": "application/json",
        "data": {"line": happening.line, "view": view},
    }


class Signer(Protocol):
    """Signs what is sent to one receiver."""

    def sign(self, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """Return the headers that prove it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAddress:
    """Where a receiver's events go. The address may hold a token and is not shown."""

    url: URL = field(repr=False)
    signer: Signer
    is_private: bool
    """Whether it may be inside the network."""
    timeout: float
    """Seconds."""


class WebhookSender:
    """Posts events. Redirects are not followed: the address is the one that the operator chose."""

    def __init__(self, addresses: Mapping[str, EventAddress], now: Callable[[], datetime]) -> None:
        """``addresses`` are those of the receivers, by name. Close it afterwards."""
        self._addresses = addresses
        self._now = now
        self._sessions = {is_private: _session(is_private) for is_private in _kinds(addresses.values())}

    async def close(self) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            await session.close()

    async def send(self, receiver: str, message: EventMessage) -> None:
        """Post an event. Raises `EventNotTaken` unless the answer says that it was taken."""
        to, now = self._addresses[receiver], self._now()
        if not to.is_private and is_inside(to.url.host or ""):
            raise _inside()
        headers = {
            **to.signer.sign(message.id, message.body, now),
            "Content-Type": EVENT_MEDIA,
            "User-Agent": "dingerp",
        }
        try:
            async with self._sessions[to.is_private].post(
                to.url,
                data=message.body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=to.timeout),
                allow_redirects=False,
            ) as response:
                status, asked = response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # The text of such an error may hold the address.
            raise EventNotTaken(f"not reached: {type(error).__name__}") from None
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            wait = _seconds_until(asked, now)
            raise EventNotTaken(f"HTTP {status}", retry_after=wait, is_refusal=status in _REFUSED)


def _kinds(addresses: Collection[EventAddress]) -> set[bool]:
    return {address.is_private for address in addresses}


def _session(is_private: bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(resolver=None if is_private else OutsideResolver(_inside))
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


def _inside() -> EventNotTaken:
    return EventNotTaken("its address is inside the network: the receiver's setting `private` allows that")


def _seconds_until(said: str, now: datetime) -> float | None:
    """Return the seconds that an answer asks to wait (``Retry-After``: seconds or a time); None without any."""
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - now).total_seconds())
    except (TypeError, ValueError):
        return None
