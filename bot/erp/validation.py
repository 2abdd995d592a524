"""Checks every record of an ERP before it is shown: it is valid, repaired where the repair is certain, or rejected.

A rejected record goes to quarantine as the ERP sent it, with the reason; the reader is told that it is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar, get_type_hints

import structlog

from bot.erp import text_repair
from bot.erp.errors import Unusable
from bot.erp.kinds import KINDS
from bot.erp.model import Area, ErpRecord, Product, Slice, StockLevel, WarehouseStock
from bot.erp.model.goods import (
    Arrival,
    ComponentUse,
    PricePoint,
    Prices,
    ProductDetails,
    Shortage,
    Supply,
    WarehouseContents,
    WarehouseItem,
)
from bot.erp.units import Units
from bot.erp.validation_rules import GOODS_RULES, Defect, PlausibilityBounds, RecordRule, Violation
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

DUPLICATE = Violation(Defect.DUPLICATE, "the same key comes twice")

R = TypeVar("R")

_AREAS: Mapping[type, Area] = {
    Product: Area.PRODUCTS,
    StockLevel: Area.STOCK,
    Arrival: Area.PURCHASING,
    Shortage: Area.STOCK,
    ProductDetails: Area.PRODUCTS,
    Prices: Area.PRODUCTS,
    PricePoint: Area.SALES,
    Supply: Area.PRODUCTS,
    ComponentUse: Area.PRODUCTS,
    WarehouseItem: Area.STOCK,
} | {kind.record: kind.area for kind in KINDS}
_RULES: Mapping[type, tuple[RecordRule, ...]] = {**GOODS_RULES, **{kind.record: kind.rules for kind in KINDS}}
_REPEATED = frozenset({Arrival, Shortage, PricePoint, Supply, ComponentUse})
"""Parts of longer stories: several have the same document or product."""
_COMPOSED: Mapping[type, tuple[str, ...]] = {
    ProductDetails: ("supplies", "components", "used_in"),
    Prices: ("sales", "purchases"),
    WarehouseContents: ("items",),
}
"""Answers about goods, with the records in them that are checked one by one."""
_ABOUT_PRODUCT = (StockLevel, ProductDetails, Prices, WarehouseItem)

_KEYS = frozenset({"sku", "number", "document", "code"})
"""Texts that are never repaired: the ERP would not find the record by another key."""
_OPAQUE = frozenset({"id", "version", "url", "source", "task_id", "currency"})
_BOUNDS_HOLD = timedelta(hours=1)
_LONGEST = 16_000
"""Characters of a record that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRecord:
    """A record that was rejected: which, why, and in JSON as the ERP sent it."""

    source: str
    area: Area
    key: str
    defect: Defect
    why: str
    record: str
    at: datetime


class Quarantine(Protocol):
    """Where rejected records are kept."""

    def add(self, kept: QuarantinedRecord) -> None:
        """Take a record; returns at once."""
        ...


@dataclass(frozen=True, slots=True)
class ValidationResult(Generic[R]):
    """``record`` as it may be shown, None if it must not be; ``findings`` are why it was repaired or rejected."""

    record: R | None
    findings: tuple[Violation, ...] = ()


class Validator:
    """Checks the records of a source."""

    def __init__(
        self,
        source: str,
        *,
        now: Callable[[], datetime],
        units: Units | None = None,
        negative_stock: bool = True,
        quarantine: Quarantine | None = None,
    ) -> None:
        self._source = source
        self._now = now
        self._units = units or Units()
        self._negative_stock = negative_stock
        self._quarantine = quarantine
        self._bounds = self._renew(now())

    def validate(self, value: Any) -> tuple[Any, tuple[Phrase, ...]]:
        """Return what may be shown of a whole answer, and what to say about the rest.

        Raises `Unusable` for a single record that is rejected. What is no record of `bot.erp.model` passes.
        """
        kind = type(value)
        if kind in _COMPOSED:
            return self._composed(value)
        if kind in _AREAS:
            verdict = self.check(value)
            if verdict.record is None:
                self.quarantine(value, verdict.findings[-1])
                raise Unusable(record_key(value), verdict.findings[-1].why, source=self._source)
            return verdict.record, ()
        if kind is Slice:
            items = self._all(value.items)
            if items is value.items:
                return value, ()
            return replace(value, items=items), self._missing(len(value.items) - len(items))
        if kind is tuple:
            items = self._all(value)
            return items, self._missing(len(value) - len(items))
        return value, ()

    def _composed(self, value: Any) -> tuple[Any, tuple[Phrase, ...]]:
        if type(value) in _ABOUT_PRODUCT:
            verdict = self.check(value)
            if verdict.record is None:
                self.quarantine(value, verdict.findings[-1])
                raise Unusable(record_key(value), verdict.findings[-1].why, source=self._source)
            value = verdict.record
        kept = {name: self._all(getattr(value, name)) for name in _COMPOSED[type(value)]}
        missing = sum(len(getattr(value, name)) - len(records) for name, records in kept.items())
        return replace(value, **kept), self._missing(missing)

    def check(self, record: Any) -> ValidationResult[Any]:
        """Apply every rule to a record, each to what the repairs before it left."""
        now = self._now()
        if now > self._renew_at:
            self._bounds = self._renew(now)
        return self._judge_with_product(record) if type(record) in _ABOUT_PRODUCT else self._judge(record)

    def quarantine(self, record: Any, finding: Violation) -> None:
        """Log a rejected record, and keep it if there is a quarantine."""
        area, key = _AREAS[type(record)], record_key(record)
        log.warning(
            "erp.record_rejected",
            source=self._source,
            area=area.value,
            key=key,
            defect=finding.defect.value,
            why=finding.why,
        )
        if self._quarantine is not None:
            self._quarantine.add(
                QuarantinedRecord(
                    source=self._source,
                    area=area,
                    key=key,
                    defect=finding.defect,
                    why=finding.why,
                    record=json.dumps(record, default=_plain)[:_LONGEST],
                    at=self._now(),
                )
            )

    def _renew(self, now: datetime) -> PlausibilityBounds:
        self._renew_at = now + _BOUNDS_HOLD
        return PlausibilityBounds.of(now, self._units, negative_stock=self._negative_stock)

    def _all(self, records: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the records that may be shown, each key once; the same tuple if that is all of them."""
        shown: list[Any] = []
        seen: set[tuple[str, str]] = set()
        same = True
        for record in records:
            if type(record) not in _AREAS:
                return records
            verdict = self.check(record)
            # Two companies of a source may number their documents alike.
            company = record.company if isinstance(record, ErpRecord) else ""
            key = company, record_key(record).casefold()
            if verdict.record is None or (key in seen and type(record) not in _REPEATED):
                self.quarantine(record, verdict.findings[-1] if verdict.record is None else DUPLICATE)
                same = False
                continue
            seen.add(key)
            same = same and verdict.record is record
            shown.append(verdict.record)
        return records if same else tuple(shown)

    def _missing(self, count: int) -> tuple[Phrase, ...]:
        if not count:
            return ()
        return (
            phrase("%(source)s: %(count)d records cannot be right and are left out.", source=self._source, count=count),
        )

    def _judge_with_product(self, level: Any) -> ValidationResult[Any]:
        product = self._judge(level.product)
        if product.record is None:
            return ValidationResult(None, product.findings)
        if product.record is not level.product:
            level = replace(level, product=product.record)
        verdict = self._judge(level)
        return ValidationResult(verdict.record, product.findings + verdict.findings) if product.findings else verdict

    def _judge(self, record: Any) -> ValidationResult[Any]:
        findings: tuple[Violation, ...] = ()
        if _doubtful(record):
            record, findings = _tidied(record)
            if record is None:
                return ValidationResult(None, findings)
        for rule in _RULES.get(type(record), ()):
            finding = rule(record, self._bounds)
            if finding is not None:
                findings = (*findings, finding)
                record = finding.record
                if record is None:
                    break
        return ValidationResult(record, findings)


def record_key(record: Any) -> str:
    """Return the code or number of a record, in characters that can be written down."""
    match record:
        case _ if type(record) in _ABOUT_PRODUCT:
            key = record.product.sku
        case Arrival() | PricePoint():
            key = record.document or record.source
        case Supply():
            key = record.vendor
        case _:
            key = getattr(record, "number", None) or record.sku
    # PostgreSQL takes no text with a NUL in it.
    return str(key).encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _text_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(name for name, hint in get_type_hints(kind).items() if hint is str and name not in _OPAQUE)


_PARTS: tuple[type[Any], ...] = (WarehouseStock, *(kind.line for kind in KINDS if kind.line))
_NAMES = {kind: names for kind in (*_AREAS, *_PARTS) if (names := _text_names(kind))}
_TEXTS = {kind: attrgetter(*names) for kind, names in _NAMES.items()}
_INSIDE: Mapping[type, str] = {
    StockLevel: "per_warehouse",
    **{kind.record: kind.inside for kind in KINDS if kind.inside == "lines"},
}


def _doubtful(record: Any) -> bool:
    """Return whether any text of a record needs a closer look."""
    kind = type(record)
    if kind not in _TEXTS:
        return False
    found: str | tuple[str, ...] = _TEXTS[kind](record)
    parts = ["", found] if isinstance(found, str) else ["", *found]
    if kind in _INSIDE:
        for part in getattr(record, _INSIDE[kind]):
            parts += _TEXTS[type(part)](part)
    text = "\n".join([*parts, ""])
    return (
        text_repair.suspicious(text)
        or "\n " in text
        or " \n" in text
        or "\u3000\n" in text
        or "\n\u3000" in text
        or "\t" in text
    )


def _tidied(record: Any) -> tuple[Any, tuple[Violation, ...]]:
    """Return a record with its texts repaired, or None, and what was found."""
    changes: dict[str, Any] = {}
    findings: list[Violation] = []
    for name in _NAMES[type(record)]:
        text, found = _tidied_text(name, getattr(record, name))
        findings += found
        if text is None:
            return None, tuple(findings)
        if found:
            changes[name] = text
    inside = _INSIDE.get(type(record))
    if inside is not None:
        pairs = [_tidied(part) for part in getattr(record, inside)]
        findings += [finding for _, found in pairs for finding in found]
        if any(part is None for part, _ in pairs):
            return None, tuple(findings)
        changes[inside] = tuple(part for part, _ in pairs)
    return (replace(record, **changes) if findings else record), tuple(findings)


def _tidied_text(name: str, text: str) -> tuple[str | None, list[Violation]]:
    if text_repair.lone_surrogate(text):
        return None, [Violation(Defect.SURROGATE, name)]
    if text_repair.lost(text):
        return None, [Violation(Defect.ENCODING, f"{name}: characters were lost")]
    findings: list[Violation] = []
    meant = text_repair.decoded(text)
    clean = text_repair.without_controls(text if meant is None else meant)
    if meant is not None:
        findings.append(Violation(Defect.ENCODING, f"{name}: decoded anew", name))
    elif clean != text:
        findings.append(Violation(Defect.CONTROL, f"{name}: taken out", name))
    if findings and name in _KEYS:
        return None, [replace(findings[0], record=None, why=name)]
    bare = text_repair.stripped(clean)
    if bare != clean:
        findings.append(Violation(Defect.BLANKS, f"{name}: taken off", name))
    return bare, findings


def _plain(value: Any) -> Any:
    """Return what JSON can hold of a part of a record."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return dict(value) if isinstance(value, Mapping) else str(value)
