"""The wire to a language model: any endpoint with OpenAI's chat completions, through the package ``openai``.

Imported only if a model is configured; the package is the extra ``model``.
"""

from __future__ import annotations

from typing import Any

import openai
from openai.types.shared_params import ResponseFormatJSONObject, ResponseFormatJSONSchema
from openai.types.shared_params.response_format_json_schema import JSONSchema
from pydantic import BaseModel, Field, ValidationError

from bot.erp.errors import AuthFailed, ErpError, Unavailable
from bot.understanding.language_model.ports import BadReply, ModelReply, PassingFailure
from bot.understanding.language_model.request import ANSWER_SCHEMA, ModelRequest

MAX_REPLY_BYTES = 65_536
"""Bytes of an HTTP answer that are read: a line in JSON has 200, with all around it some thousand."""
SOURCE = "language model"
"""How errors name it."""
_MAX_TOKENS = 200
_MOST_TOKENS = 10_000_000


class _Usage(BaseModel):
    prompt_tokens: int = Field(0, ge=0, le=_MOST_TOKENS)
    completion_tokens: int = Field(0, ge=0, le=_MOST_TOKENS)


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _BoundedClient(openai.DefaultAsyncHttpxClient):
    """Reads a limited number of bytes of an answer, including error answers."""

    async def send(self, request: Any, **options: Any) -> Any:
        response = await super().send(request, **{**options, "stream": True})
        content = bytearray()
        try:
            async for part in response.aiter_raw():
                content += part
                if len(content) > MAX_REPLY_BYTES:
                    raise BadReply(f"more than {MAX_REPLY_BYTES} bytes", source=SOURCE)
        finally:
            await response.aclose()
        return type(response)(response.status_code, headers=response.headers, content=bytes(content), request=request)


class OpenAiEndpoint:
    """A model endpoint behind the OpenAI protocol."""

    def __init__(self, *, url: str, key: str, model: str, follows_schema: bool, seconds: float) -> None:
        """``follows_schema``: the endpoint accepts a JSON schema; others are asked for plain JSON (docs:
        platform/language-models.md).
        """
        self._model = model
        self._format = _schema_format() if follows_schema else ResponseFormatJSONObject(type="json_object")
        # No redirects, which could send sentences elsewhere, and no proxies outside the configuration.
        self._http = _BoundedClient(follow_redirects=False, trust_env=False, timeout=seconds)
        self._client = openai.AsyncOpenAI(
            base_url=url,
            api_key=key or "none",
            max_retries=0,
            timeout=seconds,
            http_client=self._http,
            default_headers={"Accept-Encoding": "identity"},
        )

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Ask once; see the port for the errors."""
        try:
            response = await self._client.chat.completions.with_raw_response.create(
                model=self._model,
                messages=[
                    {"role": "system", "content": request.instructions},
                    {"role": "user", "content": request.sentence},
                ],
                response_format=self._format,
                temperature=0,
                max_tokens=_MAX_TOKENS,
            )
        except openai.OpenAIError as error:
            raise _reaction(error) from error
        try:
            completion = _Completion.model_validate_json(response.content)
        except ValidationError as error:
            raise BadReply("no chat completion", source=SOURCE) from error
        usage = completion.usage or _Usage()
        text = completion.choices[0].message.content or ""
        return ModelReply(text=text, prompt_tokens=usage.prompt_tokens, answer_tokens=usage.completion_tokens)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _schema_format() -> ResponseFormatJSONSchema:
    schema = JSONSchema(name="command_line", schema=dict(ANSWER_SCHEMA), strict=True)
    return ResponseFormatJSONSchema(type="json_schema", json_schema=schema)


def _reaction(error: openai.OpenAIError) -> ErpError:
    """Return the reaction to an error, without its text, which may repeat the sentence."""
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return AuthFailed("the key is refused", source=SOURCE)
        case openai.InternalServerError():
            return PassingFailure(f"HTTP {error.status_code}", source=SOURCE)
        case openai.APIStatusError():
            return Unavailable(f"HTTP {error.status_code}", source=SOURCE)
        case openai.APITimeoutError():
            return Unavailable("no answer in time", source=SOURCE)
        case openai.APIConnectionError(__cause__=BadReply() as bad):
            return bad
        case openai.APIConnectionError():
            return PassingFailure(f"no connection ({type(error.__cause__).__name__})", source=SOURCE)
        case _:
            return Unavailable(type(error).__name__, source=SOURCE)
