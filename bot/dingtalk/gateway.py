"""Opens a stream connection: a ticket by HTTP, then the WebSocket.

Docs: platform/dingtalk/stream.md#opening, #websocket
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from yarl import URL

from bot.dingtalk.errors import DingTalkAuthFailed
from bot.dingtalk.sdk import VERSION_STRING, Credential
from bot.dingtalk.stream_policy import StreamPolicy
from bot.words.errors import DingerpError

Socket = aiohttp.ClientWebSocketResponse[bool]

_MOST_BODY: Final = 64 * 1024
_MOST_WAIT: Final = 600.0
_UA: Final = f"dingtalk-sdk-python/v{VERSION_STRING}-union"
"""The gateway chooses the WebSocket endpoint by it: this is the SDK's own
(docs: platform/dingtalk/stream.md#opening)."""


class StreamOpenFailed(DingerpError):
    """The connection could not be opened. ``outcome`` is the label of the metric ``dingerp_stream_opens``."""

    retry = True

    def __init__(self, outcome: str, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.outcome = outcome


class StreamGateway:
    """DingTalk's stream gateway for one application.

    The client secret and tickets are never exposed: errors name classes and status codes, not addresses.
    """

    def __init__(
        self,
        credential: Credential,
        *,
        session: aiohttp.ClientSession,
        endpoint: str,
        proxy: str | None,
        user_agent: str,
        local_ip: str,
        policy: StreamPolicy,
    ) -> None:
        self._credential = credential
        self._session = session
        self._url = f"{endpoint.rstrip('/')}/v1.0/gateway/connections/open"
        self._proxy = proxy or None
        self._user_agent = user_agent
        self._local_ip = local_ip
        self._policy = policy

    async def open(self, subscriptions: Sequence[Mapping[str, str]]) -> Socket:
        """Return a new connection.

        Raises `DingTalkAuthFailed` or `StreamOpenFailed`, each after at most twice ``open_timeout``.
        """
        return await self._connect(_address(await self._ask(subscriptions)))

    async def _ask(self, subscriptions: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
        """Call ``connections/open`` and return its answer."""
        try:
            async with self._session.post(
                self._url,
                data=orjson.dumps(
                    {
                        # A blank pasted around a key causes authFailed
                        # (docs: platform/dingtalk/stream.md#opening).
                        "clientId": self._credential.client_id.strip(),
                        "clientSecret": self._credential.client_secret.strip(),
                        "subscriptions": list(subscriptions),
                        "ua": _UA,
                        "localIp": self._local_ip,
                    }
                ),
                headers={
                    "Content-Type": "application/json",
                    "Accept": "application/json",  # without it the answer is XML
                    "User-Agent": self._user_agent,
                },
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(total=self._policy.open_timeout),
                allow_redirects=False,  # the secret goes nowhere else
            ) as response:
                body = await _read(response)
        except TimeoutError as error:
            raise StreamOpenFailed(
                "timeout", f"connections/open: no answer in {self._policy.open_timeout:g} s"
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise StreamOpenFailed("network", f"connections/open: {_words(error)}") from None
        return _check(response.status, response.content_type, body)

    async def _connect(self, url: URL) -> Socket:
        """Open the WebSocket. Errors here contain the address and so the ticket: only their class is passed on."""
        try:
            async with asyncio.timeout(self._policy.open_timeout):
                return await self._session.ws_connect(
                    url,
                    headers={"User-Agent": self._user_agent},
                    proxy=self._proxy,
                    timeout=aiohttp.ClientWSTimeout(ws_close=self._policy.close_timeout),
                    heartbeat=self._policy.heartbeat,
                    autoping=False,  # the watchdog sees pongs
                    max_msg_size=self._policy.max_frame,
                    decode_text=False,  # orjson reads bytes, and invalid UTF-8 costs one frame only
                )
        except TimeoutError:
            raise StreamOpenFailed("timeout", f"WebSocket: no answer in {self._policy.open_timeout:g} s") from None
        except aiohttp.WSServerHandshakeError as error:
            raise StreamOpenFailed("handshake", f"WebSocket refused with status {error.status}") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise StreamOpenFailed("network", f"WebSocket: {_words(error)}") from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body up to a limit beyond any real answer."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(_MOST_BODY):
        body += chunk
        if len(body) > _MOST_BODY:
            break
    return bytes(body)


def _check(status: int, content_type: str, body: bytes) -> Mapping[str, Any]:
    """Return the answer as an object. It may be HTML, XML or the firewall's own JSON.

    Docs: platform/dingtalk/openapi.md#firewall
    """
    try:
        answer = orjson.loads(body)
    except ValueError:
        answer = None
    fields: dict[str, Any] = answer if isinstance(answer, dict) else {}
    code = str(fields.get("code", ""))[:64]
    if status == 401 or code == "authFailed":
        raise DingTalkAuthFailed(f"connections/open: {status} {code}", code=code)
    if status != 200:
        raise StreamOpenFailed(
            "refused", f"connections/open: {status} {code or content_type}", retry_after=_wait(fields)
        )
    if answer is None:
        raise StreamOpenFailed("refused", f"connections/open: 200 with {content_type} instead of JSON")
    if not (isinstance(fields.get("endpoint"), str) and isinstance(fields.get("ticket"), str)):
        raise StreamOpenFailed(
            "refused", "connections/open: 200 without endpoint and ticket", retry_after=_wait(fields)
        )
    return fields


def _address(answer: Mapping[str, Any]) -> URL:
    """Return the WebSocket's address. The ticket is always percent-encoded.

    Docs: platform/dingtalk/stream.md#websocket
    """
    endpoint: str = answer["endpoint"]
    try:
        scheme, host = urlsplit(endpoint).scheme, urlsplit(endpoint).hostname
        if scheme not in ("ws", "wss") or not host:
            raise ValueError("no WebSocket address")
        joint = "&" if "?" in endpoint else "?"
        return URL(f"{endpoint}{joint}ticket={quote(answer['ticket'], safe='')}", encoded=True)
    except ValueError:
        raise StreamOpenFailed("refused", "connections/open: endpoint is no WebSocket address") from None


def _wait(fields: Mapping[str, Any]) -> float | None:
    """Return the wait in seconds that DingTalk's firewall imposes on a throttled address.

    Docs: platform/dingtalk/openapi.md#firewall
    """
    wait = fields.get("wait")
    return min(float(wait), _MOST_WAIT) if isinstance(wait, int | float) and wait > 0 else None


def _words(error: Exception) -> str:
    """Describe an error without the address it may contain."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{type(error).__name__} {error.status}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{type(error).__name__}: {error.os_error.strerror or type(error.os_error).__name__}"
    return type(error).__name__
