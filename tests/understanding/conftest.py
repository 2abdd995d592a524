"""The demo company's words, learnt once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.chat.registry import Commands
from bot.erp.hub import ErpHub
from bot.erp.vendors import open_source
from bot.mechanisms.metrics import Metrics
from bot.understanding.grammar import Grammar
from bot.understanding.learning import learn_vocabulary
from bot.understanding.sentences import Sentences
from bot.understanding.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def commands() -> Commands:
    """Return the built-in commands."""
    return Commands.discover()


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """Return what is learnt from the demo company."""
    return asyncio.run(learn_demo(tmp_path_factory.mktemp("company")))


@pytest.fixture(scope="session")
def grammar(commands: Commands, vocabulary: Vocabulary) -> Grammar:
    """Return the grammar with the demo company's words."""
    return Grammar(commands, Sentences.load(commands), vocabulary)


async def learn_demo(folder: Path) -> Vocabulary:
    def now() -> datetime:
        return datetime(2026, 3, 2, 9, tzinfo=UTC)

    erp = await open_source("demo", "demo", {}, data_dir=folder, now=now, timeout=10)
    hub = ErpHub([erp], timeouts={}, protections={}, metrics=Metrics(), now=now)
    try:
        return await learn_vocabulary(hub)
    finally:
        await hub.close()
