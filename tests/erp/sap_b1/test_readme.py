"""The adapter's page: its example is a valid source, and its table lists every setting with its default."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from bot.erp.http import HttpOptions
from bot.erp.sap_b1 import manifest
from bot.erp.sap_b1.options import SapB1Options
from bot.kit.testing.fake_erp import SECRET

PAGE = Path(manifest.__file__).with_name("README.md").read_text(encoding="utf-8")


def test_the_example_is_a_source() -> None:
    [block] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    source = tomllib.loads(block)["erp"]["main"]
    assert source.pop("vendor") == "sap_b1"
    options = SapB1Options.model_validate({**source, "password": SECRET})
    assert (options.version, options.company) == ("v2", "SBO_CN")


def test_the_table_tells_every_setting() -> None:
    table = PAGE.partition("## Settings")[2].partition("##")[0]
    names = set(
        re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in re.findall(r"^\|.*$", table, re.MULTILINE)))
    )
    assert names == set(SapB1Options.model_fields)
    assert set(HttpOptions.model_fields) <= names


def test_the_table_tells_the_defaults() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+?)`? \|", PAGE, re.MULTILINE))
    for name in ("version", "language", "zone", "list_days", "most_hits", "names_minutes", "approval_days"):
        assert rows[name] == str(SapB1Options.model_fields[name].default)
