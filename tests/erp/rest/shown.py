"""The configuration that the documentation shows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from bot.testing.fake_erp import SECRET

ROOT = Path(__file__).parents[3]
README = ROOT / "bot" / "erp" / "rest" / "README.md"


def blocks(page: Path) -> list[dict[str, Any]]:
    """Return the TOML of a page, parsed."""
    text = page.read_text(encoding="utf-8")
    return [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def api_options(**changed: Any) -> dict[str, Any]:
    """Return the options of the README's complete example with the fake's secret, and with some in exchange."""
    shown = blocks(README)[0]["erp"]["api"]
    shown["account"]["client_secret"] = SECRET
    return {name: value for name, value in shown.items() if name != "vendor"} | changed
