"""A running simulator and a bare client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator
from tests.simulator.bare_client import BareClient, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@asynccontextmanager
async def _wire(config: SimulatorConfig) -> AsyncIterator[BareClient]:
    async with open_simulator(config) as simulator, aiohttp.ClientSession() as session:
        yield BareClient(simulator, session)


@pytest.fixture
def start(clock: Clock) -> Callable[..., AbstractAsyncContextManager[BareClient]]:
    """Start a simulator with its own settings; its clock stands still."""

    def start_with(**settings: Any) -> AbstractAsyncContextManager[BareClient]:
        return _wire(SimulatorConfig(**{"now": clock, "seed": 1, **settings}))

    return start_with


@pytest.fixture
async def wire(start: Callable[..., AbstractAsyncContextManager[BareClient]]) -> AsyncIterator[BareClient]:
    async with start() as running_wire:
        yield running_wire
