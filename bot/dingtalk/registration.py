"""An app by QR code: a person scans it, and DingTalk makes an app and hands over its keys.

Docs: platform/dingtalk/openapi.md#an-app-by-qr-code
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.dingtalk.apis import ApiCall, Host
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import text
from bot.words.errors import DingerpError

_SEEN_FOR = timedelta(minutes=10)
"""How long a QR code is good, of the two lives that DingTalk's page gives."""
_LEAST_PAUSE = timedelta(seconds=1)


def _step(name: str, *, idempotent: bool = True) -> ApiCall:
    return ApiCall(
        name=f"app_registration_{name}",
        method="POST",
        path=f"/app/registration/{name}",
        host=Host.OAPI,
        billed=False,
        token=False,
        idempotent=idempotent,
    )


REGISTRATION_INIT, REGISTRATION_POLL = _step("init"), _step("poll")
REGISTRATION_BEGIN = _step("begin", idempotent=False)  # a nonce works once


class RegistrationState(StrEnum):
    """How far it is."""

    WAITING = "WAITING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    EXPIRED = "EXPIRED"


class RegistrationRefused(DingerpError):
    """DingTalk's answer is none that is known."""


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """The answer to a look: with ``SUCCESS`` the keys, with ``FAIL`` the reason."""

    state: RegistrationState
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    reason: str = ""


@dataclass(slots=True)
class AppRegistration:
    """One registration. ``address`` is for the QR code; the code by which it is looked after stays here."""

    address: str
    _api: OpenApi
    _now: Callable[[], datetime]
    _device_code: str = field(repr=False)
    _pause: timedelta
    _until: datetime
    _last: RegisteredApp = field(default=RegisteredApp(RegistrationState.WAITING), init=False)
    _next: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._next = self._now()

    async def look(self) -> RegisteredApp:
        """Return how far it is; DingTalk is asked no oftener than it wants. Raises a `DingerpError`."""
        now = self._now()
        if self._last.state is not RegistrationState.WAITING or now < self._next:
            return self._last
        if now >= self._until:
            self._last = RegisteredApp(RegistrationState.EXPIRED)
            return self._last
        self._next = now + self._pause
        answer = await self._api.call(REGISTRATION_POLL, {"device_code": self._device_code})
        self._last = _read(answer)
        return self._last


async def begin_registration(api: OpenApi, now: Callable[[], datetime]) -> AppRegistration:
    """Begin one; ``api`` needs no keys. Raises a `DingerpError`."""
    nonce = text((await api.call(REGISTRATION_INIT, {})).get("nonce"))
    answer = await api.call(REGISTRATION_BEGIN, {"nonce": nonce})
    address, device_code = text(answer.get("verification_uri_complete")), text(answer.get("device_code"))
    if not address.startswith(("https://", "http://")) or not device_code:
        raise RegistrationRefused("app_registration_begin: no code in the answer")
    pause = max(_LEAST_PAUSE, timedelta(seconds=_seconds(answer.get("interval"), 5)))
    life = min(_SEEN_FOR, timedelta(seconds=_seconds(answer.get("expires_in"), 600)))
    return AppRegistration(address, api, now, device_code, pause, now() + life)


def _read(answer: dict[str, Any]) -> RegisteredApp:
    try:
        state = RegistrationState(text(answer.get("status")))
    except ValueError:
        raise RegistrationRefused("app_registration_poll: unknown status") from None
    return RegisteredApp(
        state,
        client_id=text(answer.get("client_id")),
        client_secret=text(answer.get("client_secret")),
        reason=text(answer.get("fail_reason")),
    )


def _seconds(value: object, otherwise: int) -> int:
    found = text(value)
    return int(found) if found.isdigit() else otherwise
