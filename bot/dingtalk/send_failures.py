"""The meaning of DingTalk's errors for a delivery.

Docs: platform/dingtalk/cards.md#errors, platform/dingtalk/robots.md#errors
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType

from bot.dingtalk.card_api import CARD_GONE
from bot.dingtalk.errors import (
    DingTalkAccessDenied,
    DingTalkAuthFailed,
    DingTalkError,
    DingTalkOutcomeUnknown,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkScopeMissing,
    DingTalkTokenExpired,
)
from bot.outbox.ports import SendFailed, SendFailureKind
from bot.words.errors import ConfigurationError, DingerpError

_NO_SUCH_PLACE = frozenset({"param.openSpaceIdEmpty", "param.openSpaceIdInvalid", "param.userIdNotExist"})
"""Codes of nonexistent places (docs: platform/dingtalk/cards.md#errors): a text would not arrive either."""

_PLAIN_REASONS = MappingProxyType(
    {
        "chatbotNotInstall": "the bot is not in this group: add it there",
        "resource.not.found": "the bot is not in this group, or does not exist: add it there",
        "resource.unavailable": "the bot is switched off or not in this group",
        "invalid.openConversationId": "there is no such group: correct the route",
        "miss.openConversationId": "there is no such group: correct the route",
        "group.disbanded": "the group was disbanded: correct the route",
        "conversation.org.notMatch": "the group belongs to another organisation",
        "staffId.notExisted": "there is no such person in the organisation",
        "bot.stopped": "the bot is stopped in DingTalk's console",
        "bot.forbidden.sendMessage": "the bot may not send messages",
        "send.forbidden": "the bot may not send messages here",
        "chatbotId.notAllow.sendOTO": "the bot may not write to people by itself",
        "robot.oto.notExist": "the bot has no chats with people",
        "param.openSpaceIdInvalid": "there is no such group or person: correct the route",
        "param.openSpaceIdEmpty": "there is no such group or person: correct the route",
        "param.userIdNotExist": "there is no such person in the organisation",
    }
)
"""Operator explanations for codes that need a correction (docs: platform/dingtalk/cards.md#errors,
platform/dingtalk/robots.md#errors).
"""


def create_failure(error: DingerpError) -> SendFailureKind:
    """Return the failure for a refused card: a text may go instead, unless it would not arrive either."""
    if isinstance(error, DingTalkRefused) and error.code in _NO_SUCH_PLACE:
        return SendFailureKind.HOPELESS
    if isinstance(error, DingTalkAuthFailed | DingTalkAccessDenied) and not isinstance(error, DingTalkScopeMissing):
        return SendFailureKind.SETUP
    return SendFailureKind.NO_CARDS


def update_failure(error: DingerpError) -> SendFailureKind:
    """Return the failure for any other refused call."""
    if isinstance(error, DingTalkRefused) and error.code == CARD_GONE:
        return SendFailureKind.GONE
    return (
        SendFailureKind.SETUP
        if isinstance(error, DingTalkAuthFailed | DingTalkAccessDenied)
        else SendFailureKind.HOPELESS
    )


@contextmanager
def translating_errors(refused: Callable[[DingerpError], SendFailureKind] = update_failure) -> Iterator[None]:
    """Translate DingTalk's errors into `SendFailed`; ``refused`` classifies those that a retry would meet again."""
    try:
        yield
    except DingTalkError as error:
        kind = _common_failure(error) or refused(error)
        raise SendFailed(kind, _reason(error), retry_after=error.retry_after) from error
    except ConfigurationError as error:
        # The template's mapping names a field that this card lacks: a text can be sent all the same.
        raise SendFailed(refused(error), error.detail) from error


def _common_failure(error: DingTalkError) -> SendFailureKind | None:
    """Return the failure for an error of any call; None if it depends on the call."""
    match error:
        case DingTalkRateLimited():
            return SendFailureKind.LIMITED
        case DingTalkQuotaExhausted():
            return SendFailureKind.SPENT
        case DingTalkOutcomeUnknown():
            return SendFailureKind.UNKNOWN
        case DingTalkTokenExpired():
            return SendFailureKind.BUSY
        case _ if error.retry:
            return SendFailureKind.BUSY
    return None


def _reason(error: DingTalkError) -> str:
    """Return an explanation, followed by DingTalk's own text."""
    plain = _PLAIN_REASONS.get(error.code)
    return f"{plain} ({error.detail})" if plain else error.detail
