"""Programs and people who do everything at once; a process of its own as ``python -m tests.gate.traffic``."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from bot.chat.program_asks import AskRefused
from bot.erp.model import Verdict
from bot.gate.facts import digest_of
from bot.gate.request import GateOutcome, GateRequest
from bot.store.database import Database
from tests.gate.desk import AGENT, LI, WANG, Desk

NEXT = {
    "": {"pending", "allowed", "denied"},
    "pending": {"allowed", "denied", "expired", "withdrawn"},
    "allowed": {"used", "expired", "withdrawn"},
    "used": {"uncertain", "done", "failed"},
    "uncertain": {"done", "failed"},
}
"""What may follow on what, where one person decides: so there is one verdict, used once, and never after it is over."""


def check_histories(histories: dict[str, list[str]]) -> None:
    """Check that each request had one verdict at most, and was used once at most."""
    for request, states in histories.items():
        for before, after in zip(["", *states], states, strict=False):
            assert after in NEXT[before], f"{request}: {states}"


def deeds(desks: Sequence[Desk], request: GateRequest, random: Random) -> list[Awaitable[GateRequest]]:
    """Return what people and programs do with a request, in any order and at any of the replicas."""

    def gate() -> Desk:
        return desks[random.randrange(len(desks))]

    async def use(digest: str) -> GateRequest:
        desk = gate()
        seen = await desk.gate.read(request.id, AGENT)
        return await desk.gate.use(request.id, AGENT, digest, seen.verdict)

    made: list[Awaitable[GateRequest]] = [
        gate().gate.vote(request.id, LI, "Li", Verdict.APPROVE),
        gate().gate.vote(request.id, WANG, "Wang", Verdict.APPROVE if random.random() < 0.8 else Verdict.REJECT),
        gate().gate.vote(request.id, LI, "Li", Verdict.APPROVE),
        use(digest_of("{}")),
        *(use(request.digest) for _ in range(4)),
        gate().gate.report(request.id, AGENT, GateOutcome.DONE, ""),
    ]
    if random.random() < 0.3:
        made.append(gate().gate.withdraw(request.id, AGENT))
    random.shuffle(made)
    return made


async def run_traffic(desks: Sequence[Desk], requests: int, random: Random, *, name: str = "") -> Counter[str]:
    """Ask, and do all of it at the same time; return how many of the deeds led to which state."""
    told: Counter[str] = Counter()

    async def one(number: int) -> None:
        wish = replace(desks[0].wish(), asked_as=f"{name}{number}", facts={"amount": f"{number}.00"})
        asked = (desk.gate.ask(wish) for desk in (desks[0], desks[-1]))
        first, again = await asyncio.gather(*asked)
        assert first.id == again.id
        for found in await asyncio.gather(*deeds(desks, first, random), return_exceptions=True):
            if isinstance(found, GateRequest):
                told[found.state.value] += 1
            elif not isinstance(found, AskRefused):
                raise found

    for begin in range(0, requests, 10):
        await asyncio.gather(*(one(number) for number in range(begin, min(begin + 10, requests))))
    return told


async def _main(url: str, seed: int, requests: int) -> None:
    desk = Desk(Database(url), clock=lambda: datetime.now(UTC))
    original = desk.wish
    desk.wish = lambda *args, **facts: replace(original(*args, **facts), expires_in=timedelta(seconds=2))  # type: ignore[method-assign]
    # The same requests as before a kill: what was asked then is not asked again.
    await run_traffic([desk], requests, Random(seed), name=f"{seed}-")
    await desk.database.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
