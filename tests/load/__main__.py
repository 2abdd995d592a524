"""``make bench``: answers per second of dingerp beside a bare loop and the bot of the SDK's README.

Each bot runs in turn in a process of its own, against the simulator in this process: a fixed number of questions in
flight, an ERP that answers in 20 ms. The report gives the medians of several runs and checks the project's goals.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Iterable
from compileall import compile_dir
from dataclasses import dataclass
from statistics import median

from bot.kit.simulator.server import open_simulator as simulator_running
from tests.load.contenders import BARE, DINGERP, HERE, README, README_AWAITED, WITH_RIGHTS, Contender, running
from tests.load.load_generator import CONFIG, LoadGenerator, LoadResult, percentile

# Many people ask about the same things: with 256 questions in flight some ask for the same product at the same time.
LINES = tuple(f"/stock SKU{number}" for number in range(122, 186))
WARM_UP = 2.0


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and the measured value."""

    name: str
    value: float
    limit: float
    least: bool = False
    """Whether the value must be at least the limit, not at most."""

    @property
    def held(self) -> bool:
        """Whether the goal was reached."""
        return self.value >= self.limit if self.least else self.value <= self.limit

    def __str__(self) -> str:
        verdict, side = "ok " if self.held else "NOT", "least" if self.least else "most"
        return f"{verdict}  {self.name:32}{self.value:8.2f}   (at {side} {self.limit:g})"


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run, or the medians of several runs."""

    per_second: float
    p50: float
    p99: float
    ack_p99: float
    calls_per_answer: float
    resident: float
    first_call: float
    unasked: float
    cpu: float
    """Microseconds of the processor for each answer: on a busy machine it says more than answers per second."""

    @classmethod
    def of(cls, tally: LoadResult, resident: float, first_call: float, cpu_seconds: float) -> RunFigures:
        """Return the figures of one run: milliseconds, MB and seconds; ``cpu_seconds`` went into all its answers."""
        return cls(
            per_second=tally.per_second,
            p50=percentile(tally.answers, 0.5),
            p99=percentile(tally.answers, 0.99),
            ack_p99=percentile(tally.acks, 0.99),
            calls_per_answer=tally.calls_per_answer,
            resident=resident,
            first_call=first_call,
            unasked=tally.unasked,
            cpu=cpu_seconds / (tally.warm + len(tally.answers)) * 1e6,
        )

    @classmethod
    def medians(cls, runs: Iterable[RunFigures]) -> RunFigures:
        """Return the median of each figure."""
        listed = list(runs)
        return cls(*(median(getattr(run, name) for run in listed) for name in cls.__slots__))


async def measure(contender: Contender, *, seconds: float, in_flight: int, warm_up: float = WARM_UP) -> RunFigures:
    """Run one bot once; the first ``warm_up`` seconds do not count."""
    async with simulator_running(CONFIG) as simulator:
        generator = LoadGenerator(simulator.engine, in_flight, LINES)
        async with running(contender, simulator.engine, CONFIG) as started:
            before = started.cpu_seconds()
            tally = await generator.ask_for(seconds, warm_up=warm_up)
            spent = started.cpu_seconds() - before
            return RunFigures.of(tally, started.resident(), started.first_call, spent)


def report(figures: dict[str, RunFigures], *, runs: int, seconds: float, in_flight: int) -> str:
    """Return the machine and the results as a text table."""
    head = f"{'':26}{'answers/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'ACK p99':>9}{'calls':>7}{'MB':>7}{'start s':>9}"
    lines = [
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        f"{in_flight} questions in flight, ERP 20 ms, medians of {runs} runs of {seconds:g} s",
        "",
        f"{head}{'CPU µs':>8}",
    ]
    for name, one in figures.items():
        lines.append(
            f"{name:26}{one.per_second:10.0f}{one.p50:9.1f}{one.p99:9.1f}{one.ack_p99:9.1f}"
            f"{one.calls_per_answer:7.2f}{one.resident:7.0f}{one.first_call:9.2f}{one.cpu:8.0f}"
        )
    return "\n".join(lines)


def bars(figures: dict[str, RunFigures]) -> list[Goal]:
    """Return the project's goals with the measured values."""
    ours, bare, readme = figures[DINGERP.name], figures[BARE.name], figures[README.name]
    return [
        Goal("answers/s over the README bot", ours.per_second / readme.per_second, 20, least=True),
        Goal("answers/s over the bare loop", ours.per_second / bare.per_second, 0.5, least=True),
        Goal("p99 over the bare loop's", ours.p99 / bare.p99, 2),
        Goal("ACK p99, ms", ours.ack_p99, 20),
        Goal("API calls per answer", ours.calls_per_answer, 1),
        Goal("resident, MB", ours.resident, 126),
        Goal("start to first gateway call, s", ours.first_call, 1),
        Goal("answers nobody asked for", ours.unasked, 0),
    ]


def rights_bars(pairs: Iterable[tuple[RunFigures, RunFigures]]) -> list[Goal]:
    """Return what rights cost: the median of the pairs' ratios, each of a run without them and one with them."""
    listed = list(pairs)
    speed = median(ruled.per_second / free.per_second for free, ruled in listed)
    return [
        Goal("answers/s with rights over without", speed, 0.95, least=True),
        Goal("CPU with rights over without", median(ruled.cpu / free.cpu for free, ruled in listed), 1.05),
    ]


async def main() -> int:
    """Measure all bots in turn, several times, and print the report; return 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=7.0)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--only", choices=["dingerp", "bare", "readme", "rights"])
    options = parser.parse_args()
    only = {"dingerp": (DINGERP,), "bare": (BARE,), "readme": (README, README_AWAITED)}
    only["rights"] = (DINGERP, WITH_RIGHTS)
    contenders = only.get(options.only, (README, README_AWAITED, BARE, DINGERP))
    runs: dict[str, list[RunFigures]] = {contender.name: [] for contender in contenders}
    _compile_modules()
    for number in range(options.runs):
        # Of two that are compared closely, each is the first one in turn: the machine's speed drifts.
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            one = await measure(contender, seconds=options.seconds, in_flight=options.in_flight)
            runs[contender.name].append(one)
            print(
                f"run {number + 1}: {contender.name}: {one.per_second:.0f} answers/s, p99 {one.p99:.0f} ms", flush=True
            )
    figures = {name: RunFigures.medians(found) for name, found in runs.items()}
    if options.only:
        print(report(figures, runs=options.runs, seconds=options.seconds, in_flight=options.in_flight))
        if options.only != "rights":
            return 0
        cost = rights_bars(zip(runs[DINGERP.name], runs[WITH_RIGHTS.name], strict=True))
        print(*cost, sep="\n")
        return 0 if all(goal.held for goal in cost) else 1
    goals = bars(figures)
    print()
    print(report(figures, runs=options.runs, seconds=options.seconds, in_flight=options.in_flight), end="\n\n")
    print(*goals, sep="\n")
    return 0 if all(goal.held for goal in goals) else 1


def _compile_modules() -> None:
    """Compile the modules as an installation does: where Python may not write, each start would compile all of them."""
    root = HERE.parents[1]
    for folder in (root / "bot", root / "commands", HERE):
        compile_dir(folder, quiet=2)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
