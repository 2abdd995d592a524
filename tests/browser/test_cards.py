"""Cards: drawn as sent, clicked, changed while they are on screen, never trusted."""

from __future__ import annotations

import re

import orjson
import pytest
from playwright.async_api import expect

from bot.kit.simulator.card_templates import PUBLIC_FORM, read_template
from bot.kit.simulator.server import RunningSimulator
from tests.browser.conftest import OpenPage
from tests.browser.echo_bot import EchoBot, button, card, shown_to_clicker

GROUP = "cidKp3Lr+9x/WhSales0001Aa=="
STOCK = card(
    "库存 SKU123",
    "**六角螺栓** <font colorTokenV2=common_red1_color sizeToken=common_h3_text_style__font_size>缺货</font> [微笑]\n"
    "\n"
    "| 仓库 | 现有 | 可用 |\n| :- | :-: | -: |\n| 上海仓 | 1,240 | 980 |\n| 苏州仓 | 320 | 12 |\n"
    "\n"
    "在途 500<br>预计 12-03 <a atId=sales01>@李娜</a>",
    "数据时间 14:58",
    button("在途采购单", "po", color="blue"),
    button("拒绝", "reject", color="red"),
    button("打开 ERP", url="https://erp.example.com/products/SKU123"),
)


WORDS = {"name": "words", "label": "说明", "placeholder": "请填写", "required": True, "requiredMsg": "少了说明"}
CHOICE = {
    "name": "reason",
    "label": "<b>原因</b>",
    "type": "SELECT",
    "placeholder": "请选择",
    "defaultValue": "规格",
    "options": [{"value": "太贵", "text": "价格太高"}, {"value": "规格", "text": "</option><b>规格</b>"}],
}


async def test_a_card_is_drawn_with_its_figures(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    echo_bot.answer = lambda message: STOCK
    page = await browser_page("keeper01")
    await page.open("仓库与销售群")
    await page.say("/stock SKU123")
    drawn = page.card("库存 SKU123")
    await expect(drawn.get_by_test_id("card-title")).to_have_text("库存 SKU123")
    await expect(drawn.get_by_test_id("card-tips")).to_have_text("数据时间 14:58")
    assert await page.table(drawn) == [["仓库", "现有", "可用"], ["上海仓", "1,240", "980"], ["苏州仓", "320", "12"]]
    body = drawn.get_by_test_id("card-body")
    await expect(body.locator("td.md-right").first).to_have_css("text-align", "right")
    await expect(body.get_by_text("缺货")).to_have_css("color", "rgb(211, 47, 53)")
    await expect(body.get_by_text("缺货")).to_have_css("font-size", "18px")
    await expect(body.get_by_role("img", name="微笑")).to_have_text("🙂")
    await expect(body.locator("[data-at-id=sales01]")).to_have_text("@李娜")
    await expect(body.locator("br")).to_have_count(1)
    buttons = drawn.get_by_test_id("card-button")
    await expect(buttons).to_have_text(["在途采购单", "拒绝", "打开 ERP"])
    tops = [box["y"] for box in [await label.bounding_box() for label in await buttons.all()] if box]
    assert len(set(tops)) == 1, "three short buttons stand in one row"
    assert [await label.get_attribute("data-color") for label in await buttons.all()] == ["blue", "red", "gray"]
    await expect(buttons.last).to_have_attribute("href", "https://erp.example.com/products/SKU123")
    await expect(buttons.last).to_have_attribute("rel", re.compile("noopener"))
    await expect(buttons.last).to_have_attribute("target", "_blank")


async def test_dark_mode_changes_the_token_colours(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    await echo_bot.send_card(GROUP, "stock", STOCK)
    page = await browser_page("keeper01", dark=True)
    await page.open("仓库与销售群")
    await expect(page.card(track_id="stock").get_by_text("缺货")).to_have_css("color", "rgb(255, 115, 112)")
    await expect(page.part("chat")).to_have_css("background-color", "rgb(23, 24, 27)")


@pytest.mark.parametrize("public", [True, False])
async def test_a_clicks_answer_is_for_the_clicker_alone(
    browser_page: OpenPage, echo_bot: EchoBot, simulator: RunningSimulator, public: bool
) -> None:
    """By the mild reading of DingTalk's pages; by the harsh one everybody sees it, and no mark says otherwise."""
    assert simulator.engine.readings.answers_public, "the harsh reading is the default"
    simulator.engine.readings.answers_public = public
    echo_bot.on_click = lambda click: shown_to_clicker(tips="在途 2 单", title="采购单")
    await echo_bot.send_card(GROUP, "stock", STOCK)
    keeper, seller = await browser_page("keeper01"), await browser_page("sales01")
    for page in (keeper, seller):
        await page.open("仓库与销售群")
        await expect(page.card(track_id="stock")).to_be_visible()
    await keeper.press(keeper.card(track_id="stock"), "在途采购单")
    mine, theirs = keeper.card(track_id="stock"), seller.card(track_id="stock")
    await expect(mine.get_by_test_id("card-tips")).to_have_text("在途 2 单")
    await expect(mine.get_by_test_id("card-title")).to_have_text("采购单")
    if public:
        await expect(theirs.get_by_test_id("card-tips")).to_have_text("在途 2 单")
        await expect(theirs.get_by_test_id("card-title")).to_have_text("采购单")
        await expect(mine).to_have_attribute("data-private", "false")
        await expect(mine.get_by_test_id("card-private")).to_be_hidden()
    else:
        await expect(mine).to_have_attribute("data-private", "true")
        await expect(mine.get_by_test_id("card-private")).to_have_text("仅你可见")
        await expect(theirs.get_by_test_id("card-title")).to_have_text("库存 SKU123")
        await expect(theirs.get_by_test_id("card-tips")).to_have_text("数据时间 14:58")
    await expect(theirs.get_by_test_id("card-private")).to_be_hidden()
    [click] = echo_bot.clicks
    assert (click["userId"], click["outTrackId"]) == ("keeper01", "stock")


async def test_an_update_reaches_everybody_without_moving_anything(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    await echo_bot.send_card(GROUP, "stock", STOCK)
    pages = [await browser_page("keeper01"), await browser_page("sales01")]
    for page in pages:
        await page.open("仓库与销售群")
        await page.card(track_id="stock").evaluate("(node) => { node.mark = node.querySelector('table'); }")
    await echo_bot.update_card("stock", tips="已更新")
    for page in pages:
        drawn = page.card(track_id="stock")
        await expect(drawn.get_by_test_id("card-tips")).to_have_text("已更新")
        await expect(drawn).to_have_attribute("data-version", "2")
        assert await drawn.evaluate("(node) => node.mark === node.querySelector('table')"), "the body was drawn anew"
        await expect(page.part("card")).to_have_count(1)


async def test_a_click_turns_a_wheel_and_says_when_it_fails(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    echo_bot.on_click = lambda click: None
    await echo_bot.send_card(GROUP, "stock", STOCK)
    page = await browser_page("keeper01")
    await page.open("仓库与销售群")
    pressed = page.card(track_id="stock").get_by_test_id("card-button").first
    # Both clicks within one task of the page: on a busy machine the first would have timed out before the second.
    busy = await pressed.evaluate("(node) => { node.click(); const busy = node.ariaBusy; node.click(); return busy; }")
    assert busy == "true"
    await expect(page.part("toast")).to_have_text("操作超时，请稍后重试")
    await expect(pressed).to_have_attribute("aria-busy", "false")
    assert len(echo_bot.clicks) == 1, "a second click while the first is under way went out"


async def test_what_stands_in_a_cards_fields_goes_with_the_click(
    browser_page: OpenPage, echo_bot: EchoBot, simulator: RunningSimulator
) -> None:
    simulator.engine.cards.register(read_template({"id": "own.schema", "form": [WORDS, CHOICE]}))
    await echo_bot.send_card(GROUP, "po", card("PO-1001", "", "", button("拒绝", "no", color="red")), "own.schema")
    page = await browser_page("keeper01")
    await page.open("仓库与销售群")
    drawn = page.card(track_id="po")
    words, choice = drawn.get_by_label("说明 *"), drawn.get_by_label("<b>原因</b>")
    await expect(words).to_have_attribute("placeholder", "请填写")
    await expect(choice.locator("option")).to_have_text(["请选择", "价格太高", "</option><b>规格</b>"])
    await page.press(drawn, "拒绝")
    await expect(page.part("toast")).to_have_text("少了说明")
    assert echo_bot.clicks == [], "what must be filled in keeps the click back"
    await words.fill("<b>再谈</b>")
    await choice.select_option(label="价格太高")
    await echo_bot.update_card("po", tips="已更新")
    await expect(drawn.get_by_test_id("card-tips")).to_have_text("已更新")
    await expect(words).to_have_value("<b>再谈</b>")
    await page.press(drawn, "拒绝")
    await expect(drawn.get_by_test_id("card-button")).to_have_attribute("aria-busy", "false")
    [click] = echo_bot.clicks
    assert orjson.loads(click["content"])["cardPrivateData"] == {
        "actionIds": ["no"],
        "params": {"id": "no", "form": {"words": "<b>再谈</b>", "reason": {"index": 0, "value": "太贵"}}},
    }


async def test_fields_go_when_their_condition_no_longer_holds(
    browser_page: OpenPage, echo_bot: EchoBot, simulator: RunningSimulator
) -> None:
    declared = {"id": "own.schema", "inputs": [CHOICE], "fieldsIf": {"state": "open"}}
    simulator.engine.cards.register(read_template(declared))
    asks = {**card("PO-1001", "", "", button("拒绝", "no")), "state": "open"}
    await echo_bot.send_card(GROUP, "po", asks, "own.schema")
    page = await browser_page("keeper01")
    await page.open("仓库与销售群")
    drawn = page.card(track_id="po")
    await expect(drawn.get_by_test_id("card-field")).to_have_value("规格")
    await echo_bot.update_card("po", state="over")
    await expect(drawn.get_by_test_id("card-field")).to_have_count(0)
    await page.press(drawn, "拒绝")
    await expect(drawn.get_by_test_id("card-button")).to_have_attribute("aria-busy", "false")
    [click] = echo_bot.clicks
    assert orjson.loads(click["content"])["cardPrivateData"]["params"] == {"id": "no"}


async def test_hostile_markdown_is_only_text(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    hostile = [
        "<img src=x onerror=alert(1)>",
        "<script>window.hacked = 1</script>",
        "<svg/onload=alert(1)>",
        "<iframe src=javascript:alert(1)>",
        "<font color=red;background:url(javascript:alert(1)) onclick=alert(1)>font</font>",
        "<font colorTokenV2=common_red1_color)}body{display:none>style</font>",
        "[link](javascript:alert(1))",
        "[data](data:text/html,<script>alert(1)</script>)",
        "[java script](java\tscript:alert(1))",
        "![picture](javascript:alert(1))",
        '<a atId=x"onmouseover="alert(1)>at</a>',
        "<a href=javascript:alert(1)>anchor</a>",
        "&lt;script&gt; &#60;b&#62;",
        "`<b>code</b>`",
        "**<u>bold</u>**",
    ]
    fenced = "```\n</code><script>window.hacked = 2</script>\n```"
    text = "\n\n".join([*hostile, "| <b>x</b> | [y](vbscript:z) |", fenced])
    title = "</span><img src=x onerror=alert(1)>"
    buttons = (button("<i>x</i>", "x"), button("y", url="javascript:alert(1)"))
    await echo_bot.send_card(GROUP, "hostile", card(title, text, "<b>tips</b>", *buttons))
    page = await browser_page("keeper01")
    await page.open("仓库与销售群")
    await page.say("<img src=x onerror=alert(1)> http://a.example/<script>")
    drawn = page.card(track_id="hostile")
    await expect(drawn.get_by_test_id("card-title")).to_have_text(title)
    await expect(drawn.get_by_test_id("card-tips")).to_have_text("<b>tips</b>")
    await expect(page.message("<img src=x onerror=alert(1)>")).to_have_count(1)
    found = await page.part("messages").evaluate(
        """(node) => {
          const all = (selector) => [...node.querySelectorAll(selector)];
          return {
            tags: [...new Set(all('[data-testid=card-body] *').map((one) => one.localName))].sort(),
            handlers: all('*').flatMap((one) => one.getAttributeNames()).filter((name) => name.startsWith('on')),
            links: all('a').map((one) => one.protocol),
            styles: all('[style]').map((one) => one.getAttribute('style')),
            hacked: window.hacked ?? null,
          };
        }"""
    )
    assert found["tags"] == ["code", "p", "pre", "span", "strong"]
    assert found["handlers"] == []
    assert set(found["links"]) <= {"http:", "https:"}
    assert not any("url" in style or "display" in style for style in found["styles"])
    assert found["hacked"] is None
    body = await drawn.get_by_test_id("card-body").inner_text()
    for line in ("<img src=x onerror=alert(1)>", "<script>window.hacked = 1</script>", "&lt;script&gt; &#60;b&#62;"):
        assert line in body


async def test_a_recalled_card_leaves_a_note(
    browser_page: OpenPage, echo_bot: EchoBot, simulator: RunningSimulator
) -> None:
    await echo_bot.send_card(GROUP, "stock", STOCK)
    page = await browser_page("keeper01")
    await page.open("仓库与销售群")
    await expect(page.card(track_id="stock")).to_be_visible()
    stored = simulator.engine.cards.get("stock")
    assert stored is not None
    copies = simulator.engine.chat.copies(stored)
    for copy in copies:
        copy.recalled = True
    simulator.engine.chat.notify_changed(copies)
    await expect(page.card(track_id="stock")).to_have_count(0)
    await expect(page.part("card-entry")).to_have_text("ERP 助手: 消息已撤回")


async def test_the_public_form_is_filled_in(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    fields = [
        {"name": "reason", "label": "原因", "type": "TEXT_AREA", "required": True, "placeholder": "例如：太贵"},
        {"name": "day", "label": "日期", "type": "DATE"},
    ]
    asks = {
        "question_id": "q_1",
        "question_title": "为什么拒绝 PO-1001？",
        "question_desc": "目前还没有记录任何决定。",
        "form_btn_text": "待填写",
        "card_status": "pending",
        "form": orjson.dumps({"fields": fields}).decode(),
    }
    echo_bot.on_click = lambda click: shown_to_clicker(card_status="answered", question_desc="已记录")
    await echo_bot.send_card(GROUP, "form", asks, PUBLIC_FORM)
    page = await browser_page("keeper01")
    await page.open("仓库与销售群")
    drawn = page.card(track_id="form")
    await expect(drawn.get_by_test_id("card-button")).to_have_text(["确定", "取消"])
    reason, day = drawn.get_by_label("原因 *"), drawn.get_by_label("日期")
    await expect(day).to_have_attribute("type", "date")
    await page.press(drawn, "确定")
    await expect(page.part("toast")).to_have_text("请填写原因")
    await reason.fill("太贵\n请重新询价")
    await day.fill("2026-12-01")
    await page.press(drawn, "确定")
    await expect(drawn.get_by_test_id("card-body")).to_contain_text("已记录")
    await expect(drawn.get_by_test_id("card-field")).to_have_count(0)
    await expect(drawn.get_by_test_id("card-button")).to_have_count(0)
    [click] = echo_bot.clicks
    assert orjson.loads(click["content"])["cardPrivateData"] == {
        "actionIds": ["q_1"],
        "params": {"form": {"reason": "太贵\n请重新询价", "day": "2026-12-01"}},
    }
