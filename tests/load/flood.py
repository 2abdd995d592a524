"""A flood of one source at full size: ``python -m tests.load.flood [EVENTS]`` prints the measurements.

``dingerp run`` has a process of its own, on SQLite and with DingTalk's limits; senders and simulator share another.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.load.__main__ import Goal
from tests.scenario.alerts.flood import FloodFigures, send_flood

EVENTS = 150_000
DRAINED = 1_800.0
"""Seconds for all events to be done, also on a slow machine."""


async def measure(events: int, size: int) -> FloodFigures:
    """Run the flood and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        figures = await send_flood(Path(folder), events, size=size, seconds=DRAINED)
    print(figures, flush=True)
    return figures


def goals(figures: FloodFigures) -> list[Goal]:
    """Return what a flood must keep."""
    return [
        Goal("events that were accepted and are not done", figures.accepted - figures.states.get("done", 0), 0),
        Goal("events/s until all were done", figures.rate, 1_000, least=True),
        Goal("second half, processor's time", figures.slowing, 1.25),
        Goal("database, in sizes of the events", figures.growth, 3),
        Goal("critical card of another source, s", max(figures.critical_waits), 5),
    ]


def main() -> int:
    """Measure, print the goals, and return 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.flood", description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=EVENTS)
    parser.add_argument("--size", type=int, default=100, help="events in a request")
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {_load()}")
    reached = goals(asyncio.run(measure(options.events, options.size)))
    print(f"load at the end {_load()}", *reached, sep="\n")
    return 0 if all(goal.held for goal in reached) else 1


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
