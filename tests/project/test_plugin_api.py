"""The plug-in API: the page lists every name, and our examples use no others."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .tree import ROOT, code_blocks, markdown_files

PAGE = ROOT / "docs/reference/plugin-api.md"
MODULES = ("bot.api.commands", "bot.api.erps")
PACKAGE = ROOT / "docs/examples/dingerp-erp-example"
PLAIN_COMMANDS = ("find", "help", "invoice", "mo", "shortage")
"""Built-in commands that a plug-in could contain as well."""


def section(name: str) -> str:
    """Return the section of the page about a module."""
    found = re.search(
        rf"^## `{re.escape(name)}`\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1]


def rows(name: str) -> list[list[str]]:
    """Return the cells of the tables in a module's section, without their headers."""
    lines = re.findall(r"^\| (`.+) \|$", section(name), re.MULTILINE)
    return [line.split(" | ") for line in lines]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def imports(code: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import from ``bot`` or ``commands``."""
    for node in ast.walk(ast.parse(code)):
        found = (
            [(node.module or "", alias.name) for alias in node.names]
            if isinstance(node, ast.ImportFrom) and not node.level
            else [(alias.name, "") for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        yield from ((module, name) for module, name in found if module.partition(".")[0] in {"bot", "commands"})


def offered(name: str) -> set[str]:
    """Return the public names of a module."""
    return {each for each in vars(importlib.import_module(name)) if not each.startswith("_")}


def promised() -> set[tuple[str, str]]:
    """Return all imports that the page lists."""
    ours = {(module, name) for module in MODULES for name in offered(module)}
    tests = {(names_in(row[0])[0], name) for row in rows("bot.kit.testing") for name in names_in(row[1])}
    return ours | tests | {("bot.api", name.rpartition(".")[2]) for name in MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_the_page_lists_exactly_what_the_module_offers(name: str) -> None:
    listed = [cell_name for row in rows(name) for cell_name in names_in(row[0])]

    assert sorted(listed) == sorted(offered(name))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_offers_what_it_imports_and_nothing_else(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    source = Path(module.__file__).read_text(encoding="utf-8")

    assert sorted(each for _, each in imports(source)) == sorted(offered(name))


def test_both_modules_mean_the_same_by_the_same_name() -> None:
    commands, erps = (importlib.import_module(name) for name in MODULES)

    for shared in set.intersection(*map(offered, MODULES)):
        assert getattr(commands, shared) is getattr(erps, shared)


def test_what_tests_of_plug_ins_import_is_there() -> None:
    for module, names in rows("bot.kit.testing"):
        for name in names_in(names):
            assert hasattr(importlib.import_module(names_in(module)[0]), name)


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_example_package_keeps_to_it(file: Path) -> None:
    assert {*imports(file.read_text(encoding="utf-8"))} <= promised()


def shown_code() -> list[tuple[str, str]]:
    return [
        (str(page.relative_to(ROOT)), code)
        for page in markdown_files()
        for kind, code in code_blocks(page.read_text(encoding="utf-8"))
        if kind in {"python", "py"}
    ]


@pytest.mark.parametrize(("page", "code"), shown_code())
def test_what_the_documentation_shows_keeps_to_it(page: str, code: str) -> None:
    assert {*imports(code)} <= promised()


@pytest.mark.parametrize("name", PLAIN_COMMANDS)
def test_plain_commands_could_be_plug_ins(name: str) -> None:
    used = {each for _, each in imports((ROOT / "commands" / f"{name}.py").read_text(encoding="utf-8"))}

    assert used - {"AnyCommand"} <= offered("bot.api.commands")
