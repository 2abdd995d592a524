"""Settings of retention, of traces and of the log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.settings.sections.section import SettingsSection


class EventSettings(SettingsSection):
    """Stored events."""

    keep_days: int = Field(30, ge=1, le=3650, description="Days for which events that were worked on are kept.")
    keep_rejected_days: int = Field(
        90, ge=1, le=3650, description="Days for which events are kept that could not be understood."
    )
    waiting_per_source: int = Field(
        20_000,
        ge=1,
        description="Events of one source that may wait to be processed; until there is room, more are refused.",
    )


class RetentionSettings(SettingsSection):
    """How long completed data is kept; `events.keep_days` and `outbox.keep_days` apply to events and deliveries."""

    alert_days: int = Field(90, ge=1, le=3650, description="Days for which alerts that are over are known.")
    case_days: int = Field(
        3650, ge=30, le=36500, description="Days for which purchase orders that were decided from chat are known."
    )
    answer_days: int = Field(
        30, ge=1, le=3650, description="Days for which an ERP's last answers are known, and its invalid records."
    )


class TraceSettings(SettingsSection):
    """Traces: what each question and click did, found by the reference on its card."""

    on_cards: Literal["slow and failed", "all"] = Field(
        "slow and failed", description="On which cards the reference stands, at the end of the small line."
    )
    keep: Literal["all", "slow and failed"] = Field("all", description="Which traces are kept.")
    keep_days: int = Field(7, ge=1, le=365, description="Days for which they are kept.")
    keep_rows: int = Field(200_000, ge=1_000, description="The most that are kept; the oldest go first.")
    slow_seconds: float = Field(
        5.0, gt=0, description="Seconds from which a question or a click is slow: it gets a line in the log."
    )


class LogSettings(SettingsSection):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    format: Literal["console", "json"] = Field("json", description="`console` for people, `json` for collectors.")
