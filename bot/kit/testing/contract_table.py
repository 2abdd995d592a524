"""Writes the table of adapters and contract cases: ``python -m bot.kit.testing.contract_table REPORT --page PAGE``.

The report comes from `bot.kit.testing.contract_report`. A case that failed or did not run stops the writing, so that
the table only ever says *pass* or names a gap. `declared_outcomes` foretells from the declarations alone what a green
run reports.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from bot.erp.port import Capability
from bot.kit.testing.contract_base import ContractBase, contract_cases
from bot.kit.testing.erp_contract import ErpContract

Contract = type[ContractBase]
Results = Mapping[str, str]
"""Row of the contract → ``pass``, ``fail`` or ``gap: …``."""

_BLOCK = re.compile(r"(<!-- contract -->\n).*?(<!-- end -->)", re.DOTALL)


def find_contracts(folder: Path) -> list[Contract]:
    """Return the contract classes in the ``test_*contract.py`` files of a folder of tests, by the vendors' names."""
    found = [contract for file in sorted(folder.rglob("test_*contract.py")) for contract in _contracts_in(file)]
    return sorted(found, key=lambda contract: contract.name)


def _contracts_in(file: Path) -> Iterator[Contract]:
    """Yield those that pytest runs, not what they share."""
    module = _load(file)
    for name, member in vars(module).items():
        if name.startswith("Test") and issubclass(member, ErpContract) and member.__module__ == module.__name__:
            yield member


def _load(file: Path) -> ModuleType:
    """Return a test file as a module of its package, found from the folder that holds the outermost package."""
    root = file.resolve().parent
    while (root / "__init__.py").exists():
        root = root.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return importlib.import_module(".".join(file.resolve().relative_to(root).with_suffix("").parts))


def declared_outcomes(contract: Contract) -> dict[str, str]:
    """Return what a green run reports of an adapter."""
    results: dict[str, str] = {}
    for known in contract_cases(contract):
        for value in known.values():
            reason = contract.gap_of(known, value)
            results[known.row(value)] = "pass" if reason is None else f"gap: {reason}"
    return results


def unknown_gaps(contract: Contract) -> set[str]:
    """Return the gaps that name no case of the contract."""
    known = contract_cases(contract)
    rows = ({case.id, case.row(value), case.group(value)} for case in known for value in case.values())
    return set(contract.gaps.cases).difference(*rows)


def deviations(contract: Contract, results: Results) -> list[str]:
    """Return the rows of a run that are missing, failed, or not what was declared."""
    return [row for row, outcome in declared_outcomes(contract).items() if results.get(row) != outcome]


def render_page(page: str, contracts: Sequence[Contract]) -> str:
    """Return the page with the block between its marks written again."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{_block(contracts)}\n\n{block[2]}", page)


def _block(contracts: Sequence[Contract]) -> str:
    return "\n\n".join((_offers(contracts), _cases(contracts), *map(_differences, contracts)))


def _offers(contracts: Sequence[Contract]) -> str:
    rows = (
        (capability.replace("_", " "), *("yes" if capability in c.offers else "–" for c in contracts))
        for capability in Capability
    )
    return "## What each adapter offers\n\n" + _table(("", *(c.name for c in contracts)), rows)


def _cases(contracts: Sequence[Contract]) -> str:
    outcomes = {contract: declared_outcomes(contract) for contract in contracts}
    reasons = {contract: _reasons(contract) for contract in contracts}
    rows: list[tuple[str, ...]] = []
    for known in contract_cases(ErpContract):
        for value in known.values():
            row = known.row(value)
            cells = (_cell(outcomes[c][row], reasons[c]) for c in contracts)
            rows.append((f"`{row}`", known.title, *cells))
    return "## Contract cases\n\n" + _table(("case", "promise", *(c.name for c in contracts)), rows)


def _cell(outcome: str, reasons: Sequence[str]) -> str:
    return "pass" if outcome == "pass" else f"gap {reasons.index(outcome.removeprefix('gap: ')) + 1}"


def _reasons(contract: Contract) -> list[str]:
    """Return the reasons of an adapter's gaps, each once, in the order of the cases."""
    outcomes = declared_outcomes(contract).values()
    return list(dict.fromkeys(outcome.removeprefix("gap: ") for outcome in outcomes if outcome != "pass"))


def _differences(contract: Contract) -> str:
    gaps = contract.gaps
    lines = [f"{n}. {reason}" for n, reason in enumerate(_reasons(contract), 1)]
    told = [f"* `{name}` is not told: {reason}" for name, reason in gaps.fields.items()]
    told += [
        f"* {type(state).__name__} `{state}` is told as `{other}`: {reason}"
        for state, (other, reason) in gaps.states.items()
    ]
    told += [f"* {rewrite.reason}" for rewrite in (*gaps.rewrites, *gaps.listed)]
    if gaps.resolution.total_seconds() >= 1e-3:
        told.append(f"* times are told in steps of {gaps.resolution.total_seconds():g} s")
    parts = [f"## Gaps of {contract.name}", "\n".join(lines), "\n".join(told)]
    return "\n\n".join(filter(None, parts)) if lines or told else f"{parts[0]}\n\nNone."


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a report against the declarations and write the page; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot.kit.testing.contract_table", description=main.__doc__)
    parser.add_argument("report", type=Path, help="what --contract-report wrote")
    parser.add_argument("--tests", type=Path, default=Path("tests/erp"), help="folder of the contract tests")
    parser.add_argument("--page", type=Path, default=Path("docs/reference/erps.md"), help="page to write")
    chosen = parser.parse_args(arguments)
    report: dict[str, Any] = json.loads(chosen.report.read_text(encoding="utf-8"))
    contracts = find_contracts(chosen.tests)
    failed = [f"{c.name}: {row}" for c in contracts for row in deviations(c, report.get(c.name, {}))]
    if failed:
        sys.stderr.write("These cases failed, did not run, or are not as declared:\n" + "\n".join(failed) + "\n")
        return 1
    page = chosen.page.read_text(encoding="utf-8")
    chosen.page.write_text(render_page(page, contracts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
