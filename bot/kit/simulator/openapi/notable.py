"""AI tables over the API (docs: platform/dingtalk/ai-tables.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.notable import SimTable, SimTableError
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiError, SimApiRoute

_READ, _WRITE = "Notable.Base.Read.All", "Notable.Base.Write.All"
_AT_ONCE = 100
_BAD = "invalidRequest.inputArgs.invalid"
_MANY = "invalidRequest.inputArgs.overLimit"
_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def fields(_engine: SimEngine, _call: SimApiCall, table: SimTable) -> Json:
    """`GET …/fields`."""
    return {"value": [{"id": f"fld{name}", "name": name, "type": kind} for name, kind in table.fields.items()]}


def add_field(engine: SimEngine, call: SimApiCall, table: SimTable) -> Json:
    """`POST …/fields`."""
    name, kind = call.body.get("name"), call.body.get("type")
    if not isinstance(name, str) or not name or not isinstance(kind, str):
        raise SimTableError(_BAD)
    engine.tables.add_field(table, name, kind)
    return {"id": f"fld{name}", "name": name, "type": kind}


def list_records(_engine: SimEngine, call: SimApiCall, table: SimTable) -> Json:
    """`POST …/records/list`: cells without content are left out."""
    most, token = call.body.get("maxResults", _AT_ONCE), call.body.get("nextToken") or "0"
    if not isinstance(most, int) or not 1 <= most <= _AT_ONCE or not str(token).isdigit():
        raise SimTableError(_BAD)
    first = int(token)
    rows = [*table.records.items()]
    shown = [
        {"id": record, "fields": {name: value for name, value in cells.items() if value != ""}}
        for record, cells in rows[first : first + most]
    ]
    more = first + most < len(rows)
    return {"records": shown, "hasMore": more, **({"nextToken": str(first + most)} if more else {})}


def insert(engine: SimEngine, call: SimApiCall, table: SimTable) -> Json:
    """`POST …/records`."""
    token = call.query.get("clientToken", "")
    if token and not _UUID4.fullmatch(token):
        raise SimTableError(_BAD)
    rows = [_cells(each) for each in _several(call.body.get("records"))]
    return {"value": [{"id": record} for record in engine.tables.insert(table, rows, token)]}


def update(engine: SimEngine, call: SimApiCall, table: SimTable) -> Json:
    """`PUT …/records`."""
    changes = {_id(each): _cells(each) for each in _several(call.body.get("records"))}
    engine.tables.update(table, changes)
    return {"value": [{"id": record} for record in changes]}


def delete(engine: SimEngine, call: SimApiCall, table: SimTable) -> Json:
    """`POST …/records/delete`."""
    records = _several(call.body.get("recordIds"))
    if not all(isinstance(record, str) for record in records):
        raise SimTableError(_BAD)
    engine.tables.delete(table, records)
    return {"success": True}


def _several(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise SimTableError(_BAD)
    if len(value) > _AT_ONCE:
        raise SimTableError(_MANY)
    return value


def _cells(entry: Any) -> dict[str, Any]:
    cells = entry.get("fields") if isinstance(entry, dict) else None
    if not isinstance(cells, dict):
        raise SimTableError(_BAD)
    return cells


def _id(entry: Any) -> str:
    record = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(record, str):
        raise SimTableError(_BAD)
    return record


def _sheet_route(
    method: str, path: str, serve: Callable[[SimEngine, SimApiCall, SimTable], Json], scope: str = _WRITE
) -> SimApiRoute:
    def guarded(engine: SimEngine, call: SimApiCall) -> Json:
        try:
            operator = engine.enterprise.by_union_id(call.query.get("operatorId", ""))
            if operator is None or operator.external:
                raise SimTableError("forbidden.user.notInOrg", 403)
            table = engine.tables.find(call.path["baseId"], call.path["sheet"])
            allowed = table.editors | table.readers if scope == _READ else table.editors
            if operator.union_id not in allowed:
                raise SimTableError("forbidden.accessDenied", 403)
            return serve(engine, call, table)
        except SimTableError as error:
            raise SimApiError(error.code, status=error.status) from error

    return SimApiRoute(
        method=method, path=f"/v1.0/notable/bases/{{baseId}}/sheets/{{sheet}}/{path}", serve=guarded, scope=scope
    )


ROUTES = (
    _sheet_route("GET", "fields", fields, _READ),
    _sheet_route("POST", "fields", add_field),
    _sheet_route("POST", "records/list", list_records, _READ),
    _sheet_route("POST", "records", insert),
    _sheet_route("PUT", "records", update),
    _sheet_route("POST", "records/delete", delete),
)
