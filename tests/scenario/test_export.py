"""A list as a file, from the question to the chat of who asked."""

from __future__ import annotations

import pytest

from bot.chat.registry import Commands
from bot.kit.simulator.chat import SimMessage
from tests.scenario.conftest import KEEPER, BotSystem
from tests.workbook_cells import ReadSheet, read_sheets


async def file_of(system: BotSystem, user_id: str) -> tuple[str, ReadSheet]:
    """Return the name and the first sheet of the file in somebody's own chat."""
    chat = system.engine.chat.direct_chat(user_id)
    assert chat is not None

    def newest() -> SimMessage | None:
        items = [item for item in chat.items if isinstance(item, SimMessage) and item.msgtype == "file"]
        return items[-1] if items else None

    message = await system.engine.wait_for(newest, timeout=60)
    assert message is not None
    stored = system.engine.media.get(message.url.partition("id=")[2])
    assert stored is not None
    return message.file_name, read_sheets(stored.content)[0]


async def test_a_list_is_exported_by_the_next_sentence(reading_system: BotSystem) -> None:
    system = reading_system
    await system.ask("/invoice overdue")
    card = await system.ask("导出")
    assert card.title.startswith("导出：发票-")
    assert "按 /export invoice overdue 查询" in card.tips
    name, sheet = await file_of(system, KEEPER)
    assert name in card.title
    assert sheet.values[0][0] == "单号"
    assert len(sheet.rows) > 1
    assert system.app.metrics.registry.get_sample_value(
        "dingerp_api_calls_total", {"api": "media_upload", "outcome": "ok"}
    )


async def test_a_button_exports(system: BotSystem) -> None:
    card = await system.ask("/order late")
    after = await system.click(card, "导出")
    assert after.title.startswith("导出")
    name, _ = await file_of(system, KEEPER)
    assert name.startswith("订单-")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("delivery", "单号"),
        ("delivery SO-1001", "单号"),
        ("receipt 昨天", "单号"),
        ("receipt PO-1005", "单号"),
        ("receipt GRN-1001", "产品"),
        ("shortage", "产品"),
        ("arrivals", "产品"),
        ("order SO-1001", "产品"),
        ("stock @上海仓", "产品"),
        ("stock SKU123", "产品"),
        ("stock 螺丝", "产品"),
        ("price SKU146", "产品"),
        ("find 1001", "业务"),
        ("report month", "业务"),
        ("chart sales", "开始日期"),
    ],
)
async def test_what_the_demo_company_lists(system: BotSystem, line: str, heading: str) -> None:
    card = await system.ask(f"/export {line}")
    assert card.title.startswith("导出：")
    name, sheet = await file_of(system, KEEPER)
    command = Commands.discover()[line.split()[0]]
    assert name.startswith(f"{command.called_in('zh_CN')}-")
    assert sheet.values[0][0] == heading
    assert len(sheet.rows) > 2
