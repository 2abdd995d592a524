"""What all sections of the settings share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SettingsSection(BaseModel):
    """Base of the sections: an unknown entry is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def open_conversations(value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids without blanks. Raises `ValueError` for one that cannot be an openConversationId."""
    for group in value:
        if not group.strip() or ":" in group:
            raise ValueError(f"{group!r} is no openConversationId, an example is cidKp3Lr0000000000000000==")
    return tuple(group.strip() for group in value)
