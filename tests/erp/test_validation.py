"""What validation repairs, rejects and lets through."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.erp.errors import Unusable
from bot.erp.model import (
    Area,
    Invoice,
    Lot,
    Money,
    OrderLine,
    Product,
    ProductionOrder,
    Quantities,
    SalesOrder,
    Slice,
    StockLevel,
    WarehouseStock,
)
from bot.erp.text_repair import decoded, suspicious
from bot.erp.units import Units
from bot.erp.validation import QuarantinedRecord, Validator
from bot.erp.validation_rules import Defect
from bot.kit.testing.company import Clock, ReferenceCompany
from tests.bare_records import bare
from tests.rows import each_row

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()


class MemoryQuarantine:
    """Collects quarantined records."""

    def __init__(self) -> None:
        self.kept: list[QuarantinedRecord] = []

    def add(self, kept: QuarantinedRecord) -> None:
        self.kept.append(kept)


@pytest.fixture
def quarantine() -> MemoryQuarantine:
    return MemoryQuarantine()


@pytest.fixture
def validator(quarantine: MemoryQuarantine) -> Validator:
    return Validator("main", now=lambda: NOW, units=Units({"千个": "1000 个"}), quarantine=quarantine)


def cny(amount: str, currency: str = "CNY") -> Money:
    return Money(Decimal(amount), currency)


PRODUCT = Product(sku="SKU1", name="螺丝 M6×20", unit="个", spec="8.8级 ±0.1 Ø6", barcode="690123")


def place(code: str, on_hand: str) -> WarehouseStock:
    return WarehouseStock(code=code, name=f"{code} 仓", quantities=Quantities(on_hand=Decimal(on_hand)))


LEVEL = StockLevel(
    product=PRODUCT,
    total=Quantities(on_hand=Decimal(12), available=Decimal(-3), forecast=Decimal(-5)),
    per_warehouse=(place("SH", "5"), place("SZ", "7")),
    reorder_point=Decimal(10),
    as_of=NOW,
)
ORDER = bare(
    SalesOrder,
    "SO-1",
    ordered_on=TODAY,
    promised_on=TODAY + timedelta(days=9),
    total=cny("113"),
    lines=(OrderLine(sku="SKU1", name="螺丝", unit="个", quantity=Decimal(10), price=cny("10"), amount=cny("100")),),
    changed_at=NOW,
)
INVOICE = bare(Invoice, "INV-1", issued_on=TODAY, due_on=TODAY, total=cny("100"), open_amount=cny("60"))
MADE = bare(ProductionOrder, "MO-1", planned=Decimal(10), produced=Decimal(11), start_on=TODAY)


def stocked(**changed: Any) -> StockLevel:
    return replace(LEVEL, **changed)


def line(**changed: Any) -> SalesOrder:
    return replace(ORDER, lines=(replace(ORDER.lines[0], **changed),))


REJECTED = [
    (replace(PRODUCT, sku=""), Defect.MISSING),
    (replace(PRODUCT, name="NULL"), Defect.MISSING),
    (replace(ORDER, number=""), Defect.MISSING),
    (replace(ORDER, customer="undefined"), Defect.MISSING),
    (replace(PRODUCT, name="螺\udc80丝"), Defect.SURROGATE),
    (line(name="\ud800"), Defect.SURROGATE),
    (replace(PRODUCT, name="????"), Defect.ENCODING),
    (replace(INVOICE, customer="锟斤拷锟斤拷"), Defect.ENCODING),
    (replace(PRODUCT, sku="SKU\x001"), Defect.CONTROL),
    (stocked(per_warehouse=(place("SH", "5"), place("SH", "5"))), Defect.DUPLICATE),
    (stocked(total=Quantities(on_hand=Decimal(12), reserved=Decimal(-1))), Defect.NEGATIVE),
    (line(quantity=Decimal("-1e15")), Defect.ABSURD),
    (replace(MADE, produced=Decimal(-1)), Defect.NEGATIVE),
    (stocked(total=Quantities(on_hand=Decimal("NaN"))), Defect.ABSURD),
    (stocked(total=Quantities(on_hand=Decimal("1e15"))), Defect.ABSURD),
    (stocked(reorder_point=Decimal("Infinity")), Defect.ABSURD),
    (replace(MADE, planned=Decimal("sNaN")), Defect.ABSURD),
    (replace(ORDER, total=cny("1e18")), Defect.ABSURD),
    (replace(PRODUCT, unit="扎扎"), Defect.UNIT),
    (replace(ORDER, promised_on=date(1970, 1, 1)), Defect.DATE),
    (replace(ORDER, promised_on=date(2999, 1, 1)), Defect.DATE),
    (replace(ORDER, changed_at=NOW + timedelta(days=2)), Defect.DATE),
    (stocked(as_of=datetime(2026, 11, 24)), Defect.DATE),  # noqa: DTZ001  # the defect itself
    (stocked(per_warehouse=(place("SH", "5"), place("SZ", "7.01"))), Defect.TOTAL),
    (line(amount=cny("226.01")), Defect.TOTAL),
    (replace(INVOICE, open_amount=cny("100.01")), Defect.TOTAL),
    (replace(INVOICE, total=cny("100", "")), Defect.CURRENCY),
    (replace(INVOICE, total=cny("100", "元")), Defect.CURRENCY),
    (line(amount=cny("100", "EUR")), Defect.CURRENCY),
]


@pytest.mark.parametrize(("record", "defect"), REJECTED)
def test_what_cannot_be_right_is_rejected(validator: Validator, record: Any, defect: Defect) -> None:
    verdict = validator.check(record)
    assert verdict.record is None
    assert verdict.findings[-1].defect is defect


@pytest.mark.parametrize("record", [PRODUCT, LEVEL, ORDER, INVOICE, MADE])
def test_what_is_right_passes_as_it_is(validator: Validator, record: Any) -> None:
    verdict = validator.check(record)
    assert verdict.record is record
    assert verdict.findings == ()


def test_repairs_have_one_meaning(validator: Validator) -> None:
    def repaired(record: Any) -> tuple[Any, list[Defect]]:
        verdict = validator.check(record)
        return verdict.record, [finding.defect for finding in verdict.findings]

    assert repaired(replace(PRODUCT, name="")) == (replace(PRODUCT, name="SKU1"), [Defect.MISSING])
    assert repaired(replace(PRODUCT, name=" 螺丝\u3000")) == (replace(PRODUCT, name="螺丝"), [Defect.BLANKS])
    assert repaired(replace(PRODUCT, sku="SKU1 ")) == (PRODUCT, [Defect.BLANKS])
    assert repaired(replace(PRODUCT, spec="M6\x00")) == (replace(PRODUCT, spec="M6"), [Defect.CONTROL])
    dirty = replace(LEVEL, per_warehouse=(replace(place("SH", "5"), name="\ufeffSH 仓"), place("SZ", "7")))
    assert repaired(dirty) == (LEVEL, [Defect.CONTROL])
    assert repaired(replace(ORDER, ordered_on=date(9999, 12, 31))) == (replace(ORDER, ordered_on=None), [Defect.DATE])
    both = replace(stocked(), product=replace(PRODUCT, name="上海".encode().decode("latin-1") + " "))
    assert repaired(both) == (stocked(product=replace(PRODUCT, name="上海")), [Defect.ENCODING, Defect.BLANKS])


@each_row(("right", "wrong"), [("utf-8", "latin-1"), ("gbk", "latin-1"), ("utf-8", "gbk")])
def test_damaged_chinese_is_recognised_and_read_anew(right: str, wrong: str) -> None:
    text = "上海螺丝仓"[: 4 if wrong == "gbk" else 5]
    damaged = text.encode(right).decode(wrong)
    assert suspicious(damaged)
    assert decoded(damaged) == text


@pytest.mark.parametrize(
    "text",
    ["Müller & Söhne", "Café São João", "ÄÖÜß", "北京", "涓流", "嵊泗 涪陵", "25°C ±5 ½″", "Łódź", "¿Qué?"],
)
def test_what_only_looks_odd_is_left_alone(text: str, validator: Validator) -> None:
    assert decoded(text) is None
    record = replace(PRODUCT, name=text)
    assert validator.check(record).record is record


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=30))
def test_no_chinese_text_is_touched_without_a_fault_in_it(text: str) -> None:
    meant = decoded(text)
    # Only texts whose GBK bytes are entirely valid UTF-8 are changed: such a text is almost certainly damaged.
    assert meant is None or meant.encode().decode("gbk") == text


def test_units_are_only_judged_where_they_are_listed() -> None:
    lenient = Validator("main", now=lambda: NOW)
    assert lenient.check(replace(PRODUCT, unit="扎扎")).record is not None
    assert lenient.check(replace(PRODUCT, unit="#N/A")).record is None


def test_negative_stock_is_shown_unless_the_source_may_have_none() -> None:
    low = stocked(total=Quantities(on_hand=Decimal(-1)), per_warehouse=(place("SH", "4"), place("SZ", "-5")))
    assert Validator("main", now=lambda: NOW).check(low).record is low
    verdict = Validator("main", now=lambda: NOW, negative_stock=False).check(low)
    assert verdict.record is None
    assert [(finding.defect, finding.why) for finding in verdict.findings] == [
        (Defect.NEGATIVE, "stock on hand, and negative_stock is off")
    ]


def test_a_lot_without_a_possible_quantity_is_kept_aside(validator: Validator) -> None:
    lots = (Lot(number="L-1", quantity=Decimal("NaN")), Lot(number="L-2", quantity=None))
    verdict = validator.check(stocked(lots=lots))
    assert [(finding.defect, finding.why) for finding in verdict.findings] == [(Defect.ABSURD, "quantity of a lot")]
    assert validator.check(stocked(lots=lots[1:])).record is not None


def test_a_single_record_that_is_rejected_is_told_and_kept_with_its_source(
    validator: Validator, quarantine: MemoryQuarantine
) -> None:
    bad = stocked(total=Quantities(on_hand=Decimal("NaN")))
    with pytest.raises(Unusable) as caught:
        validator.validate(bad)
    assert "SKU1" in str(caught.value.tell())
    (kept,) = quarantine.kept
    assert (kept.source, kept.area, kept.key, kept.defect, kept.at) == ("main", Area.STOCK, "SKU1", Defect.ABSURD, NOW)
    assert json.loads(kept.record)["total"]["on_hand"] == "NaN"


@pytest.mark.parametrize(("sku", "key"), [("SKU\x001", "SKU\\x001"), ("SKU\ud8001", "SKU\\ud8001")])
def test_a_key_is_kept_in_signs_that_every_database_takes(
    validator: Validator, quarantine: MemoryQuarantine, sku: str, key: str
) -> None:
    validator.validate((replace(PRODUCT, sku=sku),))
    (kept,) = quarantine.kept
    assert kept.key == key
    assert json.loads(kept.record)["sku"] == sku


def test_in_a_list_the_others_are_shown_and_the_gap_is_told(validator: Validator, quarantine: MemoryQuarantine) -> None:
    bad = replace(ORDER, number="SO-2", customer="NULL\udc80")
    value, notes = validator.validate(Slice(items=(ORDER, bad, ORDER), total=3))
    assert value == Slice(items=(ORDER,), total=3)
    assert [str(note) for note in notes] == ["main: 2 records cannot be right and are left out."]
    assert [kept.defect for kept in quarantine.kept] == [Defect.SURROGATE, Defect.DUPLICATE]
    assert json.loads(quarantine.kept[0].record)["customer"] == "NULL\udc80"
    products, notes = validator.validate((PRODUCT, replace(PRODUCT, sku="SKU2 ")))
    assert [product.sku for product in products] == ["SKU1", "SKU2"]
    assert notes == ()


def test_what_is_right_is_not_copied(validator: Validator) -> None:
    whole: Slice[Any] = Slice(items=(ORDER,), total=1)
    assert validator.validate(whole)[0] is whole
    assert validator.validate(LEVEL)[0] is LEVEL
    assert validator.validate("no record")[0] == "no record"


def test_the_bounds_move_with_the_days() -> None:
    now = [NOW]
    validator = Validator("main", now=lambda: now[0])
    later = replace(ORDER, changed_at=NOW + timedelta(days=30))
    assert validator.check(later).record is None
    now[0] = NOW + timedelta(days=30)
    assert validator.check(later).record is later


def test_the_awkward_company_is_not_blamed() -> None:
    reference = ReferenceCompany(Clock().now().date())
    validator = Validator("main", now=Clock().now, negative_stock=True)
    for area in Area:
        for record in reference.records(area).values():
            assert validator.check(record).record is record


def test_a_return_may_have_negative_lines(validator: Validator) -> None:
    returned = replace(line(quantity=Decimal(-1), amount=cny("-100")), total=cny("-113"))
    assert validator.check(returned).record is returned


def test_an_exchange_has_a_negative_line_and_a_positive_total(validator: Validator) -> None:
    back = replace(ORDER.lines[0], quantity=Decimal(-1), amount=cny("-10"))
    exchange = replace(ORDER, lines=(*ORDER.lines, back))
    assert validator.check(exchange).record is exchange


def test_a_text_to_repair_costs_no_look_at_the_types_of_its_record(
    validator: Validator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That took fifty times as long as the repair, for each record of an ERP that pads its texts."""

    def look(kind: type[Any]) -> dict[str, Any]:
        raise AssertionError(f"the types of {kind.__name__} were looked at")

    monkeypatch.setattr("bot.erp.validation.get_type_hints", look)
    verdict = validator.check(replace(LEVEL, product=replace(PRODUCT, name="螺丝 M6×20\x07")))
    assert verdict.record is not None
    assert verdict.record.product.name == "螺丝 M6×20"
