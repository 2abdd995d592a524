"""The wire to a model, whatever the endpoint does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from bot.erp.errors import AuthFailed, ErpError, Unavailable
from bot.understanding.language_model.endpoint import OpenAiEndpoint
from bot.understanding.language_model.ports import BadReply, ModelReply, PassingFailure
from bot.understanding.language_model.request import ModelRequest

from .fake_model import FakeModel

REQUEST = ModelRequest(instructions="the commands", sentence='{"sentence":"SO-1001"}')


@pytest.fixture
async def endpoint(fake: FakeModel) -> AsyncIterator[OpenAiEndpoint]:
    endpoint = OpenAiEndpoint(url=fake.url, key="hush", model="qwen", follows_schema=True, seconds=5)
    yield endpoint
    await endpoint.close()


async def test_it_is_asked_for_an_answer_by_schema(fake: FakeModel, endpoint: OpenAiEndpoint) -> None:
    fake.say("/order SO-1001")
    reply = await endpoint.ask(REQUEST)
    assert reply == ModelReply(text='{"line":"/order SO-1001"}', prompt_tokens=700, answer_tokens=9)
    (asked,) = fake.asked
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("qwen", 0, 200)
    assert asked["response_format"]["json_schema"]["schema"]["required"] == ["line"]
    assert [message["content"] for message in asked["messages"]] == [REQUEST.instructions, REQUEST.sentence]
    assert fake.keys == ["Bearer hush"]


async def test_an_endpoint_without_schemas_is_asked_for_json(fake: FakeModel) -> None:
    endpoint = OpenAiEndpoint(url=fake.url, key="", model="deepseek", follows_schema=False, seconds=5)
    fake.say("")
    await endpoint.ask(REQUEST)
    await endpoint.close()
    assert fake.asked[0]["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("misbehave", "error"),
    [
        (lambda fake: fake.give(b"<html>maintenance</html>"), BadReply),
        (lambda fake: fake.give(b""), BadReply),
        (lambda fake: fake.give(b"[1, 2]"), BadReply),
        (lambda fake: fake.give(b'{"choices": []}'), BadReply),
        (lambda fake: fake.write(None, usage={"prompt_tokens": -1, "completion_tokens": 1}), BadReply),
        (lambda fake: fake.write(None, usage={"prompt_tokens": 10**12, "completion_tokens": 1}), BadReply),
        (lambda fake: fake.write("x" * 70_000), BadReply),
        (lambda fake: fake.pour(), BadReply),
        (lambda fake: fake.pour(500), BadReply),
        (lambda fake: fake.give(b"{}", 500), PassingFailure),
        (lambda fake: fake.give(b"busy", 503), PassingFailure),
        (lambda fake: fake.hang_up(), PassingFailure),
        (lambda fake: fake.give(b"{}", 429), Unavailable),
        (lambda fake: fake.give(b'{"error": "no such model"}', 404), Unavailable),
        (lambda fake: fake.give(b"{}", 400), Unavailable),
        (lambda fake: fake.give(b"", 307, Location="/elsewhere"), Unavailable),
        (lambda fake: fake.give(b"{}", 401), AuthFailed),
        (lambda fake: fake.give(b"{}", 403), AuthFailed),
    ],
)
async def test_each_failure_has_its_reaction(
    fake: FakeModel, endpoint: OpenAiEndpoint, misbehave: Callable[[FakeModel], None], error: type[ErpError]
) -> None:
    misbehave(fake)
    with pytest.raises(error) as caught:
        await endpoint.ask(REQUEST)
    assert type(caught.value) is error
    assert len(fake.asked) == 1, "it is repeated by whoever counts the calls"
    assert "SO-1001" not in caught.value.detail


async def test_an_answer_without_words_or_usage_is_an_empty_text(fake: FakeModel, endpoint: OpenAiEndpoint) -> None:
    fake.write(None, usage=None)
    assert await endpoint.ask(REQUEST) == ModelReply(text="")
