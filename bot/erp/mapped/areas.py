"""The sections of a configuration, by the names that both mapped vendors give to their parts.

There is a section for each area, for customers, vendors, bills, payments, deliveries and receipts, and for prices,
arrivals and warehouses. A section has ``fields``, may have ``changes``, ``lines`` (of documents; of payments: what they
settle), ``places`` (of stock) and the parts of `bot.erp.mapped.goods.PARTS`, each with ``fields`` of its own where it
has any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from bot.erp.mapped import goods
from bot.erp.mapped.builders import DOCUMENTS, LOT, PLACE, PRODUCT, TOTAL
from bot.erp.mapped.reader import RecordMapping
from bot.erp.model import Area, Feed
from bot.erp.port import Capability

Sections = Mapping[str, Any]

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys((*Area, *(document.section for document in DOCUMENTS), *goods.PARTS)))


def sections_of(options: BaseModel) -> Sections:
    """Return the sections that are configured, by name."""
    found = {name: getattr(options, name) for name in SECTIONS}
    return {name: section for name, section in found.items() if section is not None}


def mappings_of(sections: Sections) -> dict[str, RecordMapping[Any]]:
    """Return the layouts with their fields, by section; that of warehouses as ``stock.places``."""
    found: dict[str, RecordMapping[Any]] = {}
    if Area.PRODUCTS in sections:
        found[Area.PRODUCTS] = RecordMapping(PRODUCT, sections[Area.PRODUCTS].fields)
    if Area.STOCK in sections:
        found[Area.STOCK] = RecordMapping(TOTAL, sections[Area.STOCK].fields)
        if sections[Area.STOCK].places is not None:
            found["stock.places"] = RecordMapping(PLACE, sections[Area.STOCK].places.fields)
        if getattr(sections[Area.STOCK], "lots", None) is not None:
            found["stock.lots"] = RecordMapping(LOT, sections[Area.STOCK].lots.fields)
    if "warehouses" in sections:
        found["warehouses"] = RecordMapping(goods.WAREHOUSE, sections["warehouses"].fields)
    found |= {
        place: RecordMapping(goods.PARTS[section][name], part.fields)
        for place, section, name, part in goods_parts(sections)
    }
    for document in DOCUMENTS:
        section = sections.get(document.section)
        if section is not None:
            lines = getattr(section, "lines", None)
            of_lines = RecordMapping(document.lines, lines.fields) if document.lines and lines else None
            found[document.section] = RecordMapping(document.layout, section.fields, of_lines)
    return found


def goods_parts(sections: Sections) -> Iterator[tuple[str, str, str, Any]]:
    """Yield the parts about goods that are configured: place, section, name and part."""
    for section, parts in goods.PARTS.items():
        for name in parts:
            part = getattr(sections.get(section), name, None)
            if part is not None:
                yield f"{section}.{name}", section, name, part


def _goods_capabilities(sections: Sections) -> Iterator[Capability]:
    for _, section, name, _ in goods_parts(sections):
        match section, name:
            case Area.PRODUCTS, _:
                yield Capability.PRODUCT_DETAILS
            case "prices", _:
                yield Capability.PRICES
            case "arrivals", _:
                yield Capability.ARRIVALS
            case _, "contents":
                yield Capability.WAREHOUSE_STOCK
            case _:
                yield Capability.SHORTAGES


def feeds_of(sections: Sections) -> frozenset[Feed]:
    """Return the documents besides those of areas whose changes are configured."""
    return frozenset(feed for feed in Feed if getattr(sections.get(feed), "changes", None) is not None)


def capabilities_of(sections: Sections) -> frozenset[Capability]:
    """Return what the configured sections and fields make possible to read."""
    found = {document.kind.capability for document in DOCUMENTS if document.section in sections}
    found.update(
        document.kind.by_product
        for document in DOCUMENTS
        if document.kind.by_product and getattr(sections.get(document.section), "of_product", None) is not None
    )
    found.update(_goods_capabilities(sections))
    stock = sections.get(Area.STOCK)
    if stock is not None:
        figures = {*stock.fields, *(stock.places.fields if stock.places else ())}
        found.add(Capability.STOCK)
        if stock.places is not None:
            found.add(Capability.STOCK_PER_WAREHOUSE)
        if getattr(stock, "lots", None) is not None:
            found.add(Capability.LOTS)
        if figures >= {"reserved", "incoming"}:
            found.add(Capability.RESERVED_AND_INCOMING)
        if "reorder_point" in figures:
            found.add(Capability.REORDER_POINT)
    if "finished_on" in getattr(sections.get(Area.PRODUCTION), "fields", ()):
        found.add(Capability.FINISHED_DAYS)
    if any(getattr(section, "changes", None) is not None for section in sections.values()):
        found.add(Capability.CHANGED_SINCE)
    return frozenset(found)
