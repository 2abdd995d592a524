"""Settings without limits for people: tests ask more in a second than anybody does in an hour."""

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
