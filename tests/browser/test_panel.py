"""The side panel and the connection to the simulator."""

from __future__ import annotations

from playwright.async_api import expect

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import RunningSimulator, open_simulator
from tests.browser.conftest import OpenPage
from tests.browser.echo_bot import EchoBot, connected_bot

GROUP = "仓库与销售群"


async def test_the_page_says_when_no_bot_is_there(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await expect(page.part("offline")).to_contain_text(f"DINGTALK_OPENAPI_ENDPOINT={simulator.url}")
    await expect(page.part("connection")).to_have_text("机器人未连接")
    async with connected_bot(simulator.url):
        await expect(page.part("offline")).to_be_hidden()
        await expect(page.part("connection")).to_have_text("机器人已连接")
    await expect(page.part("offline")).to_be_visible()


async def test_the_timeline_shows_frames_and_calls(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    page = await browser_page("keeper01")
    await page.open(GROUP)
    await page.say("/stock SKU123")
    await expect(page.card("Echo")).to_be_visible()
    call = page.part("timeline-row").filter(has_text="createAndDeliver")
    await expect(call).to_have_attribute("data-direction", "call")
    await expect(call).to_have_attribute("data-tone", "good")
    await call.locator("summary").click()
    await expect(call.locator("pre")).to_contain_text("IM_GROUP")
    await expect(call.locator("pre")).not_to_contain_text("dingdemosecret")
    rows = page.page.locator("[data-testid=timeline-row]:not([hidden])")
    await page.part("timeline-filter").fill("createanddeliver")
    await expect(rows).to_have_count(1)
    await page.part("timeline-filter").fill("")
    await page.part("timeline-errors").click()
    await expect(rows).to_have_count(0)


async def test_the_meter_counts_billed_calls(
    browser_page: OpenPage, echo_bot: EchoBot, simulator: RunningSimulator
) -> None:
    page = await browser_page("keeper01")
    await page.open(GROUP)
    await expect(page.part("quota")).to_have_attribute("data-used", "0")
    await page.say("/stock SKU123")
    await expect(page.part("quota")).to_have_attribute("data-used", "1")
    await expect(page.part("quota-numbers")).to_have_text("1 / 5,000")


async def test_faults_are_switched_and_tuned(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await page.part("tab-faults").click()
    fault = page.page.locator('[data-testid=fault][data-name="qps_limit"]')
    await expect(fault).to_contain_text("QPS 限流")
    await fault.get_by_role("switch").click()
    await expect(fault.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    await expect(page.part("faults-count")).to_have_text("1")
    await fault.get_by_test_id("fault-count").fill("3")
    await fault.get_by_test_id("fault-count").press("Enter")
    await fault.get_by_test_id("fault-rate").fill("0.5")
    await fault.get_by_test_id("fault-rate").press("Enter")
    await simulator.engine.wait_for(lambda: simulator.engine.faults.active["qps_limit"].rate == 0.5)
    assert simulator.engine.faults.active["qps_limit"].count == 3
    simulator.engine.faults.clear()
    await expect(fault.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    await expect(page.part("faults-count")).to_be_hidden()


async def test_reset_asks_first_and_empties_every_page(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    page, other = await browser_page("keeper01"), await browser_page("sales01")
    for shown in (page, other):
        await shown.open(GROUP)
    await page.say("/stock SKU123")
    await expect(other.card("Echo")).to_be_visible()
    await page.part("tab-faults").click()
    await page.part("reset").click()
    await page.part("reset-dialog").get_by_role("button", name="取消").click()
    await expect(page.card("Echo")).to_be_visible()
    await page.part("reset").click()
    await page.part("reset-yes").click()
    for shown in (page, other):
        await expect(shown.part("message")).to_have_count(0)
        await expect(shown.part("card")).to_have_count(0)
        await expect(shown.part("quota")).to_have_attribute("data-used", "0")
    await page.say("again")
    await expect(other.card("Echo")).to_be_visible()


async def test_a_lost_simulator_is_told_and_found_again(browser_page: OpenPage) -> None:
    async with open_simulator(SimulatorConfig(seed=1)) as first:
        port = int(first.url.rsplit(":", 1)[1])
        page = await browser_page("keeper01", url=first.url)
        await page.open(GROUP)
        await page.say("before")
        await expect(page.message("before")).to_be_visible()
        await expect(page.part("banner")).to_be_hidden()
    await expect(page.part("banner")).to_contain_text("与模拟器的连接断开")
    await page.part("input").fill("into the void")
    await page.part("input").press("Enter")
    await expect(page.part("toast")).to_have_text("连不上模拟器，请确认它正在运行。")
    await expect(page.part("input")).to_have_value("into the void")
    async with open_simulator(SimulatorConfig(seed=1), port=port) as second:
        await expect(page.part("banner")).to_be_hidden(timeout=15_000)
        await expect(page.part("message")).to_have_count(0)
        group = next(
            conversation for conversation in second.engine.chat.conversations.values() if conversation.title == GROUP
        )
        second.engine.say(group.id, "sales01", "after", at_bot=False)
        await expect(page.message("after")).to_be_visible()


async def test_todos_are_listed_and_ticked_off(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    manager = simulator.engine.person("buymanager01").union_id
    page = await browser_page("buymanager01")
    await page.part("tab-todos").click()
    await expect(page.part("pane-todos")).to_contain_text("没有待办")
    todo = simulator.engine.todos.create(
        source_id="po-1",
        subject="采购单 PO-1001 <b>待审批</b>",
        creator=manager,
        executors=[manager],
        detail_url={"appUrl": "https://example.com", "pcUrl": "https://example.com"},
        due_ms=None,
    )
    await expect(page.part("todos-count")).to_have_text("1")
    await expect(page.part("todo")).to_contain_text("采购单 PO-1001 <b>待审批</b>")
    await page.part("todo").get_by_role("checkbox").check()
    await expect(page.part("todo")).to_have_attribute("data-done", "true")
    await expect(page.part("todos-count")).to_be_hidden()
    assert todo.is_done
    simulator.engine.todos.remove(todo.id)
    await expect(page.part("todo")).to_have_count(0)


async def test_shared_tables_are_shown_and_edited(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("sales01")
    await page.part("tab-tables").click()
    await expect(page.part("pane-tables")).to_contain_text("没有共享表格")
    engine = simulator.engine
    table = engine.tables.add("base1", "订单 <b>", editors=[engine.person("sales01").union_id])
    await expect(page.part("table")).to_contain_text("订单 <b>")
    [record] = table.records
    cell = page.part("table-row").get_by_label("标题")
    await cell.fill("SO-1001")
    await cell.press("Tab")
    await engine.wait_for(lambda: table.records[record] == {"标题": "SO-1001"})
    engine.tables.update(table, {record: {"标题": "SO-1002"}})
    await expect(page.part("table-row").get_by_label("标题")).to_have_value("SO-1002")
