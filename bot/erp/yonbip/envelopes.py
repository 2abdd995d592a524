"""What the platform answers: errors by their code, mostly under HTTP status 200 (ERP sheet, 2A, result envelope)."""

from __future__ import annotations

import re
from typing import Any

from bot.erp.errors import (
    AuthExpired,
    AuthFailed,
    Conflict,
    ErpError,
    Invalid,
    NotFound,
    NotPermitted,
    RateLimited,
    Unavailable,
    Unsupported,
)
from bot.erp.http import Answer, refusal, words
from bot.erp.values import number
from bot.erp.yonbip.values import code, text

_DONE = frozenset({"200", "00000"})
_DONE_BEFORE = frozenset({"10004", "100004"})
"""A repeated resubmitCheckKey: the first save counts."""
_EXPIRED = "310036"
_TOO_MANY = frozenset({"310032", "310039", "310042", "310046"})
_NOT_FOUND = frozenset({"404", "1002"})
_SIMPLE: dict[str, type[ErpError]] = {
    "310001": AuthFailed,
    "10018": AuthFailed,
    "310037": NotPermitted,
    "310404": Unsupported,
    "310405": Unsupported,
    "310008": Invalid,
    "310015": Invalid,
    "310023": Invalid,
    "310043": Unavailable,
    # The task is no longer waiting: somebody was faster.
    "000-530-401032": Conflict,
}
_BACK_END_SILENT = "310504"
_BAD_TOKEN = re.compile(r"非法\s*token", re.IGNORECASE)
_GONE = re.compile(r"不存在|被删除|未获取到")
_DENIED = re.compile(r"权限|用户身份|绑定.{0,6}用户|用户.{0,6}绑定|permission", re.IGNORECASE)
_TASK_GONE = re.compile(r"未查询到待办")


def opened(answer: Answer, *, what: str = "", source: str = "") -> Any:
    """Return an answer's data, or raise the error that it holds; ``what`` was asked for."""
    envelope = answer.data
    if isinstance(envelope, str) and _BAD_TOKEN.search(envelope):
        raise AuthExpired(words(envelope), source=source)
    if not isinstance(envelope, dict):
        if answer.ok:
            raise answer.failure("an answer without an envelope", source=source)
        raise refusal(answer, text(envelope), what=what, source=source)
    number_of = code(envelope.get("code"))
    if (number_of in _DONE and answer.ok) or number_of in _DONE_BEFORE:
        return envelope.get("data")
    raise _error(answer, number_of, envelope, what, source)


def _error(answer: Answer, told: str, envelope: dict[str, Any], what: str, source: str) -> ErpError:
    message = words(text(envelope.get("message") or envelope.get("msg"))) or f"code {told or answer.status}"
    display = code(envelope.get("displayCode"))
    if told == _EXPIRED or _BAD_TOKEN.search(message):
        return AuthExpired(message, source=source)
    if told in _TOO_MANY:
        return RateLimited(message, source=source, retry_after=answer.retry_after)
    for known in (display, told):
        if known in _SIMPLE:
            return _SIMPLE[known](message, source=source)
    if told == _BACK_END_SILENT:
        return answer.failure(message, source=source)
    if _TASK_GONE.search(message):
        return Conflict(message, source=source)
    if told in _NOT_FOUND or _GONE.search(message):
        # "Deleted or no permission" is one message: what may not be seen is not found (sheet, section 0, rule 3).
        return NotFound(what, source=source) if what else Invalid(message, source=source)
    if _DENIED.search(message):
        return NotPermitted(message, source=source)
    return Invalid(message, source=source) if answer.ok else refusal(answer, message, what=what, source=source)


def batch(data: Any, *, source: str = "") -> str:
    """Return what a batch action says that was done for the only document in it.

    It answers code 200 for bills that it refused. Raises `NotPermitted`, `Conflict` or `Invalid` by their message.
    """
    result = data if isinstance(data, dict) else {}
    messages = words("; ".join(map(text, result.get("messages") or ())))
    if number(result.get("failCount")) == 0:
        return messages
    if _DENIED.search(messages):
        raise NotPermitted(messages, source=source)
    if "其他人" in messages:
        raise Conflict(messages, source=source)
    raise Invalid(messages or "the batch action does not say that it was done", source=source)
