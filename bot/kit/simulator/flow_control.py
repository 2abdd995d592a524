"""Flow control: calls per second, calls and uses per month, messages per minute.

Docs: platform/dingtalk/limits.md, platform/dingtalk/robots.md#custom-robots
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import Any

from bot.kit.simulator.config import SimulatorConfig

_CHINA = timezone(timedelta(hours=8))
_MUTE_SECONDS = 600.0

FREE_EVENTS = frozenset(
    {
        *("user_add_org", "user_modify_org", "user_leave_org", "user_active_org"),
        *("org_dept_create", "org_dept_modify", "org_dept_remove", "org_change", "org_admin_add", "org_admin_remove"),
        *("label_user_change", "label_conf_add", "label_conf_del", "label_conf_modify"),
    }
)
"""Events that are no uses of the month (docs: platform/dingtalk/limits.md#not-counted)."""


class FlowControl:
    """Counts calls and uses of Webhook & Stream, and enforces the limits.

    ``on_change`` is called when the number of billed calls or uses changes.
    """

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self.calls: Counter[str] = Counter()
        self.limit = config.quota_limit
        self.used = 0
        self.billed_calls = 0
        """Calls since the last reset; `used` restarts each month."""
        self.uses_limit = config.month_uses
        self.uses = 0
        self._month = ""
        self._minute = -1
        self._second = 0
        self._in_second: Counter[str] = Counter()
        self.on_change: Callable[[], None] | None = None

    def within_qps(self, api: str) -> bool:
        """Count a call in this second; False if the API has reached its limit."""
        limit = self._config.qps_limit
        if limit is None:
            return True
        second = int(self._config.now().timestamp())
        if second != self._second:
            self._second = second
            self._in_second.clear()
        self._in_second[api] += 1
        return self._in_second[api] <= limit

    def within_quota(self) -> bool:
        """Bill a call to this month; False, with nothing billed, if the month's calls are used up."""
        self._turn_month()
        if self.limit is not None and self.used >= self.limit:
            return False
        self.used += 1
        self.billed_calls += 1
        if self.on_change is not None:
            self.on_change()
        return True

    def use(self, count: int = 1) -> bool:
        """Count messages, events and clicks of this month; False if the month's uses were already used up.

        Nothing is refused for that: pushes arrive without their content (docs: platform/dingtalk/limits.md#push-quota).
        """
        self._turn_month()
        within = self.uses_limit is None or self.uses < self.uses_limit
        self.uses += count
        if self.on_change is not None:
            self.on_change()
        return within

    def click(self) -> None:
        """Count a click, if this platform counts clicks, which DingTalk does not document."""
        if self._config.clicks_count:
            self.use()

    def render(self) -> dict[str, Any]:
        """Return the meters of both quotas for the control API."""
        self._turn_month()
        return {
            "used": self.used,
            "limit": self.limit,
            "uses": self.uses,
            "usesLimit": self.uses_limit,
            "month": self._month,
        }

    def clear(self) -> None:
        """Reset to an unused month."""
        self.calls.clear()
        self._in_second.clear()
        self.limit = self._config.quota_limit
        self.uses_limit = self._config.month_uses
        self.used = self.uses = self.billed_calls = 0

    def _turn_month(self) -> None:
        moment = self._config.now()
        minute = int(moment.timestamp()) // 60
        if minute == self._minute:
            return
        self._minute = minute
        month = moment.astimezone(_CHINA).strftime("%Y-%m")
        if month != self._month:
            self._month, self.used, self.uses = month, 0, 0


@dataclass(slots=True)
class CustomRobot:
    """A group's webhook robot: ``limit`` messages per minute, then muted for ten minutes.

    Docs: platform/dingtalk/robots.md#custom-robots
    """

    token: str
    secret: str
    conversation_id: str
    limit: int
    seen: dict[str, None] = field(default_factory=dict)
    """`msgUuid` of messages already sent."""
    _sent: deque[float] = field(default_factory=deque)
    _muted_until: float = 0.0

    def admits(self, now: float) -> bool:
        """Return whether a message may be sent at ``now`` (seconds since 1970); one too many mutes the robot."""
        if now < self._muted_until:
            return False
        while self._sent and self._sent[0] <= now - 60:
            self._sent.popleft()
        if len(self._sent) >= self.limit:
            self._muted_until = now + _MUTE_SECONDS
            return False
        self._sent.append(now)
        return True

    def clear(self) -> None:
        """Reset the count of sent messages."""
        self.seen.clear()
        self._sent.clear()
        self._muted_until = 0.0
