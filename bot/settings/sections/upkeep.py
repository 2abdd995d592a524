"""Settings of retention, of traces and of the log."""

from __future__ import annotations

import re
from datetime import time
from typing import Literal

from pydantic import Field, field_validator

from bot.settings.sections.section import SettingsSection
from bot.words.phrase import phrase
from bot.words.secret_values import Secret


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


_SHIFT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*[-–~]\s*([01]?\d|2[0-3]):([0-5]\d)")


def _read_shift(value: str) -> tuple[time, time]:
    found = _SHIFT.fullmatch(value.strip())
    if found is None:
        raise ValueError(phrase("%(value)s is no span of a day, an example is 08:00-12:00", value=f"{value!r}"))
    begin_hour, begin_minute, end_hour, end_minute = map(int, found.groups())
    return time(begin_hour, begin_minute), time(end_hour, end_minute)


class HoursSettings(SettingsSection):
    """The company's working time: figures of efficiency count waits by it."""

    shifts: tuple[str, ...] = Field(
        ("09:00-18:00",),
        description="The spans of a working day in the company's zone, in order; one past midnight is last.",
    )
    saturdays: bool = Field(False, description="Whether Saturdays are worked that are no public holiday.")

    @property
    def spans(self) -> tuple[tuple[time, time], ...]:
        """The shifts as times."""
        return tuple(map(_read_shift, self.shifts))

    @field_validator("shifts")
    @classmethod
    def _check_shifts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError(phrase("a working day has at least one span, an example is 08:00-12:00"))
        spans = list(map(_read_shift, value))
        last = spans[-1]
        passed = [*(moment for span in spans[:-1] for moment in span), last[0]]
        # A shift that ends on the next day ends before the first one begins.
        ends = last[1] if last[1] > last[0] else None
        if sorted(passed) != passed or (ends is None and last[1] > spans[0][0]):
            raise ValueError(phrase("the spans overlap or are not in order: %(spans)s", spans=", ".join(value)))
        return value


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
    """Traces: what each question, click, page and request did, found by the reference on its card."""

    on_cards: Literal["slow and failed", "all"] = Field(
        "slow and failed", description="On which cards the reference stands, at the end of the small line."
    )
    keep: Literal["all", "slow and failed"] = Field(
        "all",
        description="Which traces of questions and clicks are kept; of pages and requests only slow and failed ones.",
    )
    keep_lines: bool = Field(True, description="Whether the lines that were asked are kept with them, sealed.")
    keep_days: int = Field(7, ge=1, le=365, description="Days for which they are kept.")
    keep_rows: int = Field(200_000, ge=1_000, description="The most that are kept; the oldest go first.")
    slow_seconds: float = Field(
        5.0, gt=0, description="Seconds from which an answer is slow: it gets a line in the log."
    )


class OtelSettings(SettingsSection):
    """Traces as spans of OpenTelemetry, for a collector that takes OTLP over HTTP. What was asked is left out."""

    endpoint: str = Field(
        "",
        pattern="^(https?://[^?#]+)?$",
        description="Base URL of the collector, such as `http://collector:4318`; empty: no spans are sent.",
    )
    headers: dict[str, Secret] = Field({}, description="Headers by name, such as `Authorization`.")
    sample: float = Field(1.0, ge=0, le=1, description="The part of the traces that is sent.")
    timeout: float = Field(3.0, gt=0, le=5, description="Seconds for one request, with its repeats.")


class LogSettings(SettingsSection):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is written.")
    format: Literal["console", "json"] = Field("json", description="`console` for people, `json` for collectors.")
