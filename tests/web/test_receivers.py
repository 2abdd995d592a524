"""Events as they are posted: signed, without redirects, and only where the operator allows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from bot.access.people import MembershipDoubt, Person
from bot.alerts.intake.signatures import SignedRequest, StandardWebhooksSignature
from bot.bootstrap.receivers import receivers_of
from bot.outbox.happenings import Happening, HappeningType, Receiver
from bot.outbox.receiver_lane import EventMessage, EventNotTaken
from bot.settings import load_settings
from bot.web.receivers import OWNER_LEFT, EventAddress, EventLetters, WebhookSender
from bot.words.errors import ConfigurationError
from tests.rows import each_row
from tests.web.receiving_program import OLD_SECRET, SECRET, ReceivingProgram, receiving_program

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
MESSAGE = EventMessage("msg_1", b'{"test": 2432232314}')


@pytest.fixture
async def program() -> AsyncIterator[ReceivingProgram]:
    async with receiving_program() as program:
        yield program


async def post(url: str, *secrets: str, is_private: bool = True) -> None:
    signer = StandardWebhooksSignature(secrets or (SECRET,))
    address = EventAddress(url=URL(url), signer=signer, is_private=is_private, timeout=5)
    sender = WebhookSender({"flow": address}, lambda: NOW)
    try:
        await sender.send("flow", MESSAGE)
    finally:
        await sender.close()


def test_the_signature_is_that_of_the_published_example() -> None:
    """The vector of the standard's reference libraries (github.com/standard-webhooks/standard-webhooks)."""
    signer = StandardWebhooksSignature(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    sent = datetime.fromtimestamp(1614265330, UTC)
    headers = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", MESSAGE.body, sent)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert signer.open(SignedRequest(headers, {}, MESSAGE.body), sent) == MESSAGE.body


@each_row("secret", [SECRET, OLD_SECRET])
async def test_while_secrets_change_both_verify(program: ReceivingProgram, secret: str) -> None:
    program.secret = secret
    await post(program.url, SECRET, OLD_SECRET)
    assert program.ids[-1] == MESSAGE.id


@each_row(
    "status, headers, wait, is_refusal",
    [
        (503, {}, None, False),
        (429, {"Retry-After": "120"}, 120.0, False),
        (503, {"Retry-After": "Tue, 24 Nov 2026 02:31:00 GMT"}, 60.0, False),
        (503, {"Retry-After": "soon"}, None, False),
        (401, {}, None, False),
        (422, {}, None, True),
        (302, {"Location": "http://127.0.0.1:9/elsewhere"}, None, False),
    ],
)
async def test_an_answer_says_whether_an_event_was_taken(
    program: ReceivingProgram, status: int, headers: dict[str, str], wait: float | None, is_refusal: bool
) -> None:
    program.answers = [web.Response(status=status, headers=headers)]
    with pytest.raises(EventNotTaken) as raised:
        await post(program.url)
    assert (raised.value.detail, raised.value.retry_after) == (f"HTTP {status}", wait)
    assert raised.value.is_refusal is is_refusal
    assert not program.got


async def test_what_does_not_answer_is_tried_again_and_its_address_is_not_told(program: ReceivingProgram) -> None:
    closed = str(URL(program.url).with_port(9))
    with pytest.raises(EventNotTaken) as raised:
        await post(f"{closed}?token=secret")
    assert raised.value.detail == "not reached: ClientConnectorError"


@each_row("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_an_address_inside_the_network_is_called_only_if_the_operator_says_so(
    program: ReceivingProgram, host: str
) -> None:
    with pytest.raises(EventNotTaken, match="inside the network"):
        await post(f"http://{host}:{URL(program.url).port}/events", is_private=False)
    assert not program.calls


@each_row(
    "change, says",
    [
        ({"url": "ftp://flow.example/events"}, "https"),
        ({"url": "http://flow.example/events"}, "https"),
        ({"secret": "not-one"}, "whsec_"),
        ({"types": ["alerts.*"]}, "is no type of events"),
    ],
)
def test_wrong_settings_are_refused_before_the_start(change: dict[str, object], says: str) -> None:
    values = {"url": "https://flow.example/events", "owner": "boss01", "secret": SECRET, **change}
    with pytest.raises(ConfigurationError, match=says):
        receivers_of(load_settings(receivers={"flow": values}))


@each_row(
    "person, says",
    [
        (Person(user_id=None, name=""), OWNER_LEFT),
        (Person(user_id=None, name="", doubt=MembershipDoubt.NO_ANSWER), "nobody can say"),
    ],
)
async def test_without_its_owner_a_program_is_told_nothing(person: Person, says: str) -> None:
    async def identify(_user_id: str) -> Person:
        return person

    nothing: Any = None
    letters = EventLetters(answers=nothing, identify=identify, language_of=lambda _: nothing)
    happening = Happening(
        type=HappeningType.ALERT_OPENED, at=NOW, source="main", subject="alerts/1", line="/alerts 1 all", card="alert"
    )
    with pytest.raises(EventNotTaken) as raised:
        await letters.write(Receiver(name="flow", owner="gone01", types=("*",)), "1", happening)
    assert says in raised.value.detail
