"""What the Service Layer answers: errors by HTTP status and a code of its own (ERP sheet, 5.2)."""

from __future__ import annotations

import re
from typing import Any

from bot.erp.errors import AuthExpired, Conflict, ErpError, Invalid, NotFound, NotPermitted
from bot.erp.http import Answer, refusal, words
from bot.erp.sap_b1.values import code, text

_EXPIRED = frozenset({"301", "-1001"})
_NOT_FOUND, _CHANGED, _DENIED, _DOWN = "-2028", "-2039", "-1116", "-1102"
_WRONG_APPROVER = "-8023"
"""User code or password of the pair in a decision is wrong."""
_NO_RIGHT = re.compile(
    r"not authori[sz]ed|no (authori[sz]ation|permission)|无权|没有.{0,8}权限|未经授权", re.IGNORECASE
)
_NO_DATABASE = re.compile(r"fail(ed)? to get DB credentials", re.IGNORECASE)


def opened(answer: Answer, *, what: str = "", source: str = "") -> Any:
    """Return an answer's data, or raise the error that it holds; ``what`` was asked for."""
    if answer.ok:
        return answer.data
    number, message = _told(answer.data)
    message = words(message) or f"status {answer.status}"
    raise _error(answer, number, message, what, source)


def _told(data: Any) -> tuple[str, str]:
    """Return code and text of an error: v1 has a number and a text with its language, v2 two texts."""
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict):
        return "", ""
    message = error.get("message")
    return code(error.get("code")), text(message.get("value") if isinstance(message, dict) else message)


def _error(answer: Answer, number: str, message: str, what: str, source: str) -> ErpError:
    if answer.status == 401 or number in _EXPIRED:
        return AuthExpired(message, source=source)
    if number == _DOWN or _NO_DATABASE.search(message):
        return answer.failure(message, source=source)
    if number == _NOT_FOUND or answer.status == 404:
        return NotFound(what, source=source) if what else Invalid(message, source=source)
    if number == _CHANGED or answer.status == 412:
        return Conflict(message, source=source)
    if number in (_DENIED, _WRONG_APPROVER) or answer.status == 403 or _NO_RIGHT.search(message):
        return NotPermitted(message, source=source)
    return refusal(answer, message, what=what, source=source)
