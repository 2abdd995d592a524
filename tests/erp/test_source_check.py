"""``dingerp erp check`` on a database with planted defects: it finds them all and changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, create_engine, insert
from typer.testing import CliRunner

from bot.admin.erps import check_source
from bot.cli import cli
from bot.erp.errors import NotPermitted
from bot.erp.kinds import INVOICES, SALES_ORDERS, D, Kind
from bot.erp.model import Area, Slice
from bot.erp.port import ListQuery
from bot.erp.source_check import AreaAccess, SourceChecker, SourceReport, report_lines
from bot.erp.validation import Validator
from bot.erp.validation_rules import Defect
from bot.settings import ErpSettings, Settings, load_settings
from tests.commands.company import NOW, Company
from tests.erp.fakes import sql as tables
from tests.erp.sql.documented_config import company_options

TIME = "2026-11-20T08:00:00+00:00"
CLEAN, PLANTED = 30, 200

KINDS = {
    "mojibake": Defect.ENCODING,
    "control": Defect.CONTROL,
    "lost": Defect.ENCODING,
    "blanks": Defect.BLANKS,
    "duplicate": Defect.DUPLICATE,
    "negative": Defect.NEGATIVE,
    "absurd": Defect.ABSURD,
    "unit": Defect.UNIT,
    "date": Defect.DATE,
    "total": Defect.TOTAL,
    "currency": Defect.CURRENCY,
    "missing": Defect.MISSING,
}


@dataclass
class PlantedRows:
    """Rows of the database, and the record to be found for each kind of defect."""

    rows: list[tuple[Table, dict[str, Any]]] = field(default_factory=list)
    planted: list[tuple[str, Area, str]] = field(default_factory=list)

    def product(self, sku: str, held: str = "5", **changed: Any) -> None:
        item = {"item_no": sku, "title": "内六角螺丝 M6×20", "spec": "8.8级 Ø6 ±0.1", "uom": "个", "counted": TIME}
        self.rows.append((tables.ITEMS, item | {"changed": TIME} | changed))
        self.rows.append((tables.HOLDINGS, {"item_no": sku, "store": "SH", "on_hand": held}))

    def order(self, number: str, amount: str = "100", **changed: Any) -> None:
        row = {"no": number, "id": len(self.rows), "customer": "上海宏图", "state": 10, "cur": "CNY", "total": "100"}
        days = {"placed_on": "2026-11-01", "promised_on": "2026-12-01", "changed": TIME}
        line = {"item_no": "SKU1", "title": "螺丝", "uom": "个", "quantity": "10", "price": "10", "amount": amount}
        self.rows.append((tables.ORDERS, row | days | changed))
        self.rows.append((tables.ORDER_ROWS, {"no": number, "pos": 1} | line))

    def bill(self, number: str, **changed: Any) -> None:
        row = {"no": number, "id": len(self.rows), "customer": "上海宏图", "state": "U", "cur": "CNY", "credit": 0}
        rest = {"total": "100", "unpaid": "60", "issued_on": "2026-11-01", "due_on": "2026-12-01", "changed": TIME}
        self.rows.append((tables.BILLS, row | rest | changed))

    def plant(self, kind: str, count: int) -> None:
        """Add one record with a defect of this kind."""
        sku, order, bill = f"BAD-{count}", f"SO-BAD-{count}", f"INV-BAD-{count}"
        match kind:
            case "mojibake":
                wrong = ("latin-1", "cp1252")[count % 2]
                self.product(sku, title="上海螺丝".encode().decode(wrong, "ignore" if wrong == "cp1252" else "strict"))
            case "control":
                self.product(sku, title="螺\x07丝\u200b")
            case "lost":
                self.order(order, customer=("????", "锟斤拷锟斤拷", "宏\ufffd机械")[count % 3])
            case "blanks":
                self.bill(bill, customer=" 上海宏图\u3000")
            case "duplicate":
                self.order(order)
                self.order(order)
            case "negative":
                self.product(sku, held="-3")
            case "absurd":
                self.product(sku, held="9" * 18)
            case "unit":
                self.product(sku, uom=("扎扎", "#N/A", "???x")[count % 3])
            case "date":
                self.order(order, promised_on=("0001-01-01", "1970-01-01", "2999-12-31")[count % 3])
            case "total":
                if count % 2:
                    self.order(order, amount="999999")
                else:
                    self.bill(bill, unpaid="100.01")
            case "currency":
                self.bill(bill, cur="人民币")
            case _:
                self.order(order, customer=("NULL", "undefined")[count % 2])
        areas = {"BAD": Area.PRODUCTS, "SO-": Area.SALES, "INV": Area.FINANCE}
        key = next(
            row[name] for _, row in reversed(self.rows) for name in ("item_no", "no") if "BAD" in row.get(name, "")
        )
        area = areas[key[:3]]
        self.planted.append((kind, Area.STOCK if kind in ("negative", "absurd") else area, key))


@pytest.fixture(scope="module")
def dirty() -> PlantedRows:
    data = PlantedRows()
    for count in range(CLEAN):
        data.product(f"SKU{count}")
        data.order(f"SO-{count}")
        data.bill(f"INV-{count}")
    for count in range(PLANTED):
        data.plant(tuple(KINDS)[count % len(KINDS)], count)
    return data


@pytest.fixture(scope="module")
def database(dirty: PlantedRows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dirty") / "company.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        tables._meta.create_all(connection)
        connection.execute(insert(tables.STORES).values(code="SH", title="上海仓"))
        for table, row in dirty.rows:
            connection.execute(insert(table).values(**row))
    engine.dispose()
    return file


@pytest.fixture
def settings(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    from importlib.metadata import EntryPoint

    from bot.erp import vendors

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(vendors._OURS, "sql", EntryPoint("sql", "bot.erp.sql.manifest:vendor", vendors.GROUP))
    options = company_options(url=f"sqlite:///{database}")
    source = ErpSettings.model_validate({"vendor": "sql", "negative_stock": False, **options})
    return load_settings(data_dir=tmp_path, erp={"dirty": source}, units={"千个": "1000 个"})


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def found(report: SourceReport) -> set[tuple[Area, str, Defect]]:
    return {(area.area, flaw.key, flaw.finding.defect) for area in report.areas for flaw in area.flaws}


async def test_every_planted_defect_is_found_and_none_changed(
    settings: Settings, dirty: PlantedRows, database: Path
) -> None:
    before = digest(database)
    report, lines = await check_source(settings, "dirty", sample=500)
    assert len(dirty.planted) == PLANTED
    assert {kind for kind, _, _ in dirty.planted} == set(KINDS)
    at = found(report)
    assert [defect for defect in dirty.planted if (*defect[1:], KINDS[defect[0]]) not in at] == []
    # No clean record is reported.
    assert {key for _, key, _ in at if "BAD" not in key} == set()
    assert digest(database) == before
    text = "\n".join(lines)
    defects = {flaw.finding.defect for area in report.areas for flaw in area.flaws}
    assert len(defects) >= len(KINDS) - 1, "mojibake and lost characters are one kind in the report"
    assert all(defect.value in text for defect in defects)


async def test_what_can_be_put_right_is_repaired_and_the_rest_rejected(settings: Settings, dirty: PlantedRows) -> None:
    report, _ = await check_source(settings, "dirty", sample=500)
    kinds = {(flaw.finding.defect, flaw.rejected) for area in report.areas for flaw in area.flaws if "BAD" in flaw.key}
    for repaired in (Defect.CONTROL, Defect.BLANKS, Defect.ENCODING):
        assert (repaired, False) in kinds
    for rejected in (Defect.DUPLICATE, Defect.NEGATIVE, Defect.ABSURD, Defect.UNIT, Defect.DATE, Defect.TOTAL):
        assert (rejected, True) in kinds
    assert report.rejected > 0
    assert all(area.ok + area.repaired + area.rejected == area.records for area in report.areas)
    assert next(area for area in report.areas if area.area is Area.SALES).ok >= CLEAN


def test_the_command_prints_the_report_and_tells_by_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    result = CliRunner().invoke(cli, ["erp", "check", "main", "--sample", "5"])
    assert result.exit_code == 0, result.output
    assert "sales       may read · 5 read: 5 ok" in result.output
    assert "nothing is rejected" in result.output
    unknown = CliRunner().invoke(cli, ["erp", "check", "other"])
    assert unknown.exit_code != 0


async def test_rights_that_the_account_lacks_are_told() -> None:
    class Restricted(Company):
        async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
            if kind == INVOICES:
                raise NotPermitted("no right to account.move")
            return await super().documents(kind, query)

    erp = Restricted()
    erp.capabilities = erp.capabilities - {
        next(capability for capability in erp.capabilities if capability == "production_orders")
    }
    report = await SourceChecker(erp, Validator("main", now=lambda: NOW)).examine()
    rights = {area.area: area.right for area in report.areas}
    assert rights[Area.FINANCE] is AreaAccess.REFUSED
    assert rights[Area.PRODUCTION] is AreaAccess.NOT_OFFERED
    assert rights[Area.SALES] is AreaAccess.READ
    assert any("no right to account.move" in line for line in report_lines(report))


async def test_an_erp_that_hangs_is_told_in_one_sentence() -> None:
    class Hung(Company):
        async def check(self) -> None:
            await asyncio.Event().wait()

    report = await SourceChecker(Hung(), Validator("main", now=lambda: NOW), timeout=0.01).examine()
    (problem,) = report.problems
    assert str(problem.words) == "The ERP does not answer: no answer in 0.01 s"
    assert report.exit_code == 2


async def test_an_area_that_hangs_does_not_end_the_report() -> None:
    class HungInvoices(Company):
        async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
            if kind == INVOICES:
                await asyncio.Event().wait()
            return await super().documents(kind, query)

        async def document(self, kind: Kind[D], number: str) -> D:
            if kind == SALES_ORDERS:
                await asyncio.Event().wait()
            return await super().document(kind, number)

    report = await SourceChecker(HungInvoices(), Validator("main", now=lambda: NOW), sample=3, timeout=0.01).examine()
    areas = {area.area: area for area in report.areas}
    assert (areas[Area.FINANCE].right, areas[Area.FINANCE].problem) == (AreaAccess.FAILED, "no answer in 0.01 s")
    assert [flaw.finding.why for flaw in areas[Area.SALES].flaws] == ["no answer in 0.01 s"] * 3
    assert areas[Area.PURCHASING].ok > 0
