"""Ways that cost no call, because a probe showed that they reach nobody else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResults:
    """The results that a probe confirmed for the card templates in use; nothing is assumed.

    Docs: platform/dingtalk/unknowns.md#answers-and-private-values
    """

    private_values: bool = False
    """Private values are delivered, so that one card shows its readers their own."""
    own_answers: bool = False
    """The answer to a click is not stored, so that only the clicker ever sees it."""


UNCONFIRMED = ProbeResults()
