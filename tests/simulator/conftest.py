"""A running simulator and a bare client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.simulator.config import SimulatorConfig
from bot.simulator.server import running

from .wire import Clock, Wire


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def _wire(config: SimulatorConfig) -> AsyncIterator[Wire]:
    async with running(config) as simulator, aiohttp.ClientSession() as session:
        yield Wire(simulator, session)


@pytest.fixture
def start(clock: Clock) -> Callable[..., AbstractAsyncContextManager[Wire]]:
    """Start a simulator with settings of one's own; the clock stands still."""

    def start_with(**settings: Any) -> AbstractAsyncContextManager[Wire]:
        return _wire(SimulatorConfig(**{"now": clock, "seed": 1, **settings}))

    return start_with


@pytest.fixture
async def wire(start: Callable[..., AbstractAsyncContextManager[Wire]]) -> AsyncIterator[Wire]:
    async with start() as running_wire:
        yield running_wire
