"""How many examples a property test runs: few in `make test`, many in `make soak`.

A test with expensive examples takes a share of the usual number, one with cheap examples a multiple, so the two
profiles (see `tests.conftest`) scale every test.
"""

from __future__ import annotations

from hypothesis import settings

USUAL = 25
THOROUGH = 500

PATIENCE = 120.0
"""Seconds that an answer over HTTP may take on a busy machine; schemathesis gives up after ten."""


def examples(share: float) -> int:
    """Return a multiple of the loaded profile's number of examples."""
    return max(1, round(settings().max_examples * share))
