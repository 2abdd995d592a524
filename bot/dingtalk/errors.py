"""DingTalk's errors: one class for each reaction of the bot.

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
    """The data of a frame breaks its topic's contract; there is no message or no person to answer."""


class UnknownEvent(DingerpError):
    """An event of a kind that the bot does not handle: it comes again, as another bot may take it."""


class DingTalkError(DingerpError):
    """Base of all DingTalk refusals. ``code`` is DingTalk's own; its support asks for ``request_id``."""

    outcome: ClassVar[str] = "refused"
    """Label of the metric ``dingerp_api_calls``."""

    def __init__(
        self, detail: str = "", *, code: str = "", request_id: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.code = code
        self.request_id = request_id


class DingTalkRefused(DingTalkError):
    """DingTalk understood the call and refused it; a repeat will be refused too."""


class DingTalkTooLarge(DingTalkRefused):
    """The file exceeds the limit."""


class DingTalkDeliveryFailed(DingTalkRefused):
    """The call was accepted but at least one recipient or space got nothing."""


class DingTalkNotReachable(DingTalkRefused):
    """The person is outside the organisation: in a direct chat only the message's own webhook reaches them."""


class DingTalkSessionExpired(DingTalkRefused):
    """A session webhook is expired or unknown (``errcode`` 300001)."""


class DingTalkTokenExpired(DingTalkError):
    """The access token is no longer accepted: fetch a new one, then repeat the call once."""

    outcome: ClassVar[str] = "token_expired"


class DingTalkAuthFailed(DingTalkError, ConfigurationError):
    """Client id or secret is wrong: nothing works until it is corrected."""

    outcome: ClassVar[str] = "auth_failed"


class DingTalkAccessDenied(DingTalkError, ConfigurationError):
    """The console's settings forbid the call, for example by the list of allowed IP addresses."""

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
    """Too many calls per second; retry after ``retry_after`` seconds."""

    retry: ClassVar[bool] = True
    outcome: ClassVar[str] = "rate_limited"


class DingTalkQuotaExhausted(DingTalkError):
    """The organisation's calls of this month are used up; until the next month only unbilled calls work."""

    outcome: ClassVar[str] = "quota_exhausted"

    def tell(self) -> Phrase:
        return phrase("DingTalk's calls of this month are used up. Please tell your administrator.")


class DingTalkUnavailable(DingTalkError):
    """DingTalk did not process the call: it was busy or unreachable. Nothing happened there."""

    retry: ClassVar[bool] = True
    outcome: ClassVar[str] = "unavailable"


class DingTalkNoToken(DingTalkUnavailable):
    """There is no access token for the call; fetching one was already retried."""


class DingTalkOutcomeUnknown(DingTalkError):
    """The call may have happened: no answer in time, a broken connection, or an answer without information.

    Only an idempotent call may be repeated.
    """

    outcome: ClassVar[str] = "unknown"


class DingTalkNoAnswer(DingTalkOutcomeUnknown):
    """DingTalk received the call and did not answer in time."""

    outcome: ClassVar[str] = "timeout"


class DingTalkCardUnconfirmed(DingTalkOutcomeUnknown, AnswerUnconfirmed):
    """It is unknown whether the card is shown.

    The same ``track_id`` may be retried; a text instead might be a second answer.
    """

    retry: ClassVar[bool] = True


class DingTalkTextUnconfirmed(DingTalkOutcomeUnknown, TextUnconfirmed):
    """It is unknown whether a plain message is shown; it has no id to check by."""
