"""The configuration that the README shows."""

from __future__ import annotations

from typing import Any

from bot.kit.testing.fake_erp import SECRET
from tests.erp.mapped.documented_configs import REST, complete


def api_options(**changed: Any) -> dict[str, Any]:
    """Return the options of the complete example with the fake's secret, and with some in exchange."""
    shown = complete(REST)
    shown["account"]["client_secret"] = SECRET
    return shown | changed
