"""What the WebAPI takes and answers: bodies per operation, errors inside answers of status 200 (sheet, 1.2, 1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.erp.errors import AuthExpired, AuthFailed, Conflict, ErpError, Invalid, NotFound, NotPermitted
from bot.erp.http import Answer, parse_body, refusal, words

_STUBS = "Kingdee.BOS.WebApi.ServicesStub"
_END = ".common.kdsvc"
_FORM_INSIDE = frozenset({"ExecuteBillQuery", "BillQuery", "QueryBusinessInfo", "WorkflowAudit", "SwitchOrg"})

EXPECT_QTY = f"Kingdee.K3.SCM.WebApi.ServicesStub.ExpectQtyQueryWebApi.GetExpectQty{_END}"

_EXCEPTION = "response_error:"
_LOST = re.compile(r"会话信息已丢失|未登录|重新登录|ctx\s*==\s*null")
_LOST_CODES = frozenset({"-10001", "401"})
_WRONG_DATA_CENTRE = re.compile(r"thirty passport", re.IGNORECASE)
_DENIED = re.compile(r"没有.*权限|无.{0,12}权限|(no|not have).{0,40}permission", re.IGNORECASE | re.DOTALL)
_CHANGED = re.compile(r"已被其他用户修改")
_GONE = re.compile(r"单据.{0,40}不存在")


def operation(name: str) -> str:
    """Return the address of an operation on forms."""
    return f"{_STUBS}.DynamicFormService.{name}{_END}"


def authentication(name: str) -> str:
    """Return the address of a call that logs in or out."""
    return f"{_STUBS}.AuthService.{name}{_END}"


def body(name: str, form: str, data: dict[str, Any]) -> dict[str, Any]:
    """Wrap an operation's data as this operation wants it: the form's id stands inside for some, outside for others."""
    if name in _FORM_INSIDE:
        return {"data": {"FormId": form, **data}}
    return {"formid": form, "data": data}


def opened(answer: Answer, *, signed: bool, what: str = "", source: str = "") -> Any:
    """Return an answer's data, or raise the error that it holds.

    ``signed``: a lost session then means wrong credentials, which no login mends (MsgCode 1). ``what`` was asked for.
    """
    data = answer.data
    if isinstance(data, str) and data.lstrip()[:1] in ("[", "{"):
        # Some services write their JSON as a text inside JSON.
        data = parse_body(data.encode())
    status = next(_statuses(data), None)
    if status is not None and not is_true(status.get("IsSuccess")):
        text = _told(status)
        codes = {str(status.get("ErrorCode"))}
        raise _error(text, codes, str(status.get("MsgCode")), signed=signed, what=what, source=source) or Invalid(
            text or "refused without a word", source=source
        )
    if isinstance(data, str):
        # An exception of the application server, told as text with status 200 or 206, or a gateway's own words.
        text = words(data.removeprefix(_EXCEPTION))
        error = _error(text, {str(answer.status)}, "", signed=signed, what=what, source=source)
        raise error or (answer.failure(text, source=source) if answer.ok else refusal(answer, text, source=source))
    codes, text = {str(answer.status)}, ""
    if isinstance(data, dict):
        codes |= {str(value) for key, value in data.items() if key.lower() in ("code", "errorcode", "errcode")}
        text = words(str(data.get("Message") or data.get("message") or ""))
    if not answer.ok or codes & _LOST_CODES:
        raise _error(text, codes, "", signed=signed, what=what, source=source) or refusal(answer, text, source=source)
    return data


def is_true(value: Any) -> bool:
    """Return a truth value, which comes as a boolean, a text or a number."""
    return value is True or str(value).strip().lower() in ("true", "1")


def said(data: Any) -> str:
    """Return what the ERP says to an operation that it did."""
    status = next(_statuses(data), {})
    return words("; ".join(str(part.get("Message", "")) for part in status.get("SuccessMessages") or ()))


def _statuses(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the ``ResponseStatus`` of an answer: bare, under ``Result``, or as the only cell of a query's table."""
    match data:
        case [[{"Result": {"ResponseStatus": dict(status)}}, *_], *_]:
            yield status
        case {"Result": {"ResponseStatus": dict(status)}} | {"ResponseStatus": dict(status)}:
            yield status


def _told(status: dict[str, Any]) -> str:
    errors = status.get("Errors") or ()
    return words("; ".join(str(error.get("Message", "")) for error in errors if isinstance(error, dict)))


def _error(text: str, codes: set[str], msg_code: str, *, signed: bool, what: str, source: str) -> ErpError | None:
    if _WRONG_DATA_CENTRE.search(text):
        return AuthFailed(text, source=source)
    if codes & _LOST_CODES or msg_code == "1" or _LOST.search(text):
        return (AuthFailed if signed else AuthExpired)(text or "not logged in", source=source)
    if _DENIED.search(text):
        return NotPermitted(text, source=source)
    if _CHANGED.search(text):
        return Conflict(text, source=source)
    if _GONE.search(text) and what:
        return NotFound(what, source=source)
    return None
