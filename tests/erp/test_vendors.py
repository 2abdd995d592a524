"""From a configured source to its adapter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from bot.erp import vendors
from bot.erp.vendors import GROUP, Vendor, find_vendor, known_vendors, open_source
from bot.kit.company.manifest import vendor as demo
from bot.words.errors import ConfigurationError
from tests.rows import each_row


def now() -> datetime:
    return datetime(2026, 11, 24, 2, tzinfo=UTC)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that another package declares adapters in its entry points."""
    entries = EntryPoints(
        EntryPoint(name, value, GROUP)
        for name, value in {
            "acme": "bot.kit.company.manifest:vendor",
            "gone": "no_such_package:vendor",
            "empty": "bot.kit.company.manifest:no_such_name",
            "wrong": "bot.kit.company.manifest:DemoOptions",
            "demo": "no_such_package:impostor",
        }.items()
    )
    monkeypatch.setattr(vendors, "entry_points", lambda **wanted: entries.select(**wanted))


async def test_the_demo_opens_without_any_options(tmp_path: Path) -> None:
    erp = await open_source("main", "demo", {}, data_dir=tmp_path / "data", now=now)
    level = await erp.stock("SKU123")
    assert (erp.name, level.source, level.as_of) == ("main", "main", now())
    await erp.close()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["erp-main.sqlite3"]


async def test_options_may_come_as_text_from_the_environment(tmp_path: Path) -> None:
    options = {"database": str(tmp_path / "x.db"), "latency": "0.001", "today": "2026-01-31"}
    erp = await open_source("main", "demo", options, data_dir=tmp_path, now=now, timeout=3)
    assert (await erp.order("SO-1001")).ordered_on == datetime(2025, 12, 2, tzinfo=UTC).date()
    await erp.close()
    assert (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"latency": "soon"}, "latency"),
        ({"latency": -1}, "latency"),
        ({"pasword": "geheim"}, "pasword"),
        ({"database": "postgresql://bot:geheim@db/erp"}, "SQLite"),
        ({"database": "sqlite://bad:geheim:url"}, "address"),
    ],
)
async def test_wrong_options_are_named_and_not_repeated(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        await open_source("main", "demo", options, data_dir=tmp_path, now=now)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"urll": "http://geheim"}, "'main': urll is no setting; did you mean url?; user is missing; key is missing"),
        ({"url": "http://geheim", "user": "u", "key": "k", "zzz": "geheim"}, "'main': zzz is no setting"),
        (
            {"url": "http://geheim", "user": "u", "api_key": "geheim"},
            "'main': api_key is no setting; did you mean key?",
        ),
        ({"url": "geheim.example", "user": "u", "key": "k"}, "'main': url: must begin with https:// or http://"),
    ],
)
async def test_a_misspelt_option_is_told_which_was_meant(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{re.escape(said)}$") as error:
        await open_source("main", "odoo", options, data_dir=tmp_path, now=now)
    assert "geheim" not in str(error.value)


@pytest.mark.usefixtures("installed")
def test_an_unknown_vendor_is_told_which_are_known() -> None:
    known = known_vendors()
    assert {"acme", "demo", "odoo", "empty", "gone", "wrong"} <= set(known)
    assert list(known) == sorted(known)
    with pytest.raises(ConfigurationError, match=f"'kingdom'; known are: {', '.join(known)}"):
        find_vendor("kingdom")


@pytest.mark.usefixtures("installed")
def test_adapters_of_other_packages_are_found_and_ours_cannot_be_replaced() -> None:
    assert isinstance(find_vendor("acme"), Vendor)
    assert find_vendor("demo") is demo


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "words"), [("gone", "no_such_package"), ("empty", "no_such_name"), ("wrong", "is not a Vendor")]
)
def test_an_adapter_that_cannot_be_loaded_is_named(name: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        find_vendor(name)


COMMON_FILES = {"query", "stock", "decisions", "changes"}
"""What every coded vendor has; `tests/project/test_layers.py` knows all names of files."""


@each_row("vendor", ["erpnext", "kingdee", "odoo", "sap_b1", "tryton", "yonbip"])
def test_the_same_concern_has_the_same_file_in_every_vendors_folder(vendor: str) -> None:
    folder = Path(vendors.__file__).parent / vendor
    files = {file.stem for file in folder.glob("*.py")}
    assert files >= COMMON_FILES


@each_row("page", sorted(Path(vendors.__file__).parent.glob("*/README.md")))
def test_the_page_of_a_vendor_says_what_was_never_tried(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "## Never tried" in text
    assert "dingerp erp check" in text.partition("## Never tried")[2]
