"""What the guide says about a lost key, step by step: no start without it, then a copy of it or a new beginning.

The guide is docs/how-to/protect-data.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.approvals.case import CaseState
from bot.bootstrap.database import make_database
from bot.doctor.local import check_audit
from bot.doctor.results import CheckGrade
from bot.erp.model import ReviewState
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import RunningSimulator, open_simulator
from bot.settings import Settings
from bot.store.audit.chain import WITNESS_FILE
from bot.store.data_keys import KEY_FILE
from bot.words.sealing import CompanyKey, WrongDataKey
from tests.scenario.approvals.scenario import (
    BOSS,
    LARGE,
    MANAGER,
    SMALL,
    YES,
    OpenApprovalScenario,
    open_approval_scenario,
)
from tests.scenario.traffic import LONGEST_WAIT

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module


async def use(open_scenario: OpenApprovalScenario, simulator: RunningSimulator | None = None) -> Settings:
    """Let one order be decided while another waits, and return the bot's settings."""
    async with open_scenario(SMALL, LARGE, simulator=simulator) as scenario:
        await scenario.press(scenario.card(SMALL, MANAGER), YES, MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        settings: Settings = scenario.system.app.settings
    return settings


async def refused(open_scenario: OpenApprovalScenario) -> str:
    with pytest.raises(WrongDataKey) as refusal:
        async with open_scenario(LARGE):
            raise AssertionError("it must not start")
    return refusal.value.detail


async def test_a_copy_of_the_key_opens_everything_again(
    open_approval_scenario: OpenApprovalScenario, tmp_path: Path
) -> None:
    settings = await use(open_approval_scenario)
    file = settings.data_dir / KEY_FILE
    copy = file.rename(tmp_path / "copy.key")
    key = CompanyKey.parse(copy.read_text().splitlines()[-1])
    said = await refused(open_approval_scenario)
    assert f"sealed with key {key.name}" in said
    assert "DINGERP_DATA_KEY_FILE" in said
    assert not file.exists(), "no second key is made for a database that has one"
    file.write_text(CompanyKey.generate().text)
    assert f"sealed with key {key.name}" in await refused(open_approval_scenario)
    copy.rename(file)
    async with open_approval_scenario(LARGE) as scenario:
        assert (await scenario.case(SMALL)).state is CaseState.APPROVED


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSimulator]:
    """A DingTalk that keeps what was shown."""
    async with open_simulator(SimulatorConfig(qps_limit=None, click_timeout=LONGEST_WAIT)) as simulator:
        yield simulator


async def test_without_a_copy_the_bot_begins_anew(
    open_approval_scenario: OpenApprovalScenario, simulator: RunningSimulator, tmp_path: Path
) -> None:
    settings = await use(open_approval_scenario, simulator)
    folder = settings.data_dir
    (folder / KEY_FILE).unlink()
    await refused(open_approval_scenario)
    aside = tmp_path / "aside"
    aside.mkdir()
    for name in ("dingerp.sqlite3", WITNESS_FILE):
        (folder / name).rename(aside / name)
    async with open_approval_scenario(LARGE, simulator=simulator) as scenario:
        assert (folder / KEY_FILE).exists()
        assert LARGE in scenario.card(LARGE, BOSS).title, "what waits has its card again"
        await scenario.at("3m")
        assert scenario.copies(SMALL) == [], "what was decided says that it is no longer kept up to date"
        await scenario.press(scenario.card(LARGE, BOSS), YES, BOSS)
        assert await scenario.erp.decisions(LARGE) == [(BOSS, "approve", "")]
        decided = await scenario.order(SMALL)
        assert (decided.status, decided.review.progress.decided_by) == (ReviewState.APPROVED, MANAGER)
    (result,) = await check_audit(settings)
    assert result.grade is CheckGrade.GOOD, "the new audit log is whole"
    assert await votes_of(settings, aside / "dingerp.sqlite3") == [(MANAGER, "approve")]


async def votes_of(settings: Settings, file: Path) -> list[tuple[str, str]]:
    """Return who decided what by the plain columns of a database of which nobody has the key."""
    lost = make_database(settings.model_copy(update={"database_url": type(settings.database_url)(f"sqlite:///{file}")}))
    try:
        query = "SELECT user_id, verdict FROM approval_vote"
        rows = await lost.run(lambda connection: connection.exec_driver_sql(query).all())
    finally:
        await lost.close()
    return [tuple(row) for row in rows]
