"""A small Odoo in memory: models, records, domains, orders, and the errors of the real one.

Values are stored as Python objects (times, `Decimal`, None for empty, `Many2One` for many2one, lists of ids for x2many)
and sent in Odoo's format: ``false`` for empty, ``[id, name]``, times in UTC truncated to the second, binary floats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

LANGUAGES = frozenset({"en_US", "zh_CN"})
"""The installed languages."""

Record = dict[str, Any]


class OdooError(Exception):
    """An error of a method: the exception's full name, its message, and its status in JSON-2."""

    def __init__(self, name: str, message: str, status: int) -> None:
        super().__init__(message)
        self.name, self.message, self.status = name, message, status


def user_error(message: str) -> OdooError:
    """Return the error that Odoo raises for its user."""
    return OdooError("odoo.exceptions.UserError", message, 422)


def access_error(message: str) -> OdooError:
    """Return the error that Odoo raises for a missing right."""
    return OdooError("odoo.exceptions.AccessError", message, 403)


def value_error(message: str) -> OdooError:
    """Return an error that Odoo does not handle itself."""
    return OdooError("builtins.ValueError", message, 500)


@dataclass(frozen=True, slots=True)
class Many2One:
    """A many2one: the model and id it refers to, and the displayed name."""

    model: str
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class OdooModel:
    """A model of one release: its fields (x2many with their model) and its records."""

    fields: Mapping[str, str]
    """Every field with its type."""
    records: Iterable[Record]
    leads: Mapping[str, str] = field(default_factory=dict)
    computed: Callable[[Record, Mapping[str, Any]], Record] | None = None
    """Computes fields that depend on the context, such as a product's figures in one warehouse."""
    searchable: frozenset[str] = frozenset()
    """Those of them that can be searched."""


Models = Callable[[str], OdooModel | None]
_UNSAID = {"create_uid": Many2One("res.users", 1, "OdooBot")}
"""What a record has that says nothing else."""


class OdooEngine:
    """Answers one call of a reading method; ``models`` returns the present state of a model."""

    def __init__(self, models: Models, release: tuple[int, int]) -> None:
        self._models, self._release = cache(models), release

    def model(self, name: str) -> OdooModel:
        """Return a model; raises the release's error if it does not exist."""
        found = self._models(name)
        if found is None:
            if self._release >= (18, 4):
                message = f"the model {name!r} does not exist"
                raise OdooError("werkzeug.exceptions.NotFound", message, 404)
            raise user_error(f"Object {name} doesn't exist")
        # Odoo has it on every model.
        return replace(found, fields={"create_uid": "many2one", **found.fields})

    def fields_get(self, name: str, attributes: Iterable[str] | None) -> Record:
        """Return the fields of a model with their types."""
        return {field: {"type": type_} for field, type_ in self.model(name).fields.items()}

    def search_read(
        self,
        name: str,
        domain: list[Any],
        fields: list[str],
        context: Mapping[str, Any],
        *,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
    ) -> list[Record]:
        """Return matching records, limited only by the request."""
        for field_name in fields:
            self._check(name, field_name)
        found = self._search(name, domain, context)
        for term in reversed((order or "id").split(",")):
            field_name, _, direction = term.strip().partition(" ")
            self._check(name, field_name)
            found.sort(key=lambda record: _sortable(record.get(field_name)), reverse=direction.lower() == "desc")
        end = None if not limit else offset + limit
        return [self._told(name, record, fields, context) for record in found[offset:end]]

    def read(self, name: str, ids: list[int], fields: list[str], context: Mapping[str, Any]) -> list[Record]:
        """Return records by id, archived or not; unknown ids are left out, as in Odoo."""
        for field_name in fields:
            self._check(name, field_name)
        known = {record["id"]: record for record in self.model(name).records}
        return [self._told(name, known[key], fields, context) for key in ids if key in known]

    def search_count(self, name: str, domain: list[Any], context: Mapping[str, Any]) -> int:
        """Return the number of matching records."""
        return len(self._search(name, domain, context))

    # Domains

    def _search(self, name: str, domain: list[Any], context: Mapping[str, Any]) -> list[Record]:
        model = self.model(name)
        if context.get("lang", "en_US") not in LANGUAGES:
            raise user_error(f"Invalid language code: {context['lang']}")
        holds = self._compile(name, domain)
        companies = context.get("allowed_company_ids")
        records: Iterable[Record] = model.records
        if model.computed is not None and any(term[0] in model.searchable for term in domain if isinstance(term, list)):
            records = ({**record, **model.computed(record, context)} for record in records)
        found = [record for record in records if holds(record)]
        if "active" in model.fields and context.get("active_test", True):
            found = [record for record in found if record.get("active", True)]
        if companies and "company_id" in model.fields:
            found = [r for r in found if r.get("company_id") is None or r["company_id"].id in companies]
        return found

    def _compile(self, name: str, domain: list[Any]) -> Callable[[Record], bool]:
        terms = list(domain)
        parts: list[Callable[[Record], bool]] = []
        while terms:
            parts.append(self._term(name, terms))
        return lambda record: all(part(record) for part in parts)

    def _term(self, name: str, terms: list[Any]) -> Callable[[Record], bool]:
        if not terms:
            raise value_error("Domain error: an operand is missing")
        term = terms.pop(0)
        if term in ("|", "&"):
            left, right = self._term(name, terms), self._term(name, terms)
            if term == "|":
                return lambda record: left(record) or right(record)
            return lambda record: left(record) and right(record)
        if term == "!":
            negated = self._term(name, terms)
            return lambda record: not negated(record)
        path, operator, operand = term
        self._check(name, path.split(".")[0])
        return lambda record: self._holds(name, record, path, operator, operand)

    def _holds(self, name: str, record: Record, path: str, operator: str, operand: Any) -> bool:
        first, _, rest = path.partition(".")
        value = record.get(first)
        if rest:
            model, ids = (value.model, [value.id]) if isinstance(value, Many2One) else self._led(name, first, value)
            known = {other["id"]: other for other in self.model(model).records} if ids else {}
            return any(self._holds(model, known[key], rest, operator, operand) for key in ids if key in known)
        value = value.id if isinstance(value, Many2One) else value
        if isinstance(value, list):
            if operator in ("=", "!=") and operand is False:
                return (not value) is (operator == "=")
            return any(_compare(item, operator, operand) for item in value)
        return _compare(value, operator, operand)

    def _led(self, name: str, field_name: str, value: Any) -> tuple[str, list[int]]:
        return self.model(name).leads.get(field_name, ""), value if isinstance(value, list) else []

    # Answers

    def _check(self, name: str, field_name: str) -> None:
        if field_name != "id" and field_name not in self.model(name).fields:
            model = f"{name!r}" if self._release >= (18, 4) else f"model {name!r}"
            raise value_error(f"Invalid field {field_name!r} on {model}")

    def _told(self, name: str, record: Record, fields: list[str], context: Mapping[str, Any]) -> Record:
        model = self.model(name)
        if model.computed is not None:
            record = {**record, **model.computed(record, context)}
        return {
            "id": record["id"],
            **{name: tell(record.get(name, _UNSAID.get(name)), model.fields[name]) for name in fields},
        }


def tell(value: Any, type_: str) -> Any:
    """Return a value in Odoo's format."""
    match value:
        case None:
            return 0.0 if type_ in ("float", "monetary") else [] if type_.endswith("2many") else False
        case Many2One():
            return [value.id, value.name]
        case Decimal():
            return float(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return value.isoformat()
        case _:
            return value


def _compare(value: Any, operator: str, operand: Any) -> bool:
    if operator in ("in", "not in"):
        inside = any(_equal(value, item) for item in operand)
        return inside if operator == "in" else not inside
    if operator in ("=", "!="):
        return _equal(value, operand) is (operator == "=")
    if operator in ("ilike", "=ilike", "like", "=like"):
        text = "" if value is None else str(value)
        pattern = operand if operator.startswith("=") else f"%{operand}%"
        return value is not None and _like(text, pattern, ignore_case="ilike" in operator)
    if value is None:
        return False
    other = _as(value, operand)
    comparisons = {"<": value < other, "<=": value <= other, ">": value > other, ">=": value >= other}
    return bool(comparisons[operator])


def _equal(value: Any, operand: Any) -> bool:
    if operand is False or operand is None:
        return value is None or value is False
    return value is not None and bool(value == _as(value, operand))


def _as(value: Any, operand: Any) -> Any:
    """Return the compared value in the type of the field."""
    if isinstance(value, datetime):
        return datetime.fromisoformat(operand).replace(tzinfo=UTC)
    if isinstance(value, date):
        return date.fromisoformat(operand)
    return Decimal(str(operand)) if isinstance(value, Decimal) else operand


def _like(text: str, pattern: str, *, ignore_case: bool) -> bool:
    return _expression(pattern, ignore_case).fullmatch(text) is not None


@lru_cache(maxsize=64)
def _expression(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """Return the regular expression of a PostgreSQL LIKE pattern: ``%`` and ``_``, escaped with a backslash."""
    expression = ""
    signs = iter(pattern)
    for sign in signs:
        if sign == "\\":
            escaped = next(signs, None)
            if escaped is None:
                raise OdooError("psycopg2.DataError", "LIKE pattern must not end with escape character", 500)
            expression += re.escape(escaped)
        else:
            expression += {"%": ".*", "_": "."}.get(sign) or re.escape(sign)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else re.NOFLAG))


def _sortable(value: Any) -> tuple[bool, Any]:
    """Return a sort key: empty values come last, or first in descending order."""
    if isinstance(value, Many2One):
        return False, value.name
    return (True, 0) if value is None else (False, value)
