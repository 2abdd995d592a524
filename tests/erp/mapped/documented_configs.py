"""The configurations that the documentation shows."""

from __future__ import annotations

import re
import textwrap
import tomllib
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SQL = ROOT / "bot" / "erp" / "sql" / "README.md"
REST = ROOT / "bot" / "erp" / "rest" / "README.md"
HOW_TO = ROOT / "docs" / "how-to" / "connect-a-database-or-api.md"
PAGES = (SQL, REST, HOW_TO)


def blocks(page: Path) -> list[str]:
    """Return the TOML of a page, those in lists included."""
    text = page.read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(r"^ *```toml\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)]


def complete(page: Path) -> dict[str, Any]:
    """Return the options of the complete example of an adapter's page."""
    return deepcopy(_read(page))


@cache
def _read(page: Path) -> dict[str, Any]:
    ((name, source),) = tomllib.loads(blocks(page)[0])["erp"].items()
    assert source["vendor"] == page.parent.name, name
    return {key: value for key, value in source.items() if key != "vendor"}
