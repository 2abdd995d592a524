"""A server of Kingdee's WebAPI with the reference company (docs: platform/erp/kingdee.md).

It accepts both logins: one that sets the cookie ``kdservice-sessionid`` (sessions expire), and headers signed by a
third-party app. Queries return lists of lists, a row per entry line, at most `FakeKingdee.page` of them; errors have
status 200. Operations act on behalf of the user that they name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.erp.kinds import PURCHASE_ORDERS, Kind
from bot.erp.model import Approval, Area, Review, ReviewState, Verdict
from bot.kit.testing.company import Clock, CompanyRefusal, DecisionNotAllowed, OrderNotWaiting, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, FakeServer, ParsedRequest, RequestKind, exact_json
from bot.kit.testing.reference_reviews import status_in
from tests.bare_records import with_review
from tests.erp.fakes.kingdee_filter import KingdeeBadFilter, KingdeeFilter, KingdeeUnknownField
from tests.erp.fakes.kingdee_records import DECIDED, FORMS, ORG, PEOPLE, KingdeeBill, as_kingdee, columns, wire

ACCT, USER, APP_ID = "5f0a7c2e9b1d34", "bot", "200001_" + "Qk9UQk9UQk9UQk9UQk9UQk9UQk9UQk9U"

_LOST = "会话信息已丢失，请重新登录"
_WRITES = frozenset(
    {"WorkflowAudit", "Audit", "UnAudit", "Submit", "CancelAssign", "Save", "Delete", "ExcuteOperation"}
)
_INSIDE = frozenset({"ExecuteBillQuery", "BillQuery", "QueryBusinessInfo", "WorkflowAudit", "SwitchOrg"})
_CLOCK_SKEW = 900


class FakeKingdee(FakeServer):
    """The server; account `USER` with the fakes' common `SECRET`, which is also the app's secret."""

    def __init__(self, company: ReferenceCompany, clock: Clock, *, page: int = 10) -> None:
        super().__init__(company, clock)
        self.page = page
        """Maximum lines of an answer; longer pages are cut off silently."""
        self.lost = "envelope"
        """How a lost session is reported: ``envelope``, ``exception``, ``code`` or ``status``."""
        self.missing: set[str] = set()
        """Fields that this installation lacks, as ``FORM.FKey``."""
        self.more: dict[str, list[KingdeeBill]] = {}
        """Bills in addition to the company's, by form."""
        self.no_workflow: set[str] = set()
        """Numbers of purchase orders without a workflow."""
        self.asked: list[tuple[str, Any]] = []
        """Requested operations and their bodies, in order."""
        self._joined: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}
        company.watch(lambda area, key: self.forget())

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (web.post("/k3cloud/{service}", self._serve),)

    async def start(self) -> None:
        await super().start()
        self.url += "/k3cloud"

    async def document(self, kind: Kind[Any], number: str) -> Any:
        document = await super().document(kind, number)
        review: Review | None = getattr(document, "review", None)
        if review is None or (approval := review.approval) is None:
            return document
        pending = tuple(map(as_kingdee, approval.pending_for))
        return with_review(
            document, approval=replace(approval, pending_for=pending, decided_by=as_kingdee(approval.decided_by))
        )

    async def understand(self, request: web.Request) -> ParsedRequest:
        service, name = _operation(request)
        if service == "AuthService":
            return ParsedRequest(RequestKind.OTHER if name == "Logout" else RequestKind.LOGIN)
        sent = await _json(request)
        form = _form(name, sent)
        area = FORMS[form][0] if form in FORMS else Area.STOCK if name == "GetExpectQty" else None
        cookie = request.cookies.get("kdservice-sessionid")
        return ParsedRequest(RequestKind.WRITE if name in _WRITES else RequestKind.READ, area, cookie)

    # Refusals

    def say_login_needed(self, request: web.Request) -> web.StreamResponse:
        match self.lost:
            case "exception":
                return web.Response(text="response_error:未将对象引用设置到对象的实例。ctx == null", status=206)
            case "code":
                return exact_json({"Code": -10001, "Message": "未登录"})
            case "status":
                return exact_json({"Message": "Unauthorized"}, 401)
            case _:
                return self._refuse(request, _LOST, msg_code=1, code=500)

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        if _operation(request)[0] != "AuthService":
            return self._refuse(request, _LOST, msg_code=1, code=500)
        answer = {"Message": "用户名或密码错误", "MessageCode": "CheckPasswordPolicy", "LoginResultType": 0}
        return exact_json({**answer, "Context": None, "KDSVCSessionId": None, "IsSuccessByAPI": False})

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        return self._refuse(request, "您没有该单据的操作权限，请联系系统管理员！")

    def _refuse(self, request: web.Request, text: str, *, msg_code: int = 0, code: int = 500) -> web.Response:
        status = {
            "ErrorCode": code,
            "IsSuccess": False,
            "Errors": [{"FieldName": None, "Message": text, "DIndex": 0}],
            "SuccessEntitys": [],
            "SuccessMessages": [],
            "MsgCode": msg_code,
        }
        envelope = {"Result": {"ResponseStatus": status}}
        return exact_json([[envelope]] if _operation(request)[1] == "ExecuteBillQuery" else envelope)

    # Services

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        service, name = _operation(request)
        sent = await _json(request)
        if service == "AuthService":
            return self._authenticate(request, name, sent)
        cookie = request.cookies.get("kdservice-sessionid")
        if not self.login_needed and cookie not in self.faults.sessions:
            # A live session is accepted whatever the signature is.
            wrong = self._wrong_signature(request)
            if wrong is not None:
                return wrong
            if self.faults.sessions_die:
                # The server creates a session for each signed request.
                return self._refuse(request, _LOST, msg_code=1)
        self.asked.append((name, sent))
        if service == "ExpectQtyQueryWebApi":
            return self._expect(request, sent)
        if "." in service or not isinstance(sent, dict) or ("data" in sent) is False:
            return self._refuse(request, "参数为空", msg_code=8)
        data = json.loads(sent["data"]) if isinstance(sent["data"], str) else sent["data"]
        form = _form(name, sent)
        if form not in FORMS:
            return self._refuse(request, f"业务对象 {form} 不存在", msg_code=4)
        match name:
            case "ExecuteBillQuery":
                return self._query(request, form, data)
            case "QueryBusinessInfo":
                return self._business_info(form)
            case "WorkflowAudit":
                return self._workflow_audit(request, data)
            case "Audit" | "CancelAssign":
                return self._by_hand(request, form, name, data)
            case _:
                return self._refuse(request, f"操作 {name} 不支持")

    def _authenticate(self, request: web.Request, name: str, sent: Any) -> web.StreamResponse:
        account = sent.get("parameters", [])
        if name == "Logout":
            self.faults.sessions.discard(request.cookies.get("kdservice-sessionid", ""))
            return exact_json(True)
        good = False
        match name, account:
            case "ValidateUser", [acct, user, password, int()]:
                good = (acct, user, password) == (ACCT, USER, SECRET)
            case "LoginBySign", [acct, user, app, int(seconds), sign, int()]:
                parts = sorted([ACCT, USER, APP_ID, SECRET, str(seconds)])
                good = (acct, user, app) == (ACCT, USER, APP_ID) and self._is_now(seconds)
                good = good and sign == hashlib.sha256("".join(parts).encode()).hexdigest()
        if not good:
            return self.say_login_refused(request)
        token = self.new_session()
        context = {"UserId": 178301, "UserName": USER, "SessionId": "n3xfizba4et0o2uutwdftvzg", "UserLocale": "zh-CN"}
        answer = {"Message": None, "MessageCode": "CheckPasswordPolicy", "LoginResultType": 1, "IsSuccessByAPI": True}
        response = exact_json({**answer, "Context": context, "KDSVCSessionId": token})
        response.set_cookie("kdservice-sessionid", token)
        response.set_cookie("ASP.NET_SessionId", "n3xfizba4et0o2uutwdftvzg")
        return response

    def _is_now(self, seconds: int) -> bool:
        return abs(self.clock.now().timestamp() - seconds) <= _CLOCK_SKEW

    def _wrong_signature(self, request: web.Request) -> web.Response | None:
        """Verify the nine headers, step by step as in the vendor's documentation."""
        sent = request.headers
        stamp, nonce = sent.get("x-api-timestamp", ""), sent.get("x-api-nonce", "")
        client, _, hidden = APP_ID.partition("_")
        mask = b"0054f397c6234378b09ca7d3e5debce7"
        plain = base64.b64decode(hidden)
        gate = base64.b64encode(bytes(plain[n] ^ mask[n] for n in range(len(plain))))
        path = quote(request.rel_url.raw_path, safe="/%").replace("/", "%2F")
        text = f"POST\n{path}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{stamp}\n"
        account = base64.b64decode(sent.get("X-Kd-Appdata", "")).decode()
        passed = (
            sent.get("X-Api-ClientID") == client
            and sent.get("X-Api-Auth-Version") == "2.0"
            and sent.get("x-api-signheaders") == "x-api-timestamp,x-api-nonce"
            and stamp.isdigit()
            and self._is_now(int(stamp))
            and sent.get("X-Api-Signature") == _hmac(text, gate)
        )
        if not passed:
            return exact_json({"message": "invalid signature"}, 401)
        if not account.startswith(f"{ACCT},"):
            return exact_json({"message": "cannot find thirty passport"}, 400)
        known = account.split(",")[1] == USER and sent.get("X-Kd-Appkey") == APP_ID
        if not known or sent.get("X-Kd-Signature") != _hmac(APP_ID + account, SECRET.encode()):
            return self._refuse(request, _LOST, msg_code=1)
        return None

    # Queries

    def _query(self, request: web.Request, form: str, data: dict[str, Any]) -> web.StreamResponse:
        keys = [key.strip() for key in data.get("FieldKeys", "").split(",") if key.strip()]
        if not keys:
            return self._refuse(request, "FieldKeys 为空", msg_code=8)
        order = [part.split() for part in data.get("OrderString", "").split(",") if part.strip()]
        try:
            condition = KingdeeFilter(data.get("FilterString", ""))
            lines = self._lines(form, {*keys, *condition.fields, *(part[0] for part in order)})
            found = [line for line in lines if condition.holds(line)]
        except KingdeeBadFilter as error:
            return self._refuse(request, f"过滤条件错误: {error}", msg_code=4)
        except KingdeeUnknownField as error:
            return self._refuse(request, f"字段 {error} 不存在", msg_code=9)
        for key, *direction in reversed(order):
            found.sort(key=lambda line: _sortable(line[key]), reverse=direction == ["desc"])
        start, limit = data.get("StartRow", 0), data.get("Limit", 0) or self.page
        part = found[start : start + min(limit, self.page)]
        return exact_json([[wire(line[key]) for key in keys] for line in part])

    def _lines(self, form: str, keys: set[str]) -> list[dict[str, Any]]:
        """Return the lines of a form: one per bill, or every pair of the requested entries' lines."""
        header, entries = self._columns(form)
        unknown = keys - header.union(*entries.values())
        unknown |= {key for key in keys if f"{form}.{key.partition('.')[0]}" in self.missing}
        if unknown:
            raise KingdeeUnknownField(min(unknown))
        named = tuple(entry for entry, names in entries.items() if names & keys)
        if (form, named) not in self._joined:
            self._joined[form, named] = list(self._join(form, header, {entry: entries[entry] for entry in named}))
        return self._joined[form, named]

    def _join(self, form: str, header: set[str], entries: dict[str, set[str]]) -> Iterator[dict[str, Any]]:
        nothing = dict.fromkeys(header)
        for bill in self.bills(form):
            parts = [bill.entries.get(entry) or [dict.fromkeys(names)] for entry, names in entries.items()]
            for combined in product(*parts):
                yield {**nothing, **bill.header, **{key: value for line in combined for key, value in line.items()}}

    def _columns(self, form: str) -> tuple[set[str], dict[str, set[str]]]:
        """Return the fields of a form's header and entries, even if the form has no bills."""
        header, entries = _usual_columns(form)
        more_header, more_entries = columns(self.more.get(form, ()))
        names = entries.keys() | more_entries.keys()
        both = {entry: entries.get(entry, set()) | more_entries.get(entry, set()) for entry in sorted(names)}
        return header | more_header, both

    def bills(self, form: str) -> list[KingdeeBill]:
        """Return the present bills of a form; changing them changes nothing here."""
        return [
            bill
            for bill in (*FORMS[form][1](self.company), *self.more.get(form, ()))
            if not (form.startswith("WF_") and bill.header["FBILLNUMBER"] in self.no_workflow)
        ]

    def forget(self) -> None:
        """Drop cached bills; for tests that change `more` or `no_workflow` after a query."""
        self._joined.clear()

    def _business_info(self, form: str) -> web.StreamResponse:
        header, entries = self._columns(form)
        keys = header.union(*entries.values())
        names = {key.partition(".")[0] for key in keys if key != "FID" and not key.endswith(("_FEntryId", "_FSeq"))}
        fields = [
            {"Key": name, "Name": [{"Key": 2052, "Value": name}], "MustInput": 0}
            for name in sorted(names)
            if f"{form}.{name}" not in self.missing
        ]
        answer = {"ResponseStatus": {"IsSuccess": True, "Errors": [], "MsgCode": 0}}
        return exact_json({"Result": answer | {"NeedReturnData": {"Id": form, "Entrys": [{"Fields": fields}]}}})

    def _expect(self, request: web.Request, sent: Any) -> web.StreamResponse:
        """Answer GetExpectQty; the vendor does not publish the names of the figures, so they are invented."""
        rows = []
        for asked in json.loads(sent["parameters"][0]):
            if asked["StockOrgId"] != {"FNumber": ORG}:
                return exact_json({"Success": False, "Message": "库存组织不存在", "RowCount": 0, "Data": []})
            level = self.company.find(self.company.stock, asked["MaterialId"]["FNumber"])
            assert level is not None
            figures = level.total
            if "StockId" in asked:
                figures = next(p.quantities for p in level.per_warehouse if p.code == asked["StockId"]["FNumber"])
            rows.append({"Row": asked["Row"], "ExpectQty": wire(figures.forecast)})
        return exact_json({"Success": True, "Message": "", "RowCount": len(rows), "Data": rows})

    # Decisions

    def _workflow_audit(self, request: web.Request, data: dict[str, Any]) -> web.StreamResponse:
        number = _one_number(data)
        person = next((name for name, user in PEOPLE.items() if user == str(data["UserId"])), None)
        verdicts = {1: Verdict.APPROVE, 2: Verdict.REJECT}
        if not isinstance(data["UserId"], int) or person is None or number in self.no_workflow:
            return self._refuse(request, "当前用户没有待处理的工作流任务")
        kind = DECIDED[data["FormId"]]
        try:
            self.company.decide(number, verdicts[data["ApprovalType"]], person, data.get("Disposition", ""), kind=kind)
        except (OrderNotWaiting, DecisionNotAllowed):
            return self._refuse(request, f"单据 {number} 当前用户无待办任务，不能审批")
        except CompanyRefusal:
            return self._refuse(request, "单据不存在或已删除")
        return self._done(number, kind)

    def _by_hand(self, request: web.Request, form: str, name: str, data: dict[str, Any]) -> web.StreamResponse:
        """Audit a bill without a workflow, or take the audit back, as the account itself."""
        number, kind = _one_number(data), DECIDED[form]
        kept: dict[str, Any] = self.company.documents(kind)
        document = kept[number]
        if not document.review.waits:
            return self._refuse(request, f"单据 {number} 不是审核中状态")
        if number not in self.no_workflow:
            return self._refuse(request, f"单据 {number} 存在工作流，请通过工作流审批")
        approved = name == "Audit"
        after = ReviewState.APPROVED if approved else ReviewState.DRAFT
        approval = Approval(decided_by=USER, decided_at=self.clock.now()) if approved else None
        kept[number] = with_review(
            replace(document, changed_at=self.clock.now(), **status_in(kind, after)),
            state=after,
            version=str(int(document.review.version) + 1),
            approval=approval,
        )
        self.forget()
        return self._done(number, kind)

    def _done(self, number: str, kind: Kind[Any] = PURCHASE_ORDERS) -> web.Response:
        entity = {"Id": int(self.company.documents(kind)[number].id), "Number": number, "DIndex": 0}
        status = {
            # The vendor's servers use either form.
            "IsSuccess": "true",
            "Errors": [],
            "SuccessEntitys": [entity],
            "SuccessMessages": [{"FieldName": None, "Message": f"单据 {number} 处理成功", "DIndex": 0}],
            "MsgCode": 0,
        }
        return exact_json({"Result": {"ResponseStatus": status, "OperationResults": []}})


class SignedKingdee(FakeKingdee):
    """A server without logins: every request is signed as the third-party app `APP_ID`."""

    login_needed = False


@cache
def _usual_columns(form: str) -> tuple[set[str], dict[str, set[str]]]:
    """Return the fields of a form, from a company that has a bill of every form."""
    return columns(FORMS[form][1](ReferenceCompany()))


def _operation(request: web.Request) -> tuple[str, str]:
    """Return class and method of a path."""
    *_, service, name = request.path.removesuffix(".common.kdsvc").split(".")
    return service, name


async def _json(request: web.Request) -> Any:
    return json.loads(await request.text(), parse_float=Decimal)


def _form(name: str, sent: Any) -> str:
    """Return the form of a body: inside its data for some operations, beside it for others."""
    if not isinstance(sent, dict):
        return ""
    data = sent.get("data")
    data = json.loads(data) if isinstance(data, str) else data
    return str((data or {}).get("FormId", "")) if name in _INSIDE else str(sent.get("formid", ""))


def _one_number(data: dict[str, Any]) -> str:
    [number] = data["Numbers"]
    return str(number)


def _hmac(text: str, key: bytes) -> str:
    return base64.b64encode(hmac.digest(key, text.encode(), "sha256").hex().encode()).decode()


def _sortable(value: Any) -> tuple[bool, Any]:
    """Return a sort key that puts empty values first."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001  # the server's times have no zone
    return (value is not None, value.casefold() if isinstance(value, str) else 0 if value is None else value)
