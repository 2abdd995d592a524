"""Exchanges recorded from real servers, and a server built from them.

`RecordedOdoo` contains the recorded records and returns the recorded answers to writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from bot.kit.testing.company import Clock, ReferenceCompany
from tests.erp.fakes.odoo import FakeOdoo, OdooCall
from tests.erp.fakes.odoo_engine import Many2One, OdooModel, Record, user_error

JSON2, JSON_RPC = "odoo19-json2.json", "odoo18-jsonrpc.json"


@dataclass(frozen=True)
class Exchange:
    """A request and its answer."""

    title: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]

    def __str__(self) -> str:
        return self.title

    @property
    def key(self) -> str:
        """The API key of the request."""
        return str(self.request["headers"].get("Authorization", "")).removeprefix("bearer ")

    @property
    def call(self) -> tuple[str, str]:
        """Model and method."""
        if self.request["path"] != "/jsonrpc":
            model, method = (*self.request["path"].split("/"), "", "")[3:5]
            return model, method
        args = self.request["json"]["params"]["args"]
        return (args[3], args[4]) if len(args) > 3 else ("", self.request["json"]["params"]["method"])

    @property
    def result(self) -> Any:
        """The method's result."""
        answer = self.response["json"]
        return answer.get("result") if self.request["path"] == "/jsonrpc" else answer


@cache
def load(file: str) -> tuple[Exchange, ...]:
    """Return the exchanges of a recording."""
    recorded = json.loads((Path(__file__).parent / "recorded" / file).read_text(encoding="utf-8"))
    return tuple(Exchange(e["title"], e["request"], e["response"]) for e in recorded["exchanges"])


def find(file: str, title: str) -> Exchange:
    """Return an exchange by its title."""
    return next(exchange for exchange in load(file) if exchange.title == title)


MANAGER, BUYER, VIEWER = (
    find(JSON2, title).key
    for title in (
        "approve",
        "approve as a user without the right: 200 and nothing happens",
        "purchase order as a user without any right",
    )
)
"""The API keys of three users of the recorded server."""

_COMPANY = Many2One("res.company", 1, "My Company (San Francisco)")
_LINKS = {"warehouse_id": "stock.warehouse", "product_id": "product.product", "partner_id": "res.partner"}


class RecordedOdoo(FakeOdoo):
    """A server with the records of a recording: the first state of each, until a recorded write changes it."""

    def __init__(self, company: ReferenceCompany, clock: Clock, file: str) -> None:
        super().__init__(company, clock, (19, 0) if file == JSON2 else (18, 0), models=self._model)
        self._exchanges = load(file)
        self._tables: dict[str, dict[int, Record]] = {"res.users": {7: _user(7, "dingbot"), 8: _user(8, "buyer")}}
        self._figures: dict[tuple[int, int | None], Record] = {}
        for exchange in self._exchanges:
            if exchange.call[1] in ("search_read", "read") and isinstance(exchange.result, list):
                self._keep(exchange)
        if file == JSON2:
            self.records.users = {"dingbot": 7, "buyer": 8, "viewer": 9}
            self._logins = {MANAGER: "dingbot", BUYER: "buyer", VIEWER: "viewer"}
        else:
            self.records.users = {"dingbot": 8}
            self._logins = {find(file, "login").request["json"]["params"]["args"][2]: "dingbot"}

    def _keep(self, exchange: Exchange) -> None:
        model = exchange.call[0]
        for row in exchange.result:
            context = exchange.request["json"].get("context", {}) if model == "product.product" else {}
            narrowed = context.get("warehouse_id")
            if "qty_available" in row:
                self._figures[row["id"], narrowed] = {name: row[name] for name in row if name.endswith(_FIGURES)}
            known = self._tables.setdefault(model, {}).setdefault(row["id"], {})
            for name, value in row.items():
                known.setdefault(name, _value(name, value))
            # Not every request read it; all records belong to this company.
            known.setdefault("company_id", _COMPANY)

    def _model(self, name: str) -> OdooModel | None:
        table = self._tables.get(name)
        if name == "stock.location":
            return OdooModel({"usage": "char"}, [{"id": key, "usage": "internal"} for key in (5, 8, 39, 46)])
        if name == "res.partner":
            return OdooModel({"name": "char", "parent_id": "many2one"}, self._partners())
        if table is None:
            return None
        fields = {field: "char" for record in table.values() for field in record}
        computed = self._computed if name == "product.product" else None
        return OdooModel(fields, list(table.values()), computed=computed)

    def _partners(self) -> list[Record]:
        links = [row.get("partner_id") for table in self._tables.values() for row in table.values()]
        return [{"id": link.id, "name": link.name, "parent_id": None} for link in links if isinstance(link, Many2One)]

    def _computed(self, row: Record, context: Mapping[str, Any]) -> Record:
        narrowed = context.get("warehouse_id")
        total = self._figures.get((row["id"], None), {})
        if narrowed in (None, 1):
            return self._figures.get((row["id"], narrowed), total)
        # The other warehouse was not recorded: it has the rest of the total.
        first = self._figures.get((row["id"], 1), {})
        return {name: total[name] - first[name] for name in first}

    # Writes, answered as recorded

    def _answer(self, asked: OdooCall) -> Any:
        if asked.method not in ("button_approve", "button_cancel", "message_post"):
            return super()._answer(asked)
        for at, exchange in enumerate(self._exchanges):
            same = exchange.call == (asked.model, asked.method) and exchange.request["json"].get("ids") == asked.ids
            if same and self._logins[exchange.key] == asked.login and self._body_of(exchange) == asked.arguments:
                self._apply(self._exchanges[at + 1 :])
                return exchange.result
        raise user_error("this was not recorded")

    def _body_of(self, exchange: Exchange) -> dict[str, Any]:
        return {name: value for name, value in exchange.request["json"].items() if name not in ("ids", "context")}

    def _apply(self, following: tuple[Exchange, ...]) -> None:
        """Apply the state that was recorded after the write, if there is one."""
        after = following[0]
        if after.title.startswith("state after"):
            for row in after.result:
                self._tables[after.call[0]][row["id"]] |= {name: _value(name, value) for name, value in row.items()}


_FIGURES = ("_qty", "qty_available", "virtual_available")


def _user(key: int, login: str) -> Record:
    return {"id": key, "login": login}


def _value(name: str, value: Any) -> Any:
    """Return a value in the fake's representation."""
    match value:
        case False if name != "active":
            return None
        case [int(key), str(shown)]:
            return Many2One(_LINKS.get(name, "stock.location" if name == "location_id" else ""), key, shown)
        case float():
            return Decimal(str(value))
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return date.fromisoformat(value)
        case _:
            return value
