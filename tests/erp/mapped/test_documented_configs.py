"""Every configuration in the documentation is one: loaded as the bot loads it, its secrets from the environment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.erp.rest import manifest as rest_manifest
from bot.erp.rest.accounts import HeaderAccount
from bot.erp.rest.options import RestOptions
from bot.erp.sql import manifest as sql_manifest
from bot.erp.vendors import AdapterContext, Vendor
from bot.settings import load_settings
from bot.words.secret_values import Secret
from tests.erp.mapped.documented_configs import HOW_TO, PAGES, blocks

VENDORS: dict[str, Vendor[Any]] = {"sql": sql_manifest.vendor, "rest": rest_manifest.vendor}
SHOWN = [(f"{page.parent.name}/{page.name}-{n}", block) for page in PAGES for n, block in enumerate(blocks(page))]


def test_all_pages_show_something() -> None:
    assert [len(blocks(page)) for page in PAGES] == [1, 1, 4]


@pytest.mark.parametrize(("place", "block"), SHOWN, ids=[place for place, _ in SHOWN])
async def test_an_example_is_a_source(place: str, block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "dingerp.toml"
    file.write_text(block, encoding="utf-8")
    if "erp.company" in block:
        monkeypatch.setenv("DINGERP_ERP__COMPANY__URL", "postgresql://dingerp:from-outside@db.example.com/company")
    if "erp.shop" in block:
        monkeypatch.setenv("DINGERP_ERP__SHOP__ACCOUNT__KEY", "from-outside")
    for name, source in load_settings(file).erp.items():
        vendor = VENDORS[source.vendor]
        options = vendor.options.model_validate(source.options)
        erp = await vendor.open(AdapterContext(name=name, data_dir=tmp_path, now=lambda: datetime.now(UTC)), options)
        assert erp.capabilities
        await erp.close()


def test_secrets_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "dingerp.toml"
    file.write_text(next(block for block in blocks(HOW_TO) if "erp.shop" in block), encoding="utf-8")
    monkeypatch.setenv("DINGERP_ERP__SHOP__ACCOUNT__KEY", "from-outside")
    options = RestOptions.model_validate(load_settings(file).erp["shop"].options)
    assert isinstance(options.account, HeaderAccount)
    assert options.account.key == Secret("from-outside")
