"""A Service Layer of SAP Business One with the reference company (docs: platform/erp/sap-b1.md).

Sessions consist of two cookies and expire after half an hour without a call; pages have twenty records unless the
request prefers another length; single records have an ETag; orders that wait for approval are drafts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlencode

from aiohttp import web

from bot.erp.kinds import BILLS, PURCHASE_ORDERS, SALES_ORDERS, Kind
from bot.erp.model import Area, PaymentDirection, PaymentStatus, PurchaseOrder, Verdict
from bot.erp.model.goods import DeliveryStatus
from bot.kit.testing.company import Clock, DecisionNotAllowed, OrderNotWaiting, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, FakeServer, ParsedRequest, RequestKind, exact_json, write_json
from bot.kit.testing.reference_records import USERS, WAREHOUSES
from tests.erp.fakes import sap_b1_records as records
from tests.erp.fakes.sap_b1_filter import ODataBadQuery, ODataFilter

COMPANY, USER = "SBODEMOCN", "bot"
NODE = ".node2"
"""The node that the load balancer chose for a session; other nodes do not know it."""

_IDLE = timedelta(minutes=30)
_CROSSJOIN = re.compile(r"\$crossjoin\((\w+),\1/DocumentLines\)")
_PAGE = 20
_AREAS = {
    "Items": Area.PRODUCTS,
    "SQLQueries": Area.STOCK,
    "ProductTrees": Area.PRODUCTS,
    "Orders": Area.SALES,
    "DeliveryNotes": Area.SALES,
    "Returns": Area.SALES,
    "Invoices": Area.FINANCE,
    "CreditNotes": Area.FINANCE,
    "PurchaseOrders": Area.PURCHASING,
    "PurchaseInvoices": Area.PURCHASING,
    "PurchaseCreditNotes": Area.PURCHASING,
    "PurchaseDeliveryNotes": Area.PURCHASING,
    "PurchaseReturns": Area.PURCHASING,
    "IncomingPayments": Area.FINANCE,
    "VendorPayments": Area.FINANCE,
    "ApprovalRequests": Area.PURCHASING,
    "ProductionOrders": Area.PRODUCTION,
}
_DRAFTS = {
    "oOrders": Area.SALES,
    "oInvoices": Area.FINANCE,
    "oPurchaseOrders": Area.PURCHASING,
    "oPurchaseInvoices": Area.PURCHASING,
}
_REQUESTS = {"'17'": Area.SALES}
_DECIDED: Mapping[str, Kind[Any]] = {"22": PURCHASE_ORDERS, "17": SALES_ORDERS, "18": BILLS}
"""The kinds of documents that need approval, by their types in requests."""
_PARTNERS = {"cCustomer": Area.SALES, "cSupplier": Area.PURCHASING}
_KEYED = re.compile(r"(\w+)\((\d+)\)")
_QUERY = re.compile(r"SQLQueries\('(\w+)'\)/List")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_LATER = 100_000
"""Offset between the keys of drafts and of the orders generated from them."""
Row = dict[str, Any]


def user_password(person: str) -> str:
    """Return a person's password."""
    return f"{person}-{SECRET}"


class FakeSapB1(FakeServer):
    """The server; company `COMPANY`, user `USER` with the fakes' common `SECRET`, others with `user_password`."""

    def __init__(self, company: ReferenceCompany, clock: Clock, *, version: str = "v2", etags: bool = True) -> None:
        super().__init__(company, clock)
        self.version = version
        self.etags = etags
        """Whether single records have an ETag: old releases have none."""
        self.spelling = records.SapDateFormat(version)
        self.folds = True
        """Whether filters can ignore case: old releases do not know the header."""
        self.cap: int | None = None
        """Maximum records of a page, whatever the request prefers."""
        self.two_at_stage: set[str] = set()
        """Numbers of orders whose present stage requires two approvals."""
        self.generated: dict[str, int] = {}
        """Keys of the generated orders, by the drafts' numbers."""
        self.stored_queries = {"dingerp_batches", "dingerp_serials"}
        self.more: dict[str, list[Row]] = {}
        """Records in addition to the company's, by entity."""
        self.answers: dict[str, tuple[int, Any]] = {}
        """Status and body to answer with instead, by entity."""
        self.asked: list[str] = []
        """Received queries, decoded, with their entity."""
        self.raw: list[str] = []
        """Received queries, undecoded."""
        self.bodies: list[Any] = []
        """Written bodies."""
        self.logouts = 0
        self._used: dict[str, datetime] = {}
        self._users: dict[str, str] = {}
        self._partly: dict[str, dict[str, tuple[datetime, str]]] = {}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        root = f"/b1s/{self.version}"
        return (
            web.post(f"{root}/Login", self._login),
            web.post(f"{root}/Logout", self._logout),
            web.post(f"{root}/CompanyService_GetAdminInfo", self._administration),
            web.post(f"{root}/QueryService_PostQuery", self._lines),
            web.get(f"{root}/{{path:.+}}", self._read),
            web.patch(f"{root}/{{path:.+}}", self._write),
            web.route("*", "/{path:.*}", self._elsewhere),
        )

    def generate(self, number: str, order: int) -> None:
        """Generate the order of an approved draft with a key and number, like its originator."""
        self.generated[number] = order

    async def understand(self, request: web.Request) -> ParsedRequest:
        self.raw.append(request.rel_url.raw_query_string)
        path = request.path.removeprefix(f"/b1s/{self.version}/")
        if path == "Login":
            return ParsedRequest(RequestKind.LOGIN)
        if path == "Logout":
            return ParsedRequest(RequestKind.OTHER)
        session = self._session(request)
        entity = path.partition("(")[0]
        area = _AREAS.get(entity)
        kinds = {"Drafts": _DRAFTS, "BusinessPartners": _PARTNERS, "ApprovalRequests": _REQUESTS}.get(entity)
        if kinds is not None:
            where = request.query.get("$filter", "")
            area = next((area for kind, area in kinds.items() if kind in where), None)
        return ParsedRequest(RequestKind.WRITE if request.method == "PATCH" else RequestKind.READ, area, session)

    def _session(self, request: web.Request) -> str | None:
        """Return the session of a request if it is live and on this node; using it renews it."""
        session, now = request.cookies.get("B1SESSION", ""), self.clock.now()
        if request.cookies.get("ROUTEID") != NODE:
            return None
        if session in self._used and now - self._used[session] >= _IDLE:
            self.faults.sessions.discard(session)
        self._used[session] = now
        return session

    # Refusals

    def refuse(self, code: int, message: str, status: int = 400) -> web.Response:
        """Answer with an error in the version's envelope."""
        if self.version == "v1":
            error: Row = {"code": code, "message": {"lang": "en-us", "value": message}}
        else:
            error = {"code": str(code), "message": message, "details": [{"code": "", "message": ""}]}
        return exact_json({"error": error}, status)

    def say_login_needed(self, request: web.Request) -> web.StreamResponse:
        return self.refuse(301, "Invalid session or session already timeout.", 401)

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        return self.refuse(-304, "Fail to login: wrong company, user or password", 401)

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        return self.refuse(-1116, "You are not authorized to perform this action", 403)

    # Sessions

    async def _login(self, request: web.Request) -> web.StreamResponse:
        sent = await request.json()
        passwords = {USER: SECRET} | {user.id: user_password(user.id) for user in USERS}
        if sent.get("CompanyDB") != COMPANY or passwords.get(sent.get("UserName")) != sent.get("Password"):
            return self.say_login_refused(request)
        session = self.new_session()
        self._users[session] = sent["UserName"]
        answer = exact_json({"SessionId": session, "Version": "1000190", "SessionTimeout": 30})
        answer.set_cookie("B1SESSION", session, httponly=True)
        answer.set_cookie("ROUTEID", NODE)
        return answer

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        self.logouts += 1
        self.faults.sessions.discard(request.cookies.get("B1SESSION", ""))
        return web.Response(status=204)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        # A path in another case is refused like an expired session.
        return self.say_login_needed(request)

    # Reading

    async def _administration(self, request: web.Request) -> web.StreamResponse:
        self.asked.append("CompanyService_GetAdminInfo?")
        if "CompanyService_GetAdminInfo" in self.answers:
            status, body = self.answers["CompanyService_GetAdminInfo"]
            return exact_json(body, status)
        return exact_json({"CompanyName": "Reference", "LocalCurrency": "RMB", "SystemCurrency": "USD"})

    async def _read(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        entity = path.partition("(")[0]
        self.asked.append(f"{path}?{unquote(request.rel_url.raw_query_string)}")
        if entity in self.answers:
            status, body = self.answers[entity]
            return exact_json(body, status)
        keyed = _KEYED.fullmatch(path)
        try:
            if entity == "SQLQueries":
                return self._list(request, path, self._stored_query(path, request))
            rows = self._entity(entity)
            if keyed is None:
                return self._list(request, entity, rows)
        except ODataBadQuery as error:
            return self.refuse(-1000, str(error))
        except KeyError:
            return self.refuse(-1000, f"Unrecognized resource path '{entity}'", 404)
        found = next((row for row in rows if next(iter(row.values())) == int(keyed[2])), None)
        if found is None:
            return self.refuse(-2028, "No matching records found (ODBC -2028)", 404)
        return exact_json(found, headers={"ETag": _etag(found)} if self.etags else None)

    async def _lines(self, request: web.Request) -> web.StreamResponse:
        """Answer with heads joined with their lines: text that looks like JSON, a page of it."""
        query = await request.json()
        joined = _CROSSJOIN.fullmatch(query["QueryPath"])
        options = dict(option.split("=", 1) for option in query["QueryOption"].split("&"))
        self.asked.append(f"QueryService_PostQuery?{query['QueryPath']}&{query['QueryOption']}")
        if joined is None or "$expand" not in options or "$filter" not in options:
            return self.refuse(-1000, "invalid $crossjoin query")
        entity, lines = joined[1], f"{joined[1]}/DocumentLines"
        if entity in self.answers:
            status, body = self.answers[entity]
            return exact_json(body, status)
        rows = [
            {
                **{f"{entity}/{name}": value for name, value in head.items()},
                **{f"{lines}/{name}": value for name, value in line.items()},
                f"{lines}/DocEntry": head["DocEntry"],
            }
            for head in self._entity(entity)
            for line in head["DocumentLines"]
        ]
        folded = self.folds and request.headers.get("B1S-CaseInsensitive") == "true"
        prefix = f"{entity}/DocEntry eq {lines}/DocEntry and "
        if not options["$filter"].startswith(prefix):
            return self.refuse(-1000, "heads and lines are not joined")
        fields = frozenset(key for row in rows for key in row)
        holds = ODataFilter(options["$filter"].removeprefix(prefix), fields, folded=folded).condition()
        found = sorted((row for row in rows if holds(row)), key=lambda row: row[options["$orderby"]])
        answer = [{entity: {"DocEntry": row[f"{entity}/DocEntry"]}} for row in found[: self.cap or _PAGE]]
        return exact_json({"odata.metadata": "$metadata#Collection(Edm.ComplexType)", "value": answer})

    def _stored_query(self, path: str, request: web.Request) -> list[Row]:
        """Return what a stored query tells of the item in its parameter, which is a text in quotes."""
        name, item = _QUERY.fullmatch(path), request.query.get("item", "")
        if name is None or name[1] not in self.stored_queries or not _QUOTED.fullmatch(item):
            raise KeyError(path)
        level = self.company.stock[item[1:-1].replace("''", "'")]
        return [
            {
                "DistNumber": lot.number,
                "Quantity": lot.quantity,
                "ExpDate": lot.expires_on.strftime("%Y%m%d") if lot.expires_on else None,
                "WhsCode": lot.warehouse,
            }
            for lot in level.lots
            if name[1] == "dingerp_batches"
        ]

    def _list(self, request: web.Request, entity: str, rows: Sequence[Row]) -> web.StreamResponse:
        query = {key: unquote(value) for key, _, value in (p.partition("=") for p in _pairs(request)) if key}
        fields = frozenset(key for row in rows for key in row) or frozenset({"DocEntry"})
        folded = self.folds and request.headers.get("B1S-CaseInsensitive") == "true"
        if rows and query.get("$filter"):
            holds = ODataFilter(query["$filter"], fields, folded=folded).condition()
            rows = [row for row in rows if holds(row)]
        for name in reversed(list(filter(None, query.get("$orderby", "").split(",")))):
            rows = sorted(rows, key=lambda row: (row[name] is not None, row[name]))
        select = list(filter(None, query.get("$select", "").split(",")))
        unknown = [name for name in select if fields != {"DocEntry"} and name not in fields]
        if unknown:
            raise ODataBadQuery(f"Property '{unknown[0]}' is invalid")
        skip, top = int(query.get("$skip", "0")), int(query.get("$top", len(rows)))
        size = self._page_size(request)
        page = rows[skip : skip + min(size, top)]
        answer: Row = {"value": [{name: row[name] for name in select} if select else row for row in page]}
        counts = {"v2": ("$count", "true", "@odata.count"), "v1": ("$inlinecount", "allpages", "odata.count")}
        asked, how, told = counts[self.version]
        if query.get(asked) == how:
            answer[told] = len(rows) if self.version == "v2" else str(len(rows))
        # A $top below the page size omits the link.
        if skip + len(page) < len(rows) and not ("$top" in query and top < size):
            link = f"{entity}?" + urlencode({**query, "$skip": str(skip + len(page))}, safe="$(),'")
            answer["@odata.nextLink" if self.version == "v2" else "odata.nextLink"] = link.replace("+", "%20")
        return exact_json(answer)

    def _page_size(self, request: web.Request) -> int:
        found = re.search(r"odata\.maxpagesize=(\d+)", request.headers.get("Prefer", ""))
        size = int(found[1]) if found else _PAGE
        size = size or 10**9
        return min(size, self.cap) if self.cap else size

    def _entity(self, entity: str) -> list[Row]:
        company, spelling = self.company, self.spelling
        rows: list[Row]
        match entity:
            case "Items":
                rows = [
                    records.item(product, company.stock[sku], company.product_changes[sku], spelling)
                    | records.supplied(company, sku)
                    for sku, product in company.products.items()
                ]
            case "Orders":
                rows = [
                    records.sales_order(order, spelling)
                    for order in company.orders.values()
                    if not records.is_draft(order.number)
                ]
            case "Invoices" | "CreditNotes":
                rows = [
                    self._invoice(number)
                    for number, invoice in company.invoices.items()
                    if invoice.is_credit_note is (entity == "CreditNotes") and not records.is_draft(number)
                ]
            case "PurchaseInvoices" | "PurchaseCreditNotes":
                rows = [
                    self._bill(number)
                    for number, bill in company.bills.items()
                    if bill.is_credit_note is (entity == "PurchaseCreditNotes") and not records.is_draft(number)
                ]
            case "IncomingPayments" | "VendorPayments":
                side = PaymentDirection.RECEIVED if entity == "IncomingPayments" else PaymentDirection.SPENT
                rows = [
                    records.payment(payment, company, spelling)
                    for payment in company.payments.values()
                    if payment.direction is side and payment.status is not PaymentStatus.DRAFT
                ]
            case "ProductTrees":
                rows = [records.product_tree(sku, parts) for sku, parts in company.components.items()]
            case "DeliveryNotes":
                rows = [
                    records.delivery(delivery, company.orders[delivery.order_number], spelling)
                    for delivery in company.deliveries.values()
                    if delivery.status in (DeliveryStatus.SHIPPED, DeliveryStatus.CANCELLED)
                ]
            case "Returns":
                rows = []
            case "PurchaseDeliveryNotes" | "PurchaseReturns":
                rows = [
                    records.receipt(receipt, company, spelling)
                    for receipt in company.receipts.values()
                    if receipt.is_return is (entity == "PurchaseReturns")
                ]
            case "BusinessPartners":
                rows = [
                    records.partner(partner, spelling)
                    for partner in (*company.customers.values(), *company.vendors.values())
                ]
            case "PurchaseOrders":
                rows = self._purchases()
            case "Drafts":
                rows = self._drafts()
            case "ApprovalRequests":
                rows = self._requests()
            case "ProductionOrders":
                rows = [records.production_order(order, spelling) for order in company.productions.values()]
            case _:
                rows = _names(entity)
        return rows + self.more.get(entity, [])

    def _invoice(self, number: str) -> Row:
        entries = {order.number: int(order.id) for order in self.company.orders.values()}
        return records.invoice(self.company.invoices[number], entries, self.spelling)

    def _bill(self, number: str) -> Row:
        entries = {order.number: int(order.id) for order in self.company.purchases.values()}
        return records.bill(self.company.bills[number], entries, self.spelling)

    def _brought_by(self, order: PurchaseOrder) -> Row:
        """Return the vendor of an order's receipts: Business One makes a receipt of orders of one vendor alone."""
        vendors = [each.vendor for each in self.company.receipts.values() if order.number in each.order_numbers]
        return {"CardCode": records.card_code(vendors[0])} if vendors else {}

    def _purchases(self) -> list[Row]:
        rows = []
        for number, order in self.company.purchases.items():
            if not records.is_draft(number):
                rows.append(records.purchase_order(order, self.spelling) | self._brought_by(order))
            elif number in self.generated:
                row = records.purchase_order(order, self.spelling)
                rows.append(row | {"DocEntry": self.generated[number], "DocNum": self.generated[number]})
        return rows

    def _drafts(self) -> list[Row]:
        company, spelling = self.company, self.spelling
        orders = [
            records.sales_order(order, spelling) for order in company.orders.values() if records.is_draft(order.number)
        ]
        invoices = [self._invoice(number) for number in company.invoices if records.is_draft(number)]
        bills = [self._bill(number) for number in company.bills if records.is_draft(number)]
        purchases = [
            records.purchase_draft(order, spelling, generated=number in self.generated)
            for number, order in company.purchases.items()
            if records.is_draft(number)
        ]
        return orders + invoices + bills + purchases

    def _requests(self) -> list[Row]:
        rows = []
        for object_type, kind in _DECIDED.items():
            for number, document in self.company.documents(kind).items():
                if getattr(document, "is_credit_note", False):
                    # Of a type of their own.
                    continue
                entry, draft, partly = self.generated.get(number), int(document.id), self._partly.get(number, {})
                if not records.is_draft(number):
                    if document.review is None or document.review.approval is None:
                        continue
                    entry, draft = int(document.id), int(document.id) + _LATER
                row = records.request(object_type, document, self.spelling, draft=draft, entry=entry, partly=partly)
                rows += [row] if row else []
        return rows

    # Deciding

    async def _write(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        keyed = _KEYED.fullmatch(request.match_info["path"])
        if keyed is None or keyed[1] != "ApprovalRequests":
            return self.refuse(-1000, "Unrecognized resource path", 404)
        row = next((row for row in self._requests() if row["Code"] == int(keyed[2])), None)
        if row is None:
            return self.refuse(-2028, "No matching records found (ODBC -2028)", 404)
        if self.etags and request.headers.get("If-Match", _etag(row)) != _etag(row):
            return self.refuse(-2039, "Another user or another operation modified data", 412)
        [line] = body["ApprovalRequestDecisions"]
        person = line.get("ApproverUserName", self._users.get(request.cookies.get("B1SESSION", ""), ""))
        if "ApproverUserName" in line and line.get("ApproverPassword") != user_password(person):
            return self.refuse(-8023, "User code or password is incorrect")
        verdicts = {"ardApproved": Verdict.APPROVE, "ardNotApproved": Verdict.REJECT}
        kind = _DECIDED[row["ObjectType"]]
        documents: dict[str, Any] = self.company.documents(kind)
        number = next(n for n, document in documents.items() if int(document.id) == row["DraftEntry"])
        return self._decide(kind, number, verdicts[line["Status"]], person, line.get("Remarks", ""))

    def _decide(self, kind: Kind[Any], number: str, verdict: Verdict, person: str, remarks: str) -> web.StreamResponse:
        review = self.company.documents(kind)[number].review
        partly = self._partly.setdefault(number, {})
        allowed = person in review.progress.pending_for and person not in partly
        if number in self.two_at_stage and verdict is Verdict.APPROVE and review.waits and allowed and not partly:
            partly[person] = self.clock.now(), remarks
            return web.Response(status=204)
        try:
            if review.waits and not allowed:
                raise DecisionNotAllowed(person)
            self.company.decide(number, verdict, person, remarks, kind=kind)
        except DecisionNotAllowed:
            return self.refuse(-5002, "User is not an approver of this stage")
        except OrderNotWaiting:
            return self.refuse(-5002, "The approval request is not pending any more")
        return web.Response(status=204)


def _names(entity: str) -> list[Row]:
    """Return the names for keys; raises `KeyError` for an unknown entity."""
    users = [{"InternalKey": records.KEYS[u.id], "UserCode": u.id, "UserName": u.name} for u in USERS]
    sellers = [{"SalesEmployeeCode": n, "SalesEmployeeName": name} for name, n in records.SELLERS.items()]
    named: dict[str, list[Row]] = {
        "Users": users,
        "SalesPersons": [{"SalesEmployeeCode": -1, "SalesEmployeeName": "-No Sales Employee-"}, *sellers],
        "Warehouses": [{"WarehouseCode": code, "WarehouseName": name} for code, name in WAREHOUSES.items()],
        "ShippingTypes": [{"Code": n, "Name": name} for name, n in records.CARRIERS.items()],
        "PaymentTermsTypes": [{"GroupNumber": n, "PaymentTermsGroupName": name} for name, n in records.TERMS.items()],
        "ItemGroups": [{"Number": n, "GroupName": name} for name, n in records.GROUPS.items()],
    }
    return named[entity]


def _pairs(request: web.Request) -> list[str]:
    return request.rel_url.raw_query_string.split("&")


def _etag(row: Row) -> str:
    return f'W/"{hashlib.sha1(write_json(row).encode()).hexdigest().upper()}"'  # like the server
