"""The table of adapters and contract cases is complete and as declared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.erp.port import Capability
from bot.kit.testing.contract_table import (
    declared_outcomes,
    deviations,
    find_contracts,
    main,
    render_page,
    unknown_gaps,
)
from bot.kit.testing.gaps import Gaps
from tests.rows import each_row

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "erps.md"
CONTRACTS = find_contracts(HERE)


def test_every_adapter_has_a_name_of_its_own() -> None:
    names = [contract.name for contract in CONTRACTS]
    assert sorted(set(names)) == names


def test_the_page_is_what_the_adapters_declare() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == render_page(page, CONTRACTS), "run the contract and write the page again, as it says"


def test_the_page_has_every_case_of_every_adapter() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for contract in CONTRACTS:
        assert f"## Gaps of {contract.name}" in page
        for row in declared_outcomes(contract):
            assert f"| `{row}` |" in page


@each_row("contract", CONTRACTS)
def test_every_gap_names_a_case_and_a_reason(contract: type) -> None:
    assert unknown_gaps(contract) == set()
    gaps: Gaps = contract.gaps  # type: ignore[attr-defined]  # what contracts have
    reasons = [*gaps.cases.values(), *gaps.fields.values(), *(reason for _, reason in gaps.states.values())]
    for reason in (*reasons, *(rewrite.reason for rewrite in gaps.rewrites)):
        assert len(reason) > 10, "a gap says what the vendor cannot do"


def test_a_run_that_is_not_green_or_not_whole_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, report = tmp_path / "page.md", tmp_path / "report.json"
    page.write_text("<!-- contract -->\n<!-- end -->\n", encoding="utf-8")
    results = {contract.name: declared_outcomes(contract) for contract in CONTRACTS}
    for spoil in ({"stock.exact": "fail"}, {"stock.exact": "gap: nobody knows why"}, {"stock.exact": ""}):
        report.write_text(json.dumps(results | {"demo": results["demo"] | spoil}), encoding="utf-8")
        assert main([str(report), "--tests", str(HERE), "--page", str(page)]) == 1
        assert "demo: stock.exact" in capsys.readouterr().err
        assert page.read_text(encoding="utf-8") == "<!-- contract -->\n<!-- end -->\n"
    report.write_text(json.dumps(results), encoding="utf-8")
    assert main([str(report), "--tests", str(HERE), "--page", str(page)]) == 0
    assert "| `stock.exact` |" in page.read_text(encoding="utf-8")


def test_what_is_not_offered_is_a_gap_by_itself() -> None:
    (demo,) = (contract for contract in CONTRACTS if contract.name == "demo")

    class Poorer(demo):  # type: ignore[valid-type,misc]  # found at run time
        offers = frozenset(Capability) - {Capability.INVOICES}

    assert declared_outcomes(Poorer)["read.exact[invoices]"] == "gap: not offered: invoices"
    assert declared_outcomes(Poorer)["read.exact[orders]"] == "pass"
    assert declared_outcomes(Poorer)["refuse.kind[invoices]"] == "pass"
    assert deviations(Poorer, declared_outcomes(demo)) != []
