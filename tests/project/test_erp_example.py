"""The page about adding an ERP shows the files of the example package, and its steps work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import load_settings

from .page_project import PageProject
from .tree import ROOT

PAGE = (ROOT / "docs/how-to/add-an-erp.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "docs/examples/dingerp-erp-example"
SHOWN = dict(re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def test_every_file_is_shown() -> None:
    files = {str(path.relative_to(PACKAGE)) for kind in ("*.py", "*.toml") for path in PACKAGE.rglob(kind)}
    assert set(SHOWN) == files - {"dingerp_erp_example/__init__.py"}


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_shown_as_it_is(name: str) -> None:
    assert SHOWN[name] == (PACKAGE / name).read_text(encoding="utf-8")


def test_its_settings_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"^```toml\n(\[erp.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    file = tmp_path / "dingerp.toml"
    file.write_text(shown, encoding="utf-8")
    monkeypatch.setenv("DINGERP_ERP__MAIN__PASSWORD", "x")
    source = load_settings(file).erp["main"]
    assert source.vendor == "example"
    assert source.options == {"url": "https://erp.example.com", "user": "dingerp", "password": "x"}


def test_followed_it_is_a_package_that_passes_the_contract(tmp_path: Path) -> None:
    package = PageProject(tmp_path / "example", path=[tmp_path / "installed", ROOT])
    package.write("dingerp_erp_example/__init__.py", "")
    for name, content in SHOWN.items():
        package.write(name, content)

    package.install(tmp_path / "installed")
    (command,) = re.findall(r"^python (-m pytest)$", PAGE, re.MULTILINE)
    assert " passed" in package.python(*command.split(), "-q")
    vendors = package.python("-c", "from bot.erp.vendors import find_vendor; print(find_vendor('example').title)")
    assert "Example ERP" in vendors
