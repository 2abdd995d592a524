"""When calls of DingTalk count as failing: neither one failure nor one success decides."""

from __future__ import annotations

from itertools import count

from bot.dingtalk.call_troubles import SILENT, WITHIN, ApiTries, CallTrouble, find_troubles
from tests.rows import each_row


def noted(outcomes: str, *, every: float = 1.0) -> tuple[ApiTries, float]:
    """Note tries at intervals: ``.`` worked, ``x`` failed, ``r`` was refused for what it asked."""
    tries, at = ApiTries(), 0.0
    for number, outcome in zip(count(), outcomes, strict=False):
        at = number * every
        tries.note({".": "ok", "x": "unavailable", "r": "refused"}[outcome], at)
    return tries, at


@each_row(
    ("outcomes", "seconds"),
    [
        ("", None),
        ("....................", None),
        ("xx", None),
        ("xxx", 2.0),
        ("..xxx", 2.0),
        ("...xxx", None),
        ("...xxxx", 3.0),
        ("x.x.x.x.x.x.x.x.x", 16.0),
        ("x...x...x...x...x...", None),
        ("rrrrr", None),
        ("xxx.", 3.0),
        ("xxx.x.x.x.x.x", 12.0),
        ("xxx" + "." * 26, 28.0),
        ("xxx" + "." * 27, None),
    ],
)
def test_it_begins_with_most_and_ends_with_hardly_any(outcomes: str, seconds: float | None) -> None:
    tries, now = noted(outcomes)
    found = tries.trouble(now)
    assert found == (None if seconds is None else CallTrouble(seconds, "unavailable"))


def test_failures_far_apart_are_accidents() -> None:
    tries, now = noted("xxx", every=WITHIN)
    assert tries.trouble(now) is None


def test_without_further_tries_it_lasts_and_is_forgotten_at_last() -> None:
    tries, now = noted("xxx")
    later = now + SILENT
    assert find_troubles({"create_and_deliver": tries}, later) == {
        "create_and_deliver": CallTrouble(later, "unavailable")
    }
    assert find_troubles({"create_and_deliver": tries}, later + 1) == {}


def test_it_is_over_a_minute_after_the_last_failure() -> None:
    tries, now = noted("xxx.")
    assert tries.trouble(now + WITHIN - 1) is not None
    assert tries.trouble(now + WITHIN) is None
