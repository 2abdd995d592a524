"""A buyer without an account in the ERP asks for one in chat, and decides under it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot.approvals.case import CaseState
from bot.erp.errors import AuthFailed
from bot.kit.company.adapter import DemoErp
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from tests.scenario.alerts.scenario import BUYING
from tests.scenario.approvals.scenario import (
    BOSS,
    MANAGER,
    SMALL,
    DemoApprovalScenario,
    OpenApprovalScenario,
    open_approval_scenario,
    plain_text,
)
from tests.scenario.notice_checks import Notice
from tests.scenario.traffic import eventually

__all__ = ["open_approval_scenario"]  # pytest finds fixtures in the module

ADMIN = "it01"


def newest(scenario: DemoApprovalScenario, who: str, title: str) -> SimCardView | None:
    """Return the newest card in somebody's own chat whose title holds ``title``."""
    items = scenario.system.engine.direct(who).items
    views = [item.card.view_for(who) for item in items if isinstance(item, SimDelivery)]
    return next((view for view in reversed(views) if title in view.title), None)


async def test_a_bound_account_decides(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, approvers=(MANAGER,), accounts=(BOSS,)) as scenario:
        await scenario.ask("/whoami", ADMIN)
        assert scenario.places(SMALL) == [BUYING], "nobody is invited who cannot decide"
        asked = await scenario.ask(f"/bind {MANAGER}", MANAGER)
        assert "已提交管理员确认" in plain_text(asked)
        await eventually(lambda: newest(scenario, ADMIN, "申请绑定"), hint=dict)
        request = newest(scenario, ADMIN, "申请绑定")
        assert request is not None
        assert "赵国强" in request.title
        stolen = await scenario.ask(f"/bind accept {MANAGER} demo {MANAGER}", MANAGER)
        assert stolen.title == Notice.DENIED
        seen = await scenario.system.click(request, "同意", ADMIN)
        assert "已绑定，由 高翔 同意" in plain_text(seen)
        await eventually(lambda: newest(scenario, MANAGER, "您在 demo 的账号"), hint=dict)
        await eventually(lambda: MANAGER in scenario.places(SMALL), hint=lambda: scenario.places(SMALL))
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]


async def test_without_an_account_nothing_is_decided(open_approval_scenario: OpenApprovalScenario) -> None:
    async with open_approval_scenario(SMALL, approvers=(MANAGER,), accounts=(BOSS,)) as scenario:
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        assert (await scenario.case(SMALL)).state is CaseState.OPEN
        assert not await scenario.erp.decisions(SMALL)


async def test_an_account_that_both_sides_know_is_bound_and_told(
    open_approval_scenario: OpenApprovalScenario,
) -> None:
    access = {
        "directory": True,
        "sync_hours": 24,
        "match": ("job_number",),
        "roles": {"approver": frozenset({MANAGER})},
        "accounts": {BOSS: {"demo": BOSS}},
    }
    async with open_approval_scenario(SMALL, access=access) as scenario:
        await eventually(lambda: newest(scenario, MANAGER, "您在 demo 的账号"), hint=dict)
        told = newest(scenario, MANAGER, "您在 demo 的账号")
        assert told is not None
        assert "登记的工号一致" in plain_text(told)
        # Who decides now gets a card of the order, which is not the answer to what is asked next.
        await eventually(lambda: MANAGER in scenario.places(SMALL), hint=lambda: scenario.places(SMALL))
        await scenario.ask(f"/approve {SMALL}", MANAGER)
        await scenario.assert_ended(SMALL, CaseState.APPROVED)
        assert await scenario.erp.decisions(SMALL) == [(MANAGER, "approve", "")]
        given_up = await scenario.system.click(told, "解除绑定", MANAGER)
        assert "已解除绑定" in plain_text(given_up)


async def owner_of_key(_erp: DemoErp, account: str, key: SecretStr) -> str:
    """Stand for an ERP in which each account has a key of its own."""
    owner, colon, _ = key.get_secret_value().partition(":")
    if not colon:
        raise AuthFailed("no such key")
    return owner


async def test_a_key_is_entered_on_the_page_that_a_one_time_link_opens(
    open_approval_scenario: OpenApprovalScenario, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(DemoErp, "owner_of_key", owner_of_key, raising=False)
    http = {"public_url": "https://bot.company.example"}
    async with open_approval_scenario(SMALL, http=http) as scenario:
        offered = await scenario.ask("/bind key", MANAGER)
        (link,) = [button.url for button in offered.buttons if "https://bot.company.example/keys/" in button.url]
        page = f"http://127.0.0.1:{scenario.system.app.port}/keys/{link.rpartition('/')[2]}"
        async with aiohttp.ClientSession() as browser:
            async with browser.get(page) as answer:
                assert (answer.status, MANAGER in await answer.text()) == (200, True)
            for key, status in ((f"{BOSS}:k1", 403), ("guessed", 403), (f"{MANAGER}:k2", 200), (f"{MANAGER}:k3", 404)):
                async with browser.post(page, data={"key": key}) as answer:
                    assert answer.status == status, key
        await eventually(lambda: newest(scenario, MANAGER, "个人密钥已保存"), hint=dict)
        told = newest(scenario, MANAGER, "个人密钥已保存")
        assert told is not None
        assert f"{MANAGER}:k2".encode() not in b"".join(read_files(tmp_path / "demo"))
        erased = await scenario.system.click(told, "删除密钥", MANAGER)
        assert "密钥已删除" in plain_text(erased)
        in_group = await scenario.ask("/bind key", MANAGER, where=BUYING)
        assert "/keys/" not in str([button.url for button in in_group.buttons])


def read_files(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.iterdir() if file.is_file()]
