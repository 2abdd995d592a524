"""Errors of DingTalk: one class for each reaction of the bot.

Docs: platform/dingtalk/openapi.md#errors, #token-errors, platform/dingtalk/cards.md#errors,
platform/dingtalk/robots.md#errors, platform/dingtalk/limits.md#too-fast
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote

from bot.chat.answers.ports import AnswerUnconfirmed, TextUnconfirmed
from bot.words.errors import ConfigurationError, DingerpError
from bot.words.phrase import Phrase, phrase

_SCOPE_PAGE = "https://open-dev.dingtalk.com/appscope/apply?content="


class BadPayload(DingerpError):
    """The data of a frame is not what its topic promises; there is no message or no person to answer."""


class UnknownEvent(DingerpError):
    """An event of a kind that the bot does not handle: it comes again, for another bot may take it."""


class DingTalkError(DingerpError):
    """Base of all refusals of DingTalk. ``code`` is DingTalk's own, its support asks for ``request_id``."""

    outcome: ClassVar[str] = "refused"
    """Label of the metric ``dingerp_api_calls``."""

    def __init__(
        self, detail: str = "", *, code: str = "", request_id: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.code = code
        self.request_id = request_id


class DingTalkRefused(DingTalkError):
    """DingTalk understood the call and said no; the same call will be refused again."""


class DingTalkTooLarge(DingTalkRefused):
    """There is more to fetch than is wanted."""


class DingTalkDeliveryFailed(DingTalkRefused):
    """The call was accepted but at least one recipient or space got nothing."""


class DingTalkNotReachable(DingTalkRefused):
    """The person is outside the organisation: in a direct chat only the message's own webhook reaches them."""


class DingTalkSessionExpired(DingTalkRefused):
    """A session webhook is used after its time, or is unknown (``errcode`` 300001)."""


class DingTalkTokenExpired(DingTalkError):
    """The access token is not accepted (any more): fetch a new one, then repeat the call once."""

    outcome: ClassVar[str] = "token_expired"


class DingTalkAuthFailed(DingTalkError, ConfigurationError):
    """Client id or secret are wrong: nothing works until they are corrected."""

    outcome: ClassVar[str] = "auth_failed"


class DingTalkAccessDenied(DingTalkError, ConfigurationError):
    """The console's settings forbid the call, for example its list of allowed IP addresses."""

    outcome: ClassVar[str] = "denied"


class DingTalkScopeMissing(DingTalkAccessDenied):
    """The application lacks a permission point. ``links`` open the console page that grants each scope."""

    outcome: ClassVar[str] = "scope_missing"

    def __init__(
        self, what: str, *, client_id: str, scopes: Sequence[str] = (), code: str = "", request_id: str = ""
    ) -> None:
        self.scopes = tuple(scopes)
        self.links = tuple(f"{_SCOPE_PAGE}{quote(client_id, safe='')}%23{quote(scope, safe='')}" for scope in scopes)
        grant = f"; grant {', '.join(self.scopes)} at {' '.join(self.links)}" if scopes else ""
        super().__init__(f"{what}: permission point missing{grant}", code=code, request_id=request_id)


class DingTalkRateLimited(DingTalkError):
    """Too many calls per second; after ``retry_after`` seconds there is room again."""

    retry: ClassVar[bool] = True
    outcome: ClassVar[str] = "rate_limited"


class DingTalkQuotaExhausted(DingTalkError):
    """The organisation's calls of this month are used up; until the next month only unbilled calls work."""

    outcome: ClassVar[str] = "quota_exhausted"

    def tell(self) -> Phrase:
        return phrase("DingTalk's calls of this month are used up. Please tell your administrator.")


class DingTalkUnavailable(DingTalkError):
    """DingTalk did not work on the call: it was busy or not reached. Nothing happened there."""

    retry: ClassVar[bool] = True
    outcome: ClassVar[str] = "unavailable"


class DingTalkNoToken(DingTalkUnavailable):
    """There is no access token to call with; fetching one was already repeated."""


class DingTalkOutcomeUnknown(DingTalkError):
    """The call may have happened: no answer in time, a broken connection, or an answer that says nothing.

    Only a call with an identity of its own may be repeated.
    """

    outcome: ClassVar[str] = "unknown"


class DingTalkNoAnswer(DingTalkOutcomeUnknown):
    """DingTalk took the call and did not answer in time."""

    outcome: ClassVar[str] = "timeout"


class DingTalkCardUnconfirmed(DingTalkOutcomeUnknown, AnswerUnconfirmed):
    """It is not known whether the card is shown.

    The same ``track_id`` may be tried again; a text instead might be a second answer.
    """

    retry: ClassVar[bool] = True


class DingTalkTextUnconfirmed(DingTalkOutcomeUnknown, TextUnconfirmed):
    """It is not known whether a plain message is shown; it has no id by which to find out."""
