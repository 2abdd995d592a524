"""The person behind a message or a click."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who asks or clicks. ``user_id`` is None for people outside the organisation."""

    user_id: str | None
    name: str
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    is_admin: bool = False
    language: str = "zh_CN"

    @property
    def is_external(self) -> bool:
        """Whether the platform knows no member of the organisation behind this person."""
        return self.user_id is None
