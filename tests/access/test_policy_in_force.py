"""The file of access rules while it is edited: a good edit counts at once, a broken one changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from bot.access.people import Person
from bot.access.policy import AccessRequest
from bot.bootstrap.access import PolicyInForce, follow_access
from bot.chat.registry import Commands
from bot.settings import load_settings

CLERK = Person(user_id="clerk01", name="钱")
INVOICE = AccessRequest(command="invoice")
RULE = '[[rules]]\ncommands = ["invoice"]\nroles = ["{role}"]\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "access.toml"


def open_policy() -> PolicyInForce:
    ticks = count(step=2.0)
    rules = follow_access(load_settings(), Commands.discover(), monotonic=lambda: next(ticks))
    return PolicyInForce(rules, seconds=0)


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


async def follow(policy: PolicyInForce, file: Path, text: str, seen: Callable[[], bool]) -> None:
    """Write the file and let the bot look at it until something is ``seen``."""
    write(file, text)
    task = asyncio.create_task(policy.follow())
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - the file tells nobody that it was read
            await asyncio.sleep(0)
    task.cancel()


async def test_an_edit_counts_while_the_bot_runs(file: Path) -> None:
    write(file, "")
    policy = open_policy()
    assert policy().decide(CLERK, INVOICE).allowed
    await follow(policy, file, RULE.format(role="admin"), lambda: not policy().decide(CLERK, INVOICE).allowed)


async def test_a_broken_edit_keeps_the_rules_and_is_told(file: Path) -> None:
    write(file, RULE.format(role="admin"))
    policy = open_policy()
    await follow(policy, file, RULE.format(role="nobody"), lambda: bool(policy.defect))
    assert not policy().decide(CLERK, INVOICE).allowed
    assert "line 3: roles: there is no role 'nobody'" in policy.defect
    await follow(policy, file, RULE.format(role="*"), lambda: policy().decide(CLERK, INVOICE).allowed)
    assert policy.defect == ""
