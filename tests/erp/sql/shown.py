"""The configuration that the documentation shows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
README = ROOT / "bot" / "erp" / "sql" / "README.md"


def blocks(page: Path) -> list[dict[str, Any]]:
    """Return the TOML of a page, parsed."""
    text = page.read_text(encoding="utf-8")
    return [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def company_options(**changed: Any) -> dict[str, Any]:
    """Return the options of the README's complete example, with some in exchange."""
    shown = blocks(README)[0]["erp"]["company"]
    return {name: value for name, value in shown.items() if name != "vendor"} | changed
