"""A small Frappe: an ERPNext 15 site with the reference company, based on recorded exchanges.

It serves ``/api/resource/<DocType>[/<name>]`` with fields, filters, order and pages, ``/api/method/<path>`` for the
methods that an adapter needs, key pairs in ``Authorization: token key:secret``, and errors with ``exc_type`` and
``_server_messages``. Times have no zone, numbers are floats, and single documents lack empty fields.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

from bot.erp.kinds import BILLS, PURCHASE_ORDERS, QUOTATIONS, SALES_ORDERS, Kind
from bot.erp.model import Area, Review, ReviewState, Verdict
from bot.kit.testing.company import Clock, DecisionNotAllowed, OrderNotWaiting, ReferenceCompany
from bot.kit.testing.fake_erp import SECRET, FakeServer, Handler, ParsedRequest, RequestKind
from tests.bare_records import with_review
from tests.erp.fakes import erpnext_doctypes as shapes
from tests.erp.fakes import erpnext_documents as documents
from tests.erp.fakes import erpnext_parties as parties
from tests.erp.fakes import erpnext_workflow as flow
from tests.erp.fakes.drafts import let_drafts_wait
from tests.erp.fakes.erpnext_query import ErpNextUnknownField, matching, select

KEY, BOT = "botkey000000001", "bot@example.com"

PEOPLE = ("anna", "carla", "boris", "dora")
"""People with a key of their own: the first half is the name and ``-key``, the second the common `SECRET`."""

_AREAS = {
    "Item": Area.PRODUCTS,
    "Item Barcode": Area.PRODUCTS,
    "Item Variant Attribute": Area.PRODUCTS,
    "Bin": Area.STOCK,
    "Batch": Area.STOCK,
    "Serial No": Area.STOCK,
    "Warehouse": Area.STOCK,
    "Quotation": Area.SALES,
    "Sales Order": Area.SALES,
    "Delivery Note": Area.SALES,
    "Sales Invoice": Area.FINANCE,
    "Purchase Order": Area.PURCHASING,
    "Purchase Receipt": Area.PURCHASING,
    "Work Order": Area.PRODUCTION,
    "Customer": Area.SALES,
    "Customer Credit Limit": Area.SALES,
    "Supplier": Area.PURCHASING,
    "Purchase Invoice": Area.PURCHASING,
    "Payment Entry": Area.FINANCE,
}

_DECIDED: Mapping[str, Kind[Any]] = {
    "Purchase Order": PURCHASE_ORDERS,
    "Sales Order": SALES_ORDERS,
    "Purchase Invoice": BILLS,
    "Quotation": QUOTATIONS,
}

_PARENTS = {
    "Item Barcode": ("Item", "barcodes"),
    "Item Variant Attribute": ("Item", "attributes"),
    "Item Reorder": ("Item", "reorder_levels"),
    "Sales Team": ("Sales Order", "sales_team"),
    "Sales Invoice Item": ("Sales Invoice", "items"),
    "BOM Item": ("BOM", "items"),
    "Quotation Item": ("Quotation", "items"),
    "Sales Order Item": ("Sales Order", "items"),
    "Sales Taxes and Charges": ("Sales Order", "taxes"),
    "Purchase Order Item": ("Purchase Order", "items"),
    "Purchase Taxes and Charges": ("Purchase Order", "taxes"),
    "Delivery Note Item": ("Delivery Note", "items"),
    "Purchase Receipt Item": ("Purchase Receipt", "items"),
    "Serial and Batch Entry": ("Serial and Batch Bundle", "entries"),
    "Purchase Invoice Item": ("Purchase Invoice", "items"),
    "Customer Credit Limit": ("Customer", "credit_limits"),
}
"""Child tables, with their DocType and field."""

_COMMON = ("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx")
_FIELDS = {
    "Comment": ("comment_type", "comment_email", "comment_by", "reference_doctype", "reference_name", "content"),
    "Version": ("ref_doctype", "docname", "data"),
    "Workflow": ("workflow_name", "document_type", "is_active", "workflow_state_field"),
    "Workflow Action": ("status", "reference_doctype", "reference_name", "workflow_state", "user", "completed_by"),
    "Item Variant Attribute": ("parent", "parenttype", "parentfield", "attribute", "attribute_value"),
    "Item Barcode": ("parent", "parenttype", "parentfield", "barcode", "barcode_type"),
    "Sales Taxes and Charges": ("parent", "parenttype", "parentfield", "included_in_print_rate"),
    "Purchase Taxes and Charges": ("parent", "parenttype", "parentfield", "included_in_print_rate"),
    "Batch": ("batch_id", "item", "expiry_date", "disabled"),
    "Serial No": ("serial_no", "item_code", "warehouse", "batch_no"),
    "Item Reorder": ("parent", "parenttype", "parentfield", "warehouse", "warehouse_reorder_level"),
}
"""Fields of DocTypes that may have no records."""

_CHANGED = datetime(2026, 10, 1, tzinfo=UTC)

T = TypeVar("T")
Act = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class FakeErpNext(FakeServer):
    """The site. With ``workflow`` False, what is decided is a draft until somebody submits them."""

    login_needed = False

    def __init__(self, company: ReferenceCompany, clock: Clock, *, workflow: bool = True) -> None:
        super().__init__(company, clock)
        self.workflow = workflow
        self._reviewable = sorted({doctype for doctype, _ in self._reviewed()})
        """The DocTypes that have a Workflow, also once no document is left."""
        self.unreadable: set[str] = set()
        """DocTypes that nobody may read."""
        self.case_sensitive_names = False
        """Whether names are case-sensitive, as on PostgreSQL."""
        self.in_background = False
        """Whether submitting is left to `run_background_jobs`."""
        self.limit: Decimal | None = None
        """The highest total that anybody may submit without a Workflow."""
        if not workflow:
            for kind in _DECIDED.values():
                let_drafts_wait(company, kind, ReviewState.DRAFT, ReviewState.REJECTED)
        self.taxes: dict[str, list[shapes.Document]] = {}
        """Rows of the taxes of Sales Orders, which the reference company has none of."""
        self.serials: list[shapes.Document] = []
        """Serial numbers, which the reference company has none of."""
        self.numbered: set[str] = set()
        """Codes of Items whose pieces have serial numbers."""
        self._queue: list[Callable[[], object]] = []
        self._rendered: dict[tuple[Any, ...], tuple[Any, tuple[Any, ...]]] = {}
        self._comments: list[shapes.Document] = []

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (
            web.get("/api/resource/{doctype}", self._as_user(self._list)),
            web.get("/api/resource/{doctype}/{name:.+}", self._as_user(self._document)),
            web.put("/api/resource/{doctype}/{name:.+}", self._as_user(self._update)),
            web.get("/api/method/frappe.client.get_time_zone", self._zone),
            web.route("*", "/api/method/{method}", self._as_user(self._method)),
        )

    async def understand(self, request: web.Request) -> ParsedRequest:
        _, _, kind, name, *_ = (*request.path.split("/"), "", "")
        if kind == "resource":
            return ParsedRequest(RequestKind.WRITE if request.method == "PUT" else RequestKind.READ, _AREAS.get(name))
        if name in {"frappe.model.workflow.apply_workflow", "frappe.desk.form.utils.add_comment"}:
            return ParsedRequest(RequestKind.WRITE, Area.PURCHASING)
        if name == "frappe.client.get_time_zone":
            return ParsedRequest(RequestKind.OTHER)
        return ParsedRequest(RequestKind.READ, _AREAS.get((await _given(request)).get("doctype", "")))

    # Refusals

    def say_login_refused(self, request: web.Request) -> web.StreamResponse:
        return refuse(401, "AuthenticationError", module="frappe.exceptions")

    def say_rate_limited(self, request: web.Request, retry_after: float | None) -> web.StreamResponse:
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        return refuse(429, "TooManyRequestsError", headers=headers)

    def say_forbidden(self, request: web.Request, call: ParsedRequest) -> web.StreamResponse:
        return _forbid(BOT, call.area or "this")

    def _as_user(self, act: Act) -> Handler:
        """Return a handler that identifies the user of a request's key."""
        users = {f"token {KEY}:{SECRET}": BOT} | {f"token {name}-key:{SECRET}": name for name in PEOPLE}

        async def handle(request: web.Request) -> web.StreamResponse:
            header = request.headers.get("Authorization")
            if header is None:
                return _forbid("Guest", request.match_info.get("doctype", "this"))
            if header not in users:
                return self.say_login_refused(request)
            try:
                return await act(request, users[header])
            except ErpNextUnknownField as error:
                return refuse(417, "DataError", f"Field not permitted in query: {error.args[0]}")

        return handle

    # Documents and lists

    async def _document(self, request: web.Request, user: str) -> web.StreamResponse:
        doctype, name = request.match_info["doctype"], request.match_info["name"]
        if doctype in self.unreadable:
            return _forbid(user, doctype)
        found = self._find(doctype, name, user)
        if found is None:
            return _missing(doctype, name)
        return _answer({"data": _without_nothing(found)})

    async def _list(self, request: web.Request, user: str) -> web.StreamResponse:
        return self._rows(request.match_info["doctype"], request.query, user, inside="data")

    def _rows(self, doctype: str, parameters: Any, user: str, *, inside: str) -> web.StreamResponse:
        parents = _parents_of(doctype)
        if doctype in self.unreadable or (parameters.get("parent") not in parents):
            # A child table needs its parent's name, or it is refused without a message.
            return refuse(403, "PermissionError")
        rows = self._records(doctype, user)
        if not rows:
            return _answer({inside: []})
        if doctype == "Sales Team" and parameters.get("parent") == "Delivery Note":
            rows = [row for note in self._records("Delivery Note", user) for row in note["sales_team"]]
        return _answer({inside: select(rows, parameters, _fields(doctype, rows))})

    async def _zone(self, request: web.Request) -> web.StreamResponse:
        return _answer({"message": {"time_zone": str(shapes.ZONE)}})

    async def _method(self, request: web.Request, user: str) -> web.StreamResponse:
        parameters = await _given(request)
        match request.match_info["method"]:
            case "frappe.auth.get_logged_user":
                return _answer({"message": user})
            case "erpnext.stock.doctype.batch.batch.get_batch_qty":
                return self._batch_quantities(parameters)
            case "frappe.client.get_list":
                return self._rows(parameters["doctype"], parameters, user, inside="message")
            case "frappe.desk.reportview.get_count":
                rows = self._records(parameters["doctype"], user)
                if not rows:
                    return _answer({"message": 0})
                found = matching(rows, parameters, _fields(parameters["doctype"], rows))
                once = parameters.get("distinct") == "true"
                return _answer({"message": len({row["name"] for row in found} if once else found)})
            case "frappe.model.workflow.get_transitions":
                return self._get_transitions(parameters, user)
            case "frappe.model.workflow.apply_workflow":
                return self._apply_workflow(parameters, user)
            case "frappe.desk.form.utils.add_comment":
                return self._add_comment(parameters, user)
        return refuse(404, "DoesNotExistError", "No such method")

    def _batch_quantities(self, parameters: Any) -> web.StreamResponse:
        """Answer what lies of an Item by Batch; only of what is not reserved, or not expired, without the flags."""
        if "Batch" in self.unreadable:
            return refuse(403, "PermissionError")
        level = self.company.stock[parameters["item_code"]]
        if not int(parameters.get("for_stock_levels", 0)):
            level = replace(level, lots=tuple(lot for lot in level.lots if not lot.is_expired(self.company.today)))
        return _answer({"message": documents.batch_quantities(level)})

    def _find(self, doctype: str, name: str, user: str) -> shapes.Document | None:
        fold: Callable[[str], str] = str if self.case_sensitive_names else str.casefold
        rows = self._records(doctype, user)
        return next((row for row in rows if fold(row["name"]) == fold(name)), None)

    def alter(self, doctype: str, change: Callable[[list[shapes.Document]], list[shapes.Document]]) -> None:
        """Let the site hold other documents of a DocType."""
        genuine = self._records

        def records(kind: str, user: str) -> list[shapes.Document]:
            return change(genuine(kind, user)) if kind == doctype else genuine(kind, user)

        self._records = records  # type: ignore[method-assign]  # what the fake holds

    def _records(self, doctype: str, user: str) -> list[shapes.Document]:
        """Return all documents of a DocType that a user may see."""
        company = self.company
        if doctype in _PARENTS:
            parent, field = _PARENTS[doctype]
            return [row for document in self._records(parent, user) for row in document[field]]
        match doctype:
            case "Item":
                render, changed, stock = self._made, company.product_changes, company.stock
                supplies = {sku: company.supplies.get(sku, ()) for sku in company.products}
                return [
                    render(documents.item, p, stock.get(sku), changed[sku], supplies[sku])
                    | {"has_serial_no": int(sku in self.numbered)}
                    for sku, p in company.products.items()
                ]
            case "Item Price":
                prices = company.list_prices.items()
                return [documents.item_price(sku, price, _CHANGED) for sku, price in prices]
            case "BOM":
                boms = company.components.items()
                return [documents.bill_of_materials(company.products[sku], parts, _CHANGED) for sku, parts in boms]
            case "Batch":
                received = documents.received_batches(company.receipts.values(), _CHANGED)
                return [*documents.batches(company.stock.values(), _CHANGED), *received]
            case "Serial No":
                return self.serials
            case "Bin":
                return [row for level in company.stock.values() for row in self._made(documents.bins, level)]
            case "Company":
                return [shapes.head("Company", documents.COMPANY, _CHANGED) | {"default_currency": parties.CURRENCY}]
            case "Customer":
                return [self._made(parties.customer, customer) for customer in company.customers.values()]
            case "Supplier":
                return [self._made(parties.supplier, vendor) for vendor in company.vendors.values()]
            case "Purchase Invoice":
                bills = company.bills.values()
                return [self._shown(parties.purchase_invoice, bill, company.today) for bill in bills]
            case "Payment Entry":
                return [self._made(parties.payment_entry, payment) for payment in company.payments.values()]
            case "Warehouse":
                return documents.warehouses(company.warehouses, _CHANGED)
            case "Sales Order":
                offered = {each.order_number: each.number for each in company.documents(QUOTATIONS).values()}
                return [
                    self._taxed(self._shown(documents.sales_order, order, offered.get(order.number)))
                    for order in company.orders.values()
                ]
            case "Quotation":
                offers = company.documents(QUOTATIONS).values()
                return [self._shown(documents.quotation, offer, company.today) for offer in offers]
            case "Delivery Note":
                return [self._made(documents.delivery_note, note) for note in company.deliveries.values()]
            case "Sales Invoice":
                invoices = company.invoices.values()
                return [self._made(documents.sales_invoice, invoice, company.today) for invoice in invoices]
            case "Purchase Order":
                return [self._shown(documents.purchase_order, order) for order in company.purchases.values()]
            case "Purchase Receipt":
                return documents.purchase_receipts(company.receipts.values(), company.purchases)
            case "Serial and Batch Bundle":
                return documents.bundles(company.receipts.values(), _CHANGED)
            case "Work Order":
                return [self._made(documents.work_order, order) for order in company.productions.values()]
            case "Workflow":
                return [flow.workflow(doctype, _CHANGED) for doctype in self._reviewable if self.workflow]
            case "Workflow Action":
                waiting = ((doctype, record) for doctype, record in self._reviewed() if record.review.waits)
                return [
                    flow.open_action(record, doctype)
                    for doctype, record in waiting
                    if self._allowed(record.review, user)
                ]
            case "Version":
                return [
                    row
                    for doctype, record in self._reviewed()
                    for row in self._made(flow.versions, record, doctype, self.workflow)
                ]
            case "User":
                return documents.users(company.users, BOT, _CHANGED)
            case "Employee":
                return documents.employees(company.users, _CHANGED)
            case "Comment":
                return [*self._comments, *self._reasons()]
        return []

    def _taxed(self, document: shapes.Document) -> shapes.Document:
        taxes = self.taxes.get(document["name"], ())
        kind = f"{document['doctype'].split()[0]} Taxes and Charges"
        return {**document, "taxes": shapes.rows(document, "taxes", kind, taxes)} if taxes else document

    def _shown(self, render: Callable[..., shapes.Document], record: Any, *parts: Any) -> shapes.Document:
        """Return a document as it is, with what the site tells of its approval."""
        return documents.in_review(self._made(render, record, *parts), record.review, self.workflow)

    def _reviewed(self) -> Iterator[tuple[str, Any]]:
        """Yield the DocType and the record of every document that is decided."""
        for doctype, kind in _DECIDED.items():
            for record in self.company.documents(kind).values():
                if record.review is not None:
                    yield doctype, record

    def _made(self, render: Callable[..., T], *parts: Any) -> T:
        """Return the result of ``render`` for records, cached while they stay the same."""
        key = (render, *map(id, parts))
        if key not in self._rendered:
            # Keeps a reference to the records, so that no others get the same id.
            self._rendered[key] = (render(*parts), parts)
        found: T = self._rendered[key][0]
        return found

    def _reasons(self) -> list[shapes.Document]:
        """Return the comments of earlier deciders, written in the web client's editor."""
        known = {row["reference_name"] for row in self._comments}
        found = []
        for doctype, record in self._reviewed():
            approval = record.review.progress
            if approval.reason and approval.decided_at and record.number not in known:
                content = f'<div class="ql-editor read-mode"><p>{shapes.rich(approval.reason)}</p></div>'
                found.append(flow.comment(doctype, record.number, approval.decided_by, approval.decided_at, content))
        return found

    # Deciding

    def _roles(self, user: str) -> set[str]:
        levels = next((person.levels for person in self.company.users if person.id == user), frozenset())
        return {role for role, level in flow.LEVELS.items() if level in levels}

    def _allowed(self, review: Review, user: str) -> list[shapes.Document]:
        """Return the transitions of a document that a user may take."""
        state, roles = flow.workflow_state(review), self._roles(user)
        transitions = flow.workflow("Purchase Order", _CHANGED)["transitions"]
        return [move for move in transitions if move["state"] == state and move["allowed"] in roles]

    def _get_transitions(self, parameters: Any, user: str) -> web.StreamResponse:
        doctype, record = self._named(parameters["doc"])
        return _missing(doctype, "") if record is None else _answer({"message": self._allowed(record.review, user)})

    def _named(self, document: Any) -> tuple[str, Any]:
        """Return the DocType of a document, and its record, None if there is none that is decided."""
        document = json.loads(document) if isinstance(document, str) else document
        kind = _DECIDED.get(document["doctype"])
        found: Any = kind and self.company.find(self.company.documents(kind), document["name"])
        return document["doctype"], found if found is not None and found.review is not None else None

    def _apply_workflow(self, parameters: Any, user: str) -> web.StreamResponse:
        doctype, record = self._named(parameters["doc"])
        if record is None:
            return _missing(doctype, parameters["doc"]["name"])
        if parameters["action"] not in {move["action"] for move in self._allowed(record.review, user)}:
            return _refuse_action()
        verdict = Verdict(parameters["action"].lower())
        decide = partial(self.company.decide, record.number, verdict, user, kind=_DECIDED[doctype])
        if self.in_background and verdict is Verdict.APPROVE:
            self._queue.append(decide)
            return _answer({})
        try:
            decide()
        except (OrderNotWaiting, DecisionNotAllowed):
            return _refuse_action()
        return _answer({"message": self._find(doctype, record.number, user)})

    def run_background_jobs(self) -> None:
        """Run the jobs left to the background workers."""
        while self._queue:
            self._queue.pop(0)()

    def _add_comment(self, parameters: Any, user: str) -> web.StreamResponse:
        doctype, record = self._named(
            {"doctype": parameters["reference_doctype"], "name": parameters["reference_name"]}
        )
        if record is None:
            return _missing(doctype, parameters["reference_name"])
        row = flow.comment(doctype, record.number, user, self.clock.now(), parameters["content"])
        self._comments.append(row)
        approval = record.review.progress
        if approval.decided_by == user and not approval.reason:
            commented = replace(approval, reason=_as_read(parameters["content"]))
            kept = self.company.documents(_DECIDED[doctype])
            kept[record.number] = with_review(record, approval=commented)
        return _answer({"message": row})

    async def _update(self, request: web.Request, user: str) -> web.StreamResponse:
        """Submit a draft if it is unchanged since it was read."""
        values = await request.json()
        doctype, record = self._named(request.match_info)
        if record is None:
            return _missing(doctype, request.match_info["name"])
        changed_at = shapes.stamp(record.changed_at or _CHANGED)
        if values.get("modified", changed_at) != changed_at:
            return refuse(417, "TimestampMismatchError", "Document has been modified after you have opened it")
        if self.limit is not None and record.total is not None and record.total.amount > self.limit:
            return refuse(417, "ValidationError", "Not authorized since <strong>Grand Total</strong> exceeds limits")
        try:
            self.company.decide(record.number, Verdict.APPROVE, user, kind=_DECIDED[doctype])
        except DecisionNotAllowed:
            return _forbid(user, doctype)
        except OrderNotWaiting:
            return refuse(417, "UpdateAfterSubmitError", "Not allowed to change after submission")
        return _answer({"data": _without_nothing(self._find(doctype, record.number, user) or {})})


async def _given(request: web.Request) -> Any:
    """Return the parameters of a request from its URL or JSON body."""
    body = await request.text()
    return dict(request.query) | (json.loads(body) if body else {})


def _parents_of(doctype: str) -> tuple[str | None, ...]:
    """Return the DocTypes that have a child table, None for what is no child table."""
    if doctype == "Sales Team":
        return "Sales Order", "Delivery Note"
    return _PARENTS.get(doctype, (None,))[:1]


def _fields(doctype: str, rows: list[shapes.Document]) -> set[str]:
    """Return the fields that a list of the DocType has, without child tables."""
    known = {*_COMMON, *_FIELDS.get(doctype, ())}
    return known.union(*({name for name, value in row.items() if not isinstance(value, list)} for row in rows[:1]))


def _without_nothing(document: shapes.Document) -> shapes.Document:
    present = {name: value for name, value in document.items() if value is not None}
    return {
        name: [_without_nothing(row) for row in value] if isinstance(value, list) else value
        for name, value in present.items()
    }


def _as_read(content: str) -> str:
    """Return a comment as the timeline shows it."""
    return html.unescape(re.sub("<[^>]*>", "", content.replace("<br>", "\n")))


def _answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(data, status=status, headers=headers, dumps=partial(json.dumps, ensure_ascii=False))


def refuse(
    status: int,
    kind: str,
    message: str = "",
    *,
    module: str = "frappe.exceptions",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Refuse in Frappe's envelope: messages are JSON in a list that is JSON, and may contain HTML."""
    data = {"exception": f"{module}.{kind}" + (f": {message}" if message else ""), "exc_type": kind, "exc": "[]"}
    if message:
        message_data = {"message": message, "title": "Message", "indicator": "red", "raise_exception": 1}
        data["_server_messages"] = json.dumps([json.dumps(message_data)])
    return _answer(data, status, headers)


def _refuse_action() -> web.Response:
    """Give the same answer to users who are too late and to users without the role."""
    return refuse(417, "WorkflowTransitionError", "Not a valid Workflow Action", module="frappe.model.workflow")


def _forbid(user: str, doctype: str) -> web.Response:
    lacks = f"User <strong>{user}</strong> does not have doctype access via role permission for document"
    message = (
        f"{lacks} <strong>{doctype}</strong><br>User <strong>{user}</strong> does not have access to this document"
    )
    return refuse(403, "PermissionError", message)


def _missing(doctype: str, name: str) -> web.Response:
    """Answer that the document does not exist; such bodies have no ``exception``."""
    message_data = {
        "message": f"{doctype} {name} not found",
        "title": "Message",
        "indicator": "red",
        "raise_exception": 1,
    }
    data = {"exc_type": "DoesNotExistError", "_server_messages": json.dumps([json.dumps(message_data)])}
    return _answer(data, 404)
