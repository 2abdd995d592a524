"""How many examples a property is tried with: some in `make test`, many in `make soak`.

A test whose examples are dear takes a share of the usual number, one of cheap examples more than that; so each of the
two profiles (see `tests.conftest`) scales it.
"""

from __future__ import annotations

from hypothesis import settings

USUAL = 40
THOROUGH = 500


def examples(share: float) -> int:
    """Return a share of the number of examples in the profile that is loaded."""
    return max(1, round(settings().max_examples * share))
