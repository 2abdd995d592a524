"""``dingerp erp check`` over broken set-ups: each is named in one sentence with a remedy, and none passes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bot.erp.model import Area
from bot.erp.source_check import SourceChecker, SourceReport, report_lines
from bot.erp.validation import Validator
from bot.erp.vendors import AdapterContext
from bot.kit.testing import company as reference
from bot.kit.testing import reference_records
from bot.kit.testing.contract_base import ContractBase
from bot.kit.testing.fake_erp import SECRET
from tests.erp.fakes.erpnext_documents import COMPANY
from tests.erp.fakes.odoo import key_of

VENDORS = {
    "odoo19": "odoo.test_contract:TestOdooJson2Contract",
    "odoo18": "odoo.test_contract:TestOdooJsonRpcContract",
    "erpnext": "erpnext.test_contract:TestErpNextContract",
    "tryton": "tryton.test_contract:TestTrytonContract",
    "kingdee": "kingdee.test_contract:TestKingdeeSignedContract",
    "sap_b1": "sap_b1.test_contract:TestSapB1Contract",
    "yonbip": "yonbip.test_contract:TestYonBipContract",
    "rest": "rest.test_contract:TestRestContract",
    "dolibarr": "rest.test_dolibarr_contract:TestDolibarrContract",
}
_NOWHERE = "http://127.0.0.1:9"

Installation = Any
Check = Callable[..., Awaitable[SourceReport]]


@pytest.fixture
async def check(tmp_path: Path) -> AsyncIterator[Check]:
    """Checks a vendor's fake server after ``breaking`` it, with other ``options`` than the right ones."""
    async with AsyncExitStack() as stack:

        async def check(
            vendor: str, breaking: Callable[[Installation], object] = lambda _: None, **options: Any
        ) -> SourceReport:
            module, _, name = VENDORS[vendor].partition(":")
            contract: Any = getattr(import_module(f"tests.erp.{module}"), name)()
            assert isinstance(contract, ContractBase)
            clock = reference.Clock()
            company = contract.found_company(reference.TODAY, clock)
            (tmp_path / "installation").mkdir(exist_ok=True)
            installation: Any = contract.install(company, clock, tmp_path / "installation")
            await installation.start()
            stack.push_async_callback(installation.stop)
            breaking(installation)
            seconds = 0.3 if installation.faults.hanging else 5.0
            settings = contract.vendor.options.model_validate(contract.options(installation, seconds) | options)
            context = AdapterContext(name="main", data_dir=tmp_path, now=clock.now)
            erp = await contract.vendor.open(context, settings)
            stack.push_async_callback(erp.close)
            validator = Validator("main", now=clock.now)
            return await SourceChecker(erp, validator, sample=2).examine()

        yield check


def said(report: SourceReport) -> str:
    """Return the one problem of a report, which is named with its remedy."""
    (problem,) = report.problems
    lines = "\n".join(report_lines(report))
    assert str(problem.words) in lines
    assert str(problem.remedy) in lines
    assert "nothing is rejected" not in lines
    return str(problem.words)


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_right_set_up_has_no_problem(check: Check, vendor: str) -> None:
    report = await check(vendor)
    assert report.problems == ()
    assert report.exit_code == 0
    assert "nothing is rejected" in list(report_lines(report))


BROKEN: dict[str, tuple[Callable[[Installation], object], str]] = {
    "account": (lambda erp: erp.faults.refuse_login(), "does not accept the bot's account"),
    "maintenance": (lambda erp: erp.faults.maintenance(), "does not answer"),
    "maintenance with status 200": (lambda erp: erp.faults.maintenance(200), "does not answer"),
    "hung": (lambda erp: erp.faults.hang(), "does not answer"),
    "connections are broken off": (lambda erp: erp.faults.reset_connection(), "does not answer"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_source_that_cannot_be_used(check: Check, vendor: str, fault: str) -> None:
    breaking, words = BROKEN[fault]
    report = await check(vendor, breaking)
    assert words in said(report)
    assert (report.exit_code, report.areas) == (2, ())


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_wrong_address(check: Check, vendor: str) -> None:
    report = await check(vendor, url=_NOWHERE)
    assert "does not answer" in said(report)
    assert report.exit_code == 2


@pytest.mark.sampled(3)
@pytest.mark.parametrize("area", [Area.SALES, Area.FINANCE, Area.PURCHASING, Area.PRODUCTION])
@pytest.mark.parametrize("vendor", VENDORS)
async def test_an_area_that_the_account_may_not_read(check: Check, vendor: str, area: Area) -> None:
    report = await check(vendor, lambda erp: erp.faults.forbid(area))
    assert said(report).startswith(f"{area}: the account lacks the right")
    assert report.exit_code == 1


@pytest.mark.parametrize("vendor", ["tryton", "kingdee", "sap_b1", "yonbip"])
async def test_an_area_without_anything_is_not_taken_for_well(check: Check, vendor: str) -> None:
    report = await check(vendor, lambda erp: erp.company.orders.clear())
    assert said(report).startswith("sales: the account may read it and sees nothing")
    assert report.exit_code == 1


@pytest.mark.parametrize("vendor", ["odoo18", "odoo19"])
async def test_a_company_without_documents_is_not_taken_for_well(check: Check, vendor: str) -> None:
    report = await check(vendor, company=2)
    empty = {str(problem.words).partition(":")[0] for problem in report.problems}
    assert empty == {"sales", "finance", "purchasing", "production"}
    assert report.exit_code == 1


@pytest.mark.parametrize("vendor", ["odoo18", "odoo19"])
async def test_odoos_company_and_language(check: Check, vendor: str) -> None:
    report = await check(vendor, company=99)
    assert said(report) == ("The account sees no company 99; it sees: 1 My Company (San Francisco), 2 Other company.")
    assert report.exit_code == 2
    report = await check(vendor, language="ja_JP")
    assert (said(report), report.exit_code) == ("The language ja_JP is not installed in the ERP.", 2)


@pytest.mark.parametrize("vendor", ["odoo18", "odoo19"])
async def test_one_of_several_companies_has_to_be_chosen(check: Check, vendor: str) -> None:
    report = await check(vendor, company=None)
    assert said(report).startswith("The account sees several companies, and [erp.main] names none")
    assert str(report.problems[0].remedy).splitlines()[1:] == [
        '[erp."My Company (San Francisco)"]',
        "company = 1",
        '[erp."Other company"]',
        "company = 2",
    ]
    assert (report.exit_code, report.areas) == (2, ())


@pytest.mark.parametrize(
    ("vendor", "words"), [("odoo18", "does not accept the bot's account"), ("odoo19", "no database of the configured")]
)
async def test_odoos_database(check: Check, vendor: str, words: str) -> None:
    report = await check(vendor, database="misspelt")
    assert words in said(report)
    assert report.exit_code == 2


@pytest.mark.parametrize("vendor", ["odoo18", "odoo19"])
async def test_an_approvers_key_that_ended(check: Check, vendor: str) -> None:
    report = await check(vendor, approvers={"anna": key_of("anna"), "carla": "ended"})
    assert said(report).startswith("The ERP refuses the key of the approver carla")
    assert report.exit_code == 1
    assert report.areas


async def test_an_approvers_key_of_somebody_else(check: Check) -> None:
    report = await check("odoo19", approvers={"carla": key_of("anna")})
    assert said(report) == "The key of the approver carla belongs to anna."


async def test_a_company_that_erpnext_does_not_have(check: Check) -> None:
    assert (await check("erpnext", company=COMPANY)).problems == ()
    report = await check("erpnext", company="My Compny")
    assert (said(report), report.exit_code) == ("The account sees no company My Compny.", 2)


async def test_a_key_of_erpnexts_approvers_that_is_refused(check: Check) -> None:
    pairs = {"anna": {"key": "anna-key", "secret": "wrong"}}
    assert said(await check("erpnext", approvers=pairs)).startswith("The ERP refuses the key of the approver anna")


async def test_a_key_of_another_user_of_erpnext(check: Check) -> None:
    other = {"anna": {"key": "carla-key", "secret": SECRET}}
    assert said(await check("erpnext", approvers=other)) == "The key of the approver anna belongs to carla."


async def test_a_password_of_trytons_approvers(check: Check) -> None:
    report = await check("tryton", approvers={"anna": "wrong"})
    assert said(report).startswith("The ERP refuses the key of the approver anna")


async def test_a_password_of_business_ones_approvers(check: Check) -> None:
    report = await check("sap_b1", approvers={"anna": "wrong"})
    assert said(report).startswith("The ERP refuses the key of the approver anna")
    assert report.exit_code == 1


WRONG: dict[tuple[str, str], dict[str, Any]] = {
    ("odoo18", "key"): {"key": "wrong"},
    ("odoo18", "user"): {"user": "nobody"},
    ("odoo19", "key"): {"key": "wrong"},
    ("erpnext", "key"): {"key": "wrong"},
    ("erpnext", "secret"): {"secret": "wrong"},
    ("tryton", "database"): {"database": "nowhere"},
    ("tryton", "user"): {"user": "nobody"},
    ("tryton", "password"): {"password": "wrong"},
    ("kingdee", "data centre"): {"acct_id": "wrong"},
    ("kingdee", "user"): {"user": "nobody"},
    ("kingdee", "app"): {"app_id": "200001_unknown"},
    ("kingdee", "secret"): {"app_secret": "wrong"},
    ("sap_b1", "company"): {"company": "NONE"},
    ("sap_b1", "user"): {"user": "nobody"},
    ("sap_b1", "password"): {"password": "wrong"},
    ("yonbip", "tenant"): {"tenant": "none"},
    ("yonbip", "app"): {"app_key": "none"},
    ("yonbip", "secret"): {"app_secret": "wrong"},
    ("rest", "key"): {"account": {"kind": "header", "name": "X-Key", "key": "wrong"}},
    ("dolibarr", "key"): {"account": {"kind": "header", "name": "DOLAPIKEY", "key": "wrong"}},
}


@pytest.mark.parametrize(("vendor", "what"), WRONG, ids=lambda part: part)
async def test_a_wrong_account_or_database(check: Check, vendor: str, what: str) -> None:
    report = await check(vendor, **WRONG[vendor, what])
    assert said(report).startswith("The ERP does not accept the bot's account")
    assert (report.exit_code, report.areas) == (2, ())


@pytest.mark.parametrize(("setting", "words"), [("company", "sees no company 7"), ("language", "ja is not installed")])
async def test_trytons_company_and_language(check: Check, setting: str, words: str) -> None:
    report = await check("tryton", **{setting: 7 if setting == "company" else "ja"})
    assert words in said(report)
    assert report.exit_code == 2


RECORDS = {
    "products": "products",
    "sales": "orders",
    "finance": "invoices",
    "purchasing": "purchases",
    "production": "productions",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("area", RECORDS)
@pytest.mark.parametrize("vendor", [vendor for vendor in VENDORS if not vendor.startswith("odoo")])
async def test_each_area_without_anything(check: Check, vendor: str, area: str) -> None:
    report = await check(vendor, lambda erp: getattr(erp.company, RECORDS[area]).clear())
    words = [str(problem.words) for problem in report.problems]
    assert f"{area}: the account may read it and sees nothing." in words
    assert report.exit_code == 1


@pytest.mark.parametrize("org", ["kingdee", "yonbip"])
async def test_an_organisation_that_is_not_there_is_seen_by_what_is_missing(check: Check, org: str) -> None:
    report = await check(org, org="999")
    area = "sales" if org == "kingdee" else "stock"
    assert f"{area}: the account may read it and sees nothing." in [str(problem.words) for problem in report.problems]
    assert report.exit_code == 1


@pytest.mark.parametrize("vendor", VENDORS)
async def test_stock_of_nothing_anywhere_is_not_taken_for_well(check: Check, vendor: str) -> None:
    def emptied(erp: Installation) -> None:
        nothing = reference_records.quantities("0")
        for sku, level in erp.company.stock.items():
            places = tuple(replace(place, quantities=nothing) for place in level.per_warehouse)
            found = reference_records.stock_level(level.product, places, level.reorder_point, level.as_of)
            erp.company.stock[sku] = found

    assert said(await check(vendor, emptied)) == "stock: the account may read it and sees nothing."


async def test_a_stored_query_that_is_missing_is_named(check: Check) -> None:
    report = await check("sap_b1", lots_queries=["misspelt"])
    assert "lots_queries: no such query is stored: misspelt" in "\n".join(report_lines(report))
    assert report.exit_code == 1
