"""The cost of a decision about access: ``python -m tests.load.bench_access`` prints the numbers.

20 000 people with five roles each ask by 200 rules: first each of them something that was never decided, then all of
them again. Then the rules change, and everything is decided anew.
"""

from __future__ import annotations

import gc
import random
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import process_time_ns

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest
from bot.access.rules import AccessRule, RuleEffect
from bot.cli import GC_THRESHOLDS
from bot.words.disclosure import FieldClass
from tests.load.load_generator import percentile

PEOPLE, RULES, ROLES, GROUPS = 20_000, 200, 60, 300
COMMANDS = ("stock", "order", "invoice", "po", "mo", "alerts", "find", "pending", "why", "approve", "help", "whoami")


@dataclass(frozen=True, slots=True)
class AccessFigures:
    """Seconds of single decisions, of this process alone."""

    first: list[float]
    again: list[float]

    def __str__(self) -> str:
        return "\n".join(
            f"{name:24}p50 {percentile(took, 0.5):7.4f} ms   p99 {percentile(took, 0.99):7.4f} ms"
            for name, took in (("never decided before", self.first), ("decided before", self.again))
        )


def make_people(count: int, draw: random.Random) -> tuple[Person, ...]:
    """Return people with some roles and departments."""
    roles, departments = [f"role{number}" for number in range(ROLES)], [f"{number}" for number in range(400)]
    return tuple(
        Person(
            user_id=f"user{number}",
            name=f"user{number}",
            roles=frozenset(draw.sample(roles, 5)),
            departments=frozenset(draw.sample(departments, 2)),
        )
        for number in range(count)
    )


def make_rules(count: int, draw: random.Random) -> Iterator[AccessRule]:
    """Yield rules of all kinds; a third of them are about every command."""
    for number in range(count):
        named = {"*"} if number % 3 == 0 else set(draw.sample(COMMANDS, 3))
        denies = number % 10 == 0
        yield AccessRule(
            name=f"rule {number}",
            commands=frozenset(named),
            roles=frozenset(f"role{draw.randrange(ROLES)}" for _ in range(4)),
            departments=frozenset({str(draw.randrange(400))}),
            people=frozenset(f"user{draw.randrange(PEOPLE)}" for _ in range(5)),
            conversations=frozenset({f"cid{draw.randrange(GROUPS)}=="}) if number % 7 == 0 else frozenset(),
            effect=RuleEffect.DENY if denies else RuleEffect.ALLOW,
            fields=frozenset(draw.sample([*FieldClass], 2)) if denies or number % 2 else None,
            scope=EVERYTHING if denies or number % 4 else Scope(warehouses=frozenset({f"W{number % 12}"})),
        )


def measure(people: int = PEOPLE, rules: int = RULES, *, seed: int = 7) -> AccessFigures:
    """Measure a decision for each person twice: new, and known."""
    draw = random.Random(seed)
    asked = [
        (
            person,
            AccessRequest(command=draw.choice(COMMANDS), conversation_id=f"cid{draw.randrange(GROUPS)}=="),
        )
        for person in make_people(people, draw)
    ]
    policy = AccessPolicy(make_rules(rules, draw))
    return AccessFigures(_timed(policy, asked), _timed(policy, asked))


def _timed(policy: AccessPolicy, asked: Sequence[tuple[Person, AccessRequest]]) -> list[float]:
    took = []
    for person, request in asked:
        began = process_time_ns()  # other processes share the machine
        policy.decide(person, request)
        took.append((process_time_ns() - began) / 1e9)
    return took


if __name__ == "__main__":
    gc.set_threshold(*GC_THRESHOLDS)
    print(f"{PEOPLE} people, {RULES} rules")
    print(measure())
    print(f"resident {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
