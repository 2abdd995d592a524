"""The names of partners come from the documents that the bot keeps, too: the ERPs are asked for a few alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.chat.registry import Commands
from bot.erp.errors import Unavailable
from bot.erp.hub import ErpHub
from bot.erp.vendors import open_source
from bot.mechanisms.metrics import Metrics
from bot.understanding.grammar import Grammar
from bot.understanding.learning import NamesOnDocuments, learn_vocabulary
from bot.understanding.sentences import Sentences

SELDOM = "绍兴鉴湖纺织机械有限公司"
STEEL = "马鞍山江东特钢厂"


@pytest.fixture
async def hub(tmp_path: Path) -> ErpHub:
    def now() -> datetime:
        return datetime(2026, 3, 2, 9, tzinfo=UTC)

    erp = await open_source("demo", "demo", {}, data_dir=tmp_path, now=now, timeout=10)
    return ErpHub([erp], timeouts={}, protections={}, metrics=Metrics(), now=now)


async def test_partners_of_old_documents_are_known(hub: ErpHub, commands: Commands) -> None:
    async def kept() -> NamesOnDocuments:
        return NamesOnDocuments(customers=(SELDOM,), vendors=(STEEL,))

    try:
        grammar = Grammar(commands, Sentences.load(commands), await learn_vocabulary(hub, kept))
    finally:
        await hub.close()
    readings = {sentence: grammar.read(sentence) for sentence in SENTENCES}
    assert {sentence: reading and reading.line for sentence, reading in readings.items()} == SENTENCES


SENTENCES = {
    "鉴湖纺织的订单": "/order 鉴湖纺织",
    "jianhu的订单": f"/order {SELDOM}",
    "江东特钢的订单": "/po 江东特钢",
    "jiangdongtegang的发票": f"/bill {STEEL}",
}


async def test_a_store_that_is_away_costs_these_names_alone(hub: ErpHub) -> None:
    async def gone() -> NamesOnDocuments:
        raise Unavailable("the store is away")

    with capture_logs() as logs:
        try:
            vocabulary = await learn_vocabulary(hub, gone)
        finally:
            await hub.close()
    assert [(log["event"], log["area"]) for log in logs] == [("understanding.not_learnt", "partners")]
    assert vocabulary.knows_partner("宏达")
