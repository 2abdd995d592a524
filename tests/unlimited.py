"""Settings for tests that count: no limits for people, and a slow answer is one card too."""

from __future__ import annotations

from types import MappingProxyType

from bot.settings import AllowanceSettings

NO_LIMIT = AllowanceSettings(questions_minute=0, documents_day=0, documents_row=0)

UNLIMITED = MappingProxyType(
    {
        f"DINGERP_LIMITS__{party}__{limit}".upper(): "0"
        for party in ("person", "conversation")
        for limit in AllowanceSettings.model_fields
    }
)
"""The same in the environment."""

ONE_CARD = MappingProxyType({"DINGERP_LIMITS__INTERIM_SECONDS": "0"})
"""In the environment: on a busy machine any answer may take so long that a card would tell of it first."""
