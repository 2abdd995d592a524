"""The configuration that the README shows."""

from __future__ import annotations

from typing import Any

from tests.erp.mapped.documented_configs import SQL, complete


def company_options(**changed: Any) -> dict[str, Any]:
    """Return the options of the complete example, with some in exchange."""
    return complete(SQL) | changed
