"""A server of the YonBIP open platform with the reference company (docs: platform/erp/yonbip.md).

Clients first ask for a tenant's data centre, then for a token with a signed request; the token is a query parameter and
expires after two hours. Errors have status 200. Lists return a row per line, at most `FakeYonBip.page` of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.erp.model import Area, PurchaseOrder, ReviewState, Verdict
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery
from bot.kit.testing.company import Clock, DecisionNotAllowed, OrderNotWaiting, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, FakeServer, ParsedRequest, RequestKind, exact_json
from tests.bare_records import with_review
from tests.erp.fakes import yonbip_records as records
from tests.erp.fakes.yonbip_filter import YonBipBadFilter, holds, in_range, note_holds, ordered

TENANT, APP_KEY = "0000KO42POTJDOJAJU0000", "k1"

_LIFE = timedelta(seconds=7200)
_SKEW = timedelta(minutes=10)
_GATE, _AUTH = "/iuap-api-gateway", "/iuap-api-auth"
_FLOW = "/digitalModel/openapi"
_AREAS = {
    "/digitalModel/product/listproductbycondition": Area.PRODUCTS,
    "/scm/stock/QueryCurrentStocksByCondition": Area.STOCK,
    "/sd/voucherorder/": Area.SALES,
    "/scm/purchaseorder/": Area.PURCHASING,
    "/EFI/receivable/": Area.FINANCE,
    "/EFI/arPublicEvent/": Area.FINANCE,
    "/EFI/arverifyevent/": Area.FINANCE,
    "/EFI/apverifyevent/": Area.PURCHASING,
    "/EFI/payable/": Area.PURCHASING,
    "/EFI/apPublicEvent/": Area.PURCHASING,
    **dict.fromkeys((f"/EFI/{kind}/" for kind in records.CASH.values()), Area.FINANCE),
    "/scm/salesout/": Area.SALES,
    "/scm/purinrecord/": Area.PURCHASING,
    "/mfg/productionorder/": Area.PRODUCTION,
    "/digitalModel/merchant/": Area.SALES,
    "/digitalModel/vendor/": Area.PURCHASING,
}
_DETAILED = ("voucherorder", "purchaseorder", "receivable", "payable", "salesout", "purinrecord")
_LISTED = (*_DETAILED, "productionorder", *records.CASH.values())
_OF_PARTNERS = ("receivable", "payable", *records.CASH.values())
"""Lists that take no conditions on fields."""
Row = dict[str, Any]


def user_token(person: str) -> str:
    """Return the access token of a person."""
    return f"yht-{person}-{SECRET}"


class FakeYonBip(FakeServer):
    """The server; tenant `TENANT`, app `APP_KEY` with the fakes' common `SECRET`."""

    def __init__(self, company: ReferenceCompany, clock: Clock, *, page: int = 10) -> None:
        super().__init__(company, clock)
        self.page = page
        """Maximum rows of an answer; longer pages are cut off silently."""
        self.expired = "envelope"
        """How an expired token is reported: ``envelope``, or ``text`` without one."""
        self.user_bound = True
        """Whether deciding requires the access token of the task's person."""
        self.no_workflow: set[str] = set()
        """Numbers of purchase orders without a workflow."""
        self.more: dict[Area, list[tuple[Row, list[Row]]]] = {}
        """Headers with lines in addition to the company's, for lists."""
        self.more_payables: list[tuple[Row, list[Row]]] = []
        """The same for payables, such as those to employees."""
        self.more_receipts: list[tuple[Row, list[Row]]] = []
        """The same for notes of purchase receipt."""
        self.settled: dict[str, datetime] = {}
        """When receivables and payables were settled, by number, which leaves their own times as they are."""
        self.queries: list[str] = []
        """Received query strings, undecoded."""
        self.asked: list[tuple[str, Any]] = []
        """Requested paths and bodies, in order."""
        self.answers: dict[str, Row] = {}
        """Envelopes to answer with instead, by path."""
        self._born: dict[str, datetime] = {}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.get("/open-auth/dataCenter/getGatewayAddress", self._data_centre),
            web.get(f"{_AUTH}/open-auth/selfAppAuth/base/v1/getAccessToken", self._token),
            web.route("*", f"{_GATE}/yonbip/{{path:.+}}", self._serve),
        )

    async def understand(self, request: web.Request) -> ParsedRequest:
        self.queries.append(request.rel_url.raw_query_string)
        if request.path.startswith("/open-auth/"):
            return ParsedRequest(RequestKind.OTHER)
        if request.path.startswith(_AUTH):
            return ParsedRequest(RequestKind.LOGIN)
        path = request.path.removeprefix(f"{_GATE}/yonbip")
        token = request.query.get("access_token", "")
        if token in self._born and self.clock.now() - self._born[token] >= _LIFE:
            self.faults.sessions.discard(token)
        writes = path.startswith(f"{_FLOW}/runtime/") or path.endswith("/batchaudit")
        area = next((area for start, area in _AREAS.items() if path.startswith(start)), None)
        return ParsedRequest(RequestKind.WRITE if writes else RequestKind.READ, area, token)

    # Refusals

    def say_login_needed(self, request: web.Request) -> web.StreamResponse:
        if "access_token" not in request.query:
            return refuse("310001", "token不能为空")
        if self.expired == "text":
            return web.Response(text="非法token")
        return refuse("310036", "非法token")

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        return refuse("10018", "appKey不存在")

    def say_rate_limited(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        return exact_json({"code": "310046", "message": "调用频率超限"}, headers=headers)

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        return refuse("310037", "应用没有该API的调用权限")

    # Data centre and token

    async def _data_centre(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("tenantId") != TENANT:
            return refuse("999", "租户不存在")
        data = {"gatewayUrl": f"{self.url}{_GATE}", "tokenUrl": f"{self.url}{_AUTH}"}
        return exact_json({"code": "00000", "message": "成功！", "data": data})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        sent = dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        signature = sent.pop("signature", "")
        text = "".join(f"{name}{sent[name]}" for name in sorted(sent))
        expected = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()).decode()
        if sent.get("appKey") != APP_KEY:
            return self.say_login_refused(request)
        age = abs(self.clock.now().timestamp() * 1000 - int(sent.get("timestamp", "0")))
        if not hmac.compare_digest(signature, expected) or age > _SKEW.total_seconds() * 1000:
            return refuse("50000", "签名校验失败")
        token = self.new_session()
        self._born[token] = self.clock.now()
        return exact_json({"code": "00000", "message": "成功！", "data": {"access_token": token, "expire": 7200}})

    # Services

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        body: Row = await request.json() if request.can_read_body else {}
        self.asked.append((path, body))
        if path in self.answers:
            return exact_json(self.answers[path])
        if _has_null(body):
            return refuse("310008", "参数不能为null")
        try:
            return self._answer(request, path, body)
        except YonBipBadFilter as error:
            return refuse("999", f"服务端逻辑异常: {error}")

    def _answer(self, request: web.Request, path: str, body: Row) -> web.StreamResponse:
        match path.strip("/").split("/"):
            case ["digitalModel", "product", "listproductbycondition"]:
                return self._materials(body)
            case ["digitalModel", "merchant", "newlist"]:
                return self._customers(body)
            case ["digitalModel", "vendor", "list"]:
                return self._vendors(body)
            case ["scm", "stock", _]:
                return self._stock(body)
            case ["EFI", ("arPublicEvent" | "apPublicEvent") as kind, "list"]:
                return self._accounting(kind, body)
            case ["EFI", ("arverifyevent" | "apverifyevent") as kind, "list"]:
                return self._settling(kind, body)
            case [*_, kind, "list"] if kind in _LISTED:
                return self._list(kind, body)
            case [*_, kind, "detail"] if kind in _DETAILED:
                return self._detail(kind, request.query.get("id", ""))
            case [*_, "purchaseorder", "batchaudit"]:
                return self._audit(body)
            case [*_, "querytaskstodo", "page"]:
                return self._flow_page(self._tasks(body), body, 10)
            case [*_, "historic-process-instances"]:
                return self._flow_page(self._runs(body), body, 20)
            case [*_, "ext", "tasks", task] if task != "batch":
                return self._decide(request, Verdict.APPROVE, task, body)
            case [*_, "procesInstances", "reject"]:
                return self._decide(request, Verdict.REJECT, str(body.get("taskId")), body)
            case _:
                return refuse("310404", "API未注册", 404)

    def _materials(self, body: Row) -> web.StreamResponse:
        rows = [records.material(product, n) for n, product in enumerate(self.company.products.values())]
        sku = body.get("productCode")
        return self._page([row for row in rows if sku in (None, row["code"])], body)

    def _customers(self, body: Row) -> web.StreamResponse:
        """Answer with an array, without a count."""
        rows = [records.customer(customer) for customer in self.company.customers.values()]
        rows = [row for row in rows if body.get("code") in (None, row["code"])]
        index, size = int(body["pageIndex"]), min(int(body["pageSize"]), self.page)
        return say(rows[(index - 1) * size : index * size] or None)

    def _vendors(self, body: Row) -> web.StreamResponse:
        rows = [row for vendor in self.company.vendors.values() for row in records.vendors(vendor)]
        return self._page([row for row in rows if body.get("code") in (None, row["code"])], body)

    def _stock(self, body: Row) -> web.StreamResponse:
        """Answer with an array, for the materials and warehouses that are asked for."""
        places = _each(body, "warehouse")
        if "warehouse.code" in body:
            places = [records.WAREHOUSES.get(each, "") for each in _each(body, "warehouse.code") or []]
        skus = _each(body, "productn.code")
        return say(
            [
                row
                for sku, level in self.company.stock.items()
                if skus is None or sku in skus
                for row in records.stock_rows(level)
                if (places is None or row["warehouse"] in places) and body.get("org", row["org"]) == row["org"]
            ]
        )

    def _bills(self, kind: str) -> list[tuple[Row, list[Row]]]:
        company = self.company
        match kind:
            case "voucherorder":
                bills = [records.sales_order(order, detail=False) for order in company.orders.values()]
                return bills + self.more.get(Area.SALES, [])
            case "purchaseorder":
                return [self._purchase(order, detail=False) for order in company.purchases.values()] + self.more.get(
                    Area.PURCHASING, []
                )
            case "receivable":
                found = (records.receivable(invoice)[1] for invoice in company.invoices.values())
                return [(rows[0], rows) for rows in found]
            case "payable":
                found = (records.payable(bill)[1] for bill in company.bills.values())
                return [(rows[0], rows) for rows in found] + self.more_payables
            case "salesout":
                return [records.goods_issue(each, detail=False) for each in self._issued()]
            case "purinrecord":
                notes = [records.purchase_receipt(each, company) for each in company.receipts.values()]
                return notes + self.more_receipts
            case _ if kind in _OF_PARTNERS:
                return [
                    records.payment(each)
                    for each in company.payments.values()
                    if records.CASH[each.partner_kind, each.direction] == kind
                ]
            case _:
                productions = [(row, [row]) for row in map(records.production_order, company.productions.values())]
                return productions + self.more.get(Area.PRODUCTION, [])

    def _issued(self) -> Iterable[GoodsDelivery]:
        """Return the deliveries that there are notes of: one that was given up is deleted."""
        return (each for each in self.company.deliveries.values() if each.status is not DeliveryStatus.CANCELLED)

    def _list(self, kind: str, body: Row) -> web.StreamResponse:
        bills = [bill for bill in self._bills(kind) if self._wanted(kind, bill, body)]
        if kind in ("voucherorder", "purchaseorder"):
            bills = ordered(bills, body.get("queryOrders", []))
        if body.get("isSum") is True and kind != "productionorder":
            return self._page([head for head, _ in bills], body)
        return self._page([{**head, **_line(line)} for head, lines in bills for line in lines], body)

    def _accounting(self, kind: str, body: Row) -> web.StreamResponse:
        bills = self.company.invoices if kind == "arPublicEvent" else self.company.bills
        rows = [row for bill in bills.values() for row in records.accounting(bill, self.settled.get(bill.number))]
        first, last = body.get("open_srcBillDate_begin", "")[:10], body.get("open_srcBillDate_end", "9999")[:10]
        named = [row for row in rows if body.get("bizBillCode") in (None, row["bizBillCode"])]
        return self._page([row for row in named if first <= row["srcBillDate"] <= last], body)

    def _settling(self, kind: str, body: Row) -> web.StreamResponse:
        """Answer with both sides of each settlement: the bill, and the receipt or payment."""
        bills = self.company.invoices if kind == "arverifyevent" else self.company.bills
        since = body.get("simple", {}).get("open_pubts_begin", "")
        settled = [
            each for each, at in self.settled.items() if each in bills and (records.time_text(at) or "") >= since
        ]
        sides = [side for each in settled for side in (each, f"REC-{each}")]
        return self._page([{"bodyItem_grandsonItem_srcGrandson_event_srcBillCode": side} for side in sides], body)

    def _wanted(self, kind: str, bill: tuple[Row, list[Row]], body: Row) -> bool:
        head = bill[0]
        if kind in _OF_PARTNERS:
            states, of_kind = body.get("verifyState"), bill[1][0]["bodyItemObjectType"]
            return (
                body.get("objectType") in (None, of_kind, [of_kind])
                and body.get("code") in (None, head["code"])
                and (states is None or str(head["verifyState"]) in states)
                and body.get("open_billDate_begin", "") <= head["billDate"]
                and body.get("simple", {}).get("open_pubts_begin", "") <= head.get("pubts", "")
            )
        if kind == "salesout":
            named = body.get("code") in (None, head["code"])
            return (
                named
                and in_range(head["vouchdate"], body.get("vouchdate"))
                and note_holds(head, bill[1], body.get("simpleVOs", []))
            )
        if kind == "purinrecord":
            orders = {line["pocode"] for line in bill[1]}
            return (
                body.get("code") in (None, head["code"])
                and ("pocode" not in body or body["pocode"] in orders)
                and body.get("open_vouchdate_begin", "") <= head["vouchdate"]
                and holds(head, body.get("simpleVOs", []))
            )
        if not holds(head, body.get("simpleVOs", [])):
            return False
        if kind == "productionorder":
            days = head.get("OrderProduct_finishDate"), head.get("vouchdate")
            ranges = body.get("OrderProduct!finishDate"), body.get("vouchdate")
            return all(in_range(day, day_range) for day, day_range in zip(days, ranges, strict=True))
        if kind == "voucherorder":
            promised = head.get("hopeReceiveDate")
            last = body.get("open_hopeReceiveDate_end")
            return (
                body.get("code") in (None, head["code"])
                and body.get("nextStatusName") in (None, head["nextStatus"])
                and body.get("open_vouchdate_begin", "") <= head["vouchdate"]
                and (last is None or (promised is not None and promised <= last))
            )
        return True

    def _detail(self, kind: str, key: str) -> web.StreamResponse:
        company = self.company
        match kind:
            case "voucherorder":
                orders = (order for order in company.orders.values() if str(records.wire_id(order.id)) == key)
                for order in orders:
                    head, lines = records.sales_order(order, detail=True)
                    return say({**head, "orderDetails": lines})
                return refuse("999", "未获取到当前订单商品信息")
            case "purchaseorder":
                for purchase in company.purchases.values():
                    if str(records.wire_id(purchase.id)) == key:
                        head, lines = self._purchase(purchase, detail=True)
                        return say({**head, "purchaseOrders": lines})
                return refuse("1002", "数据不存在")
            case "salesout":
                for delivery in self._issued():
                    if str(records.wire_id(delivery.id)) == key:
                        head, lines = records.goods_issue(delivery, detail=True)
                        return say({**head, "details": lines})
                return refuse("1002", "数据不存在")
            case "purinrecord":
                for head, lines in self._bills(kind):
                    if str(head["id"]) == key:
                        return say({**head, "purInRecords": lines})
                return refuse("1002", "数据不存在")
            case _:
                receivables = map(records.receivable, company.invoices.values())
                payables = map(records.payable, company.bills.values())
                for detail, _ in receivables if kind == "receivable" else payables:
                    if detail["id"] == key:
                        return say(detail)
                return refuse("999", "当前单据被删除或没有权限")

    def _purchase(self, order: PurchaseOrder, *, detail: bool) -> tuple[Row, list[Row]]:
        return records.purchase_order(order, detail=detail, workflow=order.number not in self.no_workflow)

    def _page(self, rows: Sequence[Row], body: Row) -> web.StreamResponse:
        index, size = int(body["pageIndex"]), min(int(body["pageSize"]), self.page)
        return say(
            {
                "pageIndex": index,
                "pageSize": size,
                "recordCount": len(rows),
                "pageCount": -(-len(rows) // size),
                "recordList": rows[(index - 1) * size : index * size],
            }
        )

    # Workflow

    def _flow(self) -> Iterable[tuple[PurchaseOrder, str]]:
        for order in self.company.purchases.values():
            if order.number not in self.no_workflow:
                yield order, f"st_purchaseorder_{records.wire_id(order.id)}"

    def _tasks(self, body: Row) -> list[Row]:
        keys = body.get("processBusinessKeyIds")
        return [row for order, key in self._flow() if keys is None or key in keys for row in records.tasks(order, key)]

    def _runs(self, body: Row) -> list[Row]:
        if body.get("appSource") != "PU":
            raise YonBipBadFilter("appSource")
        return [
            row for order, key in self._flow() if key in body["businessKeyList"] for row in records.runs(order, key)
        ]

    def _flow_page(self, rows: list[Row], body: Row, most: int) -> web.StreamResponse:
        start, size = int(body.get("start", 0)), min(int(body.get("size", most)), most)
        return say({"data": rows[start : start + size], "start": start, "size": size, "total": len(rows)})

    def _decide(self, request: web.Request, verdict: Verdict, task: str, body: Row) -> web.StreamResponse:
        action = "complete" if verdict is Verdict.APPROVE else "rejectToStart"
        if request.headers.get("restservice") != "REST_SERVICE_1.0.0" or body.get("action") != action:
            return flow_refusal("000-530-401033", "action无法识别，请输入正确的action")
        found = [(order, row) for order, key in self._flow() for row in records.tasks(order, key) if row["id"] == task]
        if not found or body.get("source") != "PU":
            return flow_refusal("000-530-401032", "未查询到待办，请确定任务状态！")
        order, row = found[0]
        if verdict is Verdict.REJECT and body.get("processInstanceId") != row["processInstanceId"]:
            return flow_refusal("000-530-401031", "未查询到对应的流程实例，请检查参数正确性")
        person = row["assignee"]
        if self.user_bound and request.headers.get("yht_access_token") != user_token(person):
            return refuse("999", "该接口需要绑定用户身份")
        reason = str(body.get("message" if verdict is Verdict.APPROVE else "jumpOrigin", ""))
        try:
            self.company.decide(order.number, verdict, person, reason)
        except (DecisionNotAllowed, OrderNotWaiting):
            return flow_refusal("000-530-401032", "未查询到待办，请确定任务状态！")
        return say({"id": row["processInstanceId"], "errcode": 0, "errmsg": "ok"})

    def _audit(self, body: Row) -> web.StreamResponse:
        """Audit orders without a workflow; refusals are reported with code 200."""
        messages: list[str] = []
        for bill in body["data"]:
            order = next(
                order for order in self.company.purchases.values() if str(records.wire_id(order.id)) == str(bill["id"])
            )
            if order.number not in self.no_workflow or order.status is not ReviewState.WAITING:
                messages.append("网络上有其他人操作或者已经关闭、审核")
                continue
            approved = with_review(order, state=ReviewState.APPROVED, version=str(int(order.review.version) + 1))
            self.company.purchases[order.number] = replace(approved, changed_at=self.clock.now())
        count, failed = len(body["data"]), len(messages)
        return say({"count": count, "sucessCount": count - failed, "failCount": failed, "messages": messages})


def _each(body: Row, name: str) -> list[str] | None:
    """Return what a parameter names, one value or several; None if it is missing."""
    value = body.get(name)
    return [value] if isinstance(value, str) else value


def say(data: Any) -> web.Response:
    """Answer with data in the envelope."""
    return exact_json({"code": "200", "message": "操作成功", "data": data})


def refuse(code: str, message: str, status: int = 200) -> web.Response:
    """Answer with an error in the envelope."""
    return exact_json({"code": code, "message": message}, status)


def flow_refusal(display: str, message: str) -> web.Response:
    """Answer with an error of the workflow, which has a separate code for display."""
    return exact_json({"code": "999", "message": message, "displayCode": display, "level": 0})


def _line(line: Row) -> Row:
    """Return the fields that a line adds to a row; the header's day and amount keep their names."""
    return {key: value for key, value in line.items() if key not in ("hopeReceiveDate", "oriSum")}


def _has_null(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_null, value.values()))
        case list():
            return any(map(_has_null, value))
        case _:
            return value is None
