"""The behaviour of one simulated DingTalk: keys, limits, delays, clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedCommand:
    """A bot command that the page offers after a slash, with a description in Chinese and English."""

    name: str
    chinese: str
    english: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """All settings.

    Durations named ``…_delay``, ``…_interval``, ``…_timeout``, ``hard_close`` are real seconds. The platform's own
    lifetimes (ticket, token, session …) follow ``now``, so that a test can move them.
    """

    client_id: str = "dingdemoappkey"
    client_secret: str = "dingdemosecret"  # noqa: S105 - the demo's published key, worth nothing elsewhere
    robot_name: str = "ERP 助手"
    corp_id: str = "dingdemocorp"
    commands: tuple[SuggestedCommand, ...] = ()
    """The commands that the page offers after a slash; if none are given, a few common ones."""
    further_staff: int = 0
    """People besides those of the demo company, in departments of fifty: a large company's directory."""
    public_url: str = ""
    """Origin of session webhooks and download links; empty: the address that the server was bound to."""

    quota_limit: int | None = 5_000
    """Billed API calls a month (Standard edition); None switches the limits of the month off."""
    uses_limit: int = 3_000
    """Webhook & Stream uses a month (Standard edition)."""
    clicks_count: bool = True
    """Whether a click counts as a use, which DingTalk does not document."""
    qps_limit: int | None = 20
    """Calls a second for each API (Standard edition); None switches the limit off."""
    webhook_limit: int = 20
    """Messages a minute of a custom robot before it is muted for ten minutes."""

    answers_public: bool = True
    """Whether the answer to a click is visible to everybody at their next look; undocumented."""
    private_values: bool = False
    """Whether private values are delivered on templates with unknown private variables."""

    redelivery_delay: float = 60.0
    redeliveries: int = 3
    repeats_failed: bool = False
    """Whether a message acknowledged with an error (500) is pushed again: by default any ACK counts."""
    ping_interval: float = 30.0
    hard_close: float = 10.0
    """The time between a `disconnect` frame and the end of the TCP connection."""
    click_timeout: float = 2.0
    """How long the client waits for the answer to a click."""

    ticket_life: timedelta = timedelta(seconds=90)
    token_life: timedelta = timedelta(seconds=7200)
    session_life: timedelta = timedelta(minutes=90)
    auth_code_life: timedelta = timedelta(minutes=5)
    download_life: timedelta = timedelta(minutes=10)

    history: int = 5000
    """Items kept per conversation; older ones are dropped."""
    max_cards: int = 50_000
    timeline_size: int = 2000
    seed: int | None = None
    """Seeds ids and random faults. Keep None if a bot remembers ids between two runs of the simulator."""
    now: Callable[[], datetime] = utc_now

    @property
    def month_uses(self) -> int | None:
        """The Webhook & Stream uses of a month; None without a limit."""
        return None if self.quota_limit is None else self.uses_limit
