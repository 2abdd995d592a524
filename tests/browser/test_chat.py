"""Talking: people, conversations, the message box."""

from __future__ import annotations

from contextlib import suppress

from playwright.async_api import expect

from bot.kit.simulator.card_templates import PUBLIC_TEMPLATES
from bot.kit.simulator.cards import CardInstance
from bot.kit.simulator.config import SimulatorConfig, SuggestedCommand
from bot.kit.simulator.server import RunningSimulator, open_simulator
from tests.browser.chat_page import PHONE, ChatPage
from tests.browser.conftest import OpenPage
from tests.browser.echo_bot import EchoBot, card

WAREHOUSE = "仓库与销售群"
DIRECT = "ERP 助手"


async def test_a_question_in_a_group_addresses_the_bot(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await page.say("/stock SKU123")
    await expect(page.message("@ERP 助手 /stock SKU123")).to_have_class("entry own is-message")
    await expect(page.card("Echo").get_by_test_id("card-body")).to_have_text("/stock SKU123")
    assert [message["senderStaffId"] for message in echo_bot.messages] == ["keeper01"]
    assert echo_bot.messages[0]["text"]["content"].strip() == "/stock SKU123"


async def test_without_the_mention_the_bot_hears_nothing(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await page.part("at-bot").click()
    await expect(page.part("at-bot")).to_have_attribute("aria-pressed", "false")
    await page.say("just among us")
    await expect(page.message("just among us")).to_be_visible()
    await page.part("at-bot").click()
    await page.say("now to the bot")
    await expect(page.card("Echo")).to_be_visible()
    assert [message["text"]["content"].strip() for message in echo_bot.messages] == ["now to the bot"]


async def test_switching_the_person_shows_their_chats(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await expect(page.part("person")).to_contain_text("仓库管理员 · 仓储部")
    await page.become("buyer01")
    await expect(page.part("person")).to_contain_text("陈立")
    await expect(page.part("person")).to_contain_text("采购员 · 采购部")
    await expect(page.part("conversation")).to_contain_text(["采购与财务群", DIRECT])
    await expect(page.part("conversation").filter(has_text=WAREHOUSE)).to_have_count(0)
    await page.become("ext_carrier")
    await expect(page.part("conversation")).to_contain_text([WAREHOUSE, "客户项目群"])
    await expect(page.part("conversation")).to_have_count(2)


async def test_a_card_for_one_member_is_marked_and_shown_to_nobody_else(
    browser_page: OpenPage, simulator: RunningSimulator
) -> None:
    chat = simulator.engine.chat
    card = CardInstance(
        out_track_id="own",
        template=PUBLIC_TEMPLATES[0],
        readings=simulator.engine.readings,
        callback_type="",
        user_id_type=1,
        data={"title": "SO-1001"},
    )
    simulator.engine.cards.add(card)
    group = chat.conversations[_group(simulator)]
    chat.add_card(group, card, carrier_id="own", recipients=frozenset({"keeper01"}))
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await expect(page.part("card-private")).to_be_visible()
    await page.become("sales01")
    await page.open(WAREHOUSE)
    await expect(page.part("card")).to_have_count(0)


async def test_the_list_counts_what_is_unread_and_shows_the_last_message(
    browser_page: OpenPage, simulator: RunningSimulator
) -> None:
    page = await browser_page("keeper01")
    await page.open(DIRECT)
    group = _group(simulator)
    for text in ("one", "two"):
        simulator.engine.say(group, "sales01", text, at_bot=False)
    row = page.part("conversation").filter(has_text=WAREHOUSE)
    await expect(row).to_have_attribute("data-unread", "2")
    await expect(row).to_contain_text("李娜: two")
    await expect(page.part("conversation").first).to_contain_text(WAREHOUSE)
    await page.open(WAREHOUSE)
    await expect(row).to_have_attribute("data-unread", "0")
    await expect(page.message("one")).to_be_visible()


async def test_news_is_announced_to_screen_readers(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await expect(page.part("news")).to_have_attribute("aria-live", "polite")
    simulator.engine.say(_group(simulator), "sales01", "good morning", at_bot=False)
    await expect(page.part("news")).to_have_text("李娜: good morning")


async def test_shift_enter_breaks_the_line_and_an_input_method_keeps_its_enter(
    browser_page: OpenPage, echo_bot: EchoBot
) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    field = page.part("input")
    await field.press_sequentially("one")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    await expect(field).to_have_value("one\ntwo")
    for change in ({"isComposing": True}, {"keyCode": 229}):
        await field.dispatch_event("keydown", {"key": "Enter", "bubbles": True, "cancelable": True, **change})
    await expect(field).to_have_value("one\ntwo")
    await field.press("Enter")
    await expect(page.message("one\ntwo")).to_have_count(1)
    await expect(page.part("message")).to_have_count(1)


async def test_a_slash_offers_commands(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    field = page.part("input")
    await field.press_sequentially("/")
    await expect(page.part("completion").locator("strong")).to_have_text(
        ["/stock", "/order", "/invoice", "/po", "/mo", "/help", "/whoami"]
    )
    await field.press_sequentially("i")
    await field.press("Enter")
    await expect(field).to_have_value("/invoice ")
    await expect(page.part("completions")).to_be_hidden()
    await field.fill("")
    await field.press_sequentially("/help")
    await field.press("Enter")
    await expect(page.message("/help")).to_be_visible()


async def test_a_slash_offers_the_commands_that_the_bot_is_said_to_have(browser_page: OpenPage) -> None:
    offered = tuple(
        SuggestedCommand(name=name, chinese=f"查{name}", english=f"Look for {name}") for name in ("find", "pending")
    )
    async with open_simulator(SimulatorConfig(commands=offered)) as simulator:
        page = await browser_page("keeper01", url=simulator.url)
        await page.open(WAREHOUSE)
        await page.part("input").press_sequentially("/")
        await expect(page.part("completion").locator("strong")).to_have_text(["/find", "/pending"])
        await expect(page.part("completion").first).to_contain_text("查find")


async def test_commands_once_used_are_offered_again(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await page.say("/forecast SKU123")
    await page.part("input").press_sequentially("/fo")
    await expect(page.part("completion").locator("strong")).to_have_text(["/forecast"])


async def test_an_at_sign_offers_the_members(browser_page: OpenPage, echo_bot: EchoBot) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    field = page.part("input")
    await field.press_sequentially("ask @李")
    await page.part("completion").filter(has_text="李娜").click()
    await expect(field).to_have_value("ask @李娜 ")
    await field.press("Enter")
    await expect(page.card("Echo")).to_be_visible()
    assert "sales01" in [user.get("staffId") for user in echo_bot.messages[0]["atUsers"]]


async def test_arrow_up_brings_back_what_was_sent(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await page.say("/stock A")
    await page.say("/stock B")
    field = page.part("input")
    await field.press("ArrowUp")
    await expect(field).to_have_value("/stock B")
    await field.press("ArrowUp")
    await expect(field).to_have_value("/stock A")
    await field.press("ArrowDown")
    await expect(field).to_have_value("/stock B")
    await field.press("ArrowDown")
    await expect(field).to_have_value("")


async def test_a_picture_is_chosen_shown_and_sent(browser_page: OpenPage, echo_bot: EchoBot, pixel: bytes) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await page.part("file").set_input_files({"name": "shelf.png", "mimeType": "image/png", "buffer": pixel})
    await expect(page.part("attachment")).to_have_count(1)
    await page.part("send").click()
    await expect(page.part("attachment")).to_have_count(0)
    await expect(page.part("picture").locator("img")).to_have_js_property("naturalWidth", 1)
    await expect(page.part("conversation").filter(has_text=WAREHOUSE)).to_contain_text("[图片]")
    await _until_heard(page, echo_bot)
    assert echo_bot.messages[0]["msgtype"] == "picture"


async def test_a_picture_can_be_pasted_and_taken_back(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await page.part("input").evaluate(
        """(field) => {
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File(['x'], 'pasted.png', { type: 'image/png' }));
          field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(page.part("attachment")).to_have_count(1)
    await page.part("attachment").get_by_role("button").click()
    await expect(page.part("attachment")).to_have_count(0)
    await expect(page.part("send")).to_be_disabled()


async def test_each_conversation_keeps_its_unfinished_line(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    await page.part("input").fill("half a sen")
    await page.open(DIRECT)
    await expect(page.part("input")).to_have_value("")
    await expect(page.part("at-bot")).to_be_hidden()
    await page.open(WAREHOUSE)
    await expect(page.part("input")).to_have_value("half a sen")


async def test_five_hundred_messages_stay_where_the_reader_is(
    browser_page: OpenPage, simulator: RunningSimulator
) -> None:
    group = _group(simulator)
    for number in range(500):
        simulator.engine.say(group, "sales01", f"line {number}", at_bot=False)
    page = await browser_page("keeper01")
    await page.open(WAREHOUSE)
    messages = page.part("messages")
    await expect(page.message("line 499")).to_be_in_viewport()
    await messages.evaluate("(node) => { window.first = node.querySelectorAll('li')[0]; node.scrollTop = 400; }")
    await expect(page.part("newest")).to_be_hidden()
    simulator.engine.say(group, "sales01", "line 500", at_bot=False)
    await expect(page.part("newest")).to_be_visible()
    assert await messages.evaluate("(node) => node.scrollTop") == 400
    assert await messages.evaluate("(node) => window.first === node.querySelectorAll('li')[0]")
    await page.part("newest").click()
    await expect(page.message("line 500")).to_be_in_viewport()
    for number in range(501, 701):
        simulator.engine.say(group, "sales01", f"line {number}", at_bot=False)
    await expect(page.message("line 700")).to_be_in_viewport()
    await messages.evaluate("(node) => { node.scrollTop = 0; }")
    await page.page.get_by_role("button", name="查看更早的消息").click()
    await expect(page.message("line 150")).to_have_count(1)
    await expect(page.message("line 499")).to_have_count(1)


async def test_a_phone_shows_one_thing_at_a_time(
    browser_page: OpenPage, echo_bot: EchoBot, simulator: RunningSimulator
) -> None:
    echo_bot.answer = lambda message: card("Stock", "| a | b |\n| :- | -: |\n| x | 1 |", "tips")
    page = await browser_page("keeper01", viewport=PHONE)
    await expect(page.part("chat")).to_be_hidden()
    await page.part("conversation").filter(has_text=WAREHOUSE).tap()
    await expect(page.part("conversations")).to_be_hidden()
    await page.say("/stock SKU123")
    await expect(page.card("Stock")).to_be_in_viewport()
    assert await page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.part("panel-toggle").tap()
    await expect(page.part("quota")).to_be_visible()
    await expect(page.part("chat")).to_be_hidden()
    await page.part("panel-close").tap()
    await expect(page.card("Stock")).to_be_visible()
    await page.part("chat-back").tap()
    await expect(page.part("conversations")).to_be_visible()
    row = page.part("conversation").filter(has_text=WAREHOUSE)
    await expect(row).to_have_attribute("data-unread", "0")
    simulator.engine.say(_group(simulator), "sales01", "while away", at_bot=False)
    await expect(row).to_have_attribute("data-unread", "1")
    await page.page.go_forward()
    await expect(page.message("while away")).to_be_in_viewport()
    await expect(row).to_have_attribute("data-unread", "0")
    await page.page.go_back()
    await expect(page.part("conversations")).to_be_visible()


async def test_the_page_speaks_english_too_and_remembers_it(
    browser_page: OpenPage, simulator: RunningSimulator
) -> None:
    page = await browser_page("sales_en", language="zh")
    await expect(page.part("tab-faults")).to_have_text("故障")
    await page.part("language").click()
    await expect(page.part("tab-faults")).to_have_text("Faults")
    await expect(page.part("bot-status")).to_have_text("Bot not connected")
    await page.become("keeper01")
    await expect(page.part("person")).to_contain_text("Wang Cang")
    await page.page.goto(page.origin)
    await page.until_ready("keeper01")
    await expect(page.part("tab-faults")).to_have_text("Faults")
    assert await page.page.evaluate("document.documentElement.lang") == "en"


async def test_everything_works_by_keyboard(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    page = await browser_page("keeper01")
    await _open_people(page)
    await expect(page.page.locator("[data-testid=person-option]:focus")).to_have_attribute("data-user-id", "keeper01")
    await page.page.keyboard.press("ArrowDown")
    await page.page.keyboard.press("Enter")
    await page.until_ready("keeper02")
    await expect(page.part("people")).to_be_hidden()
    unnamed = await page.page.evaluate(
        """() => [...document.querySelectorAll('button, input, textarea')]
          .filter((node) => node.offsetParent && !node.textContent.trim())
          .filter((node) => !node.getAttribute('aria-label') && !node.labels?.length)
          .map((node) => node.outerHTML)"""
    )
    assert unnamed == []


async def _open_people(page: ChatPage) -> None:
    """Open the menu by the keyboard.

    The page focuses the message box once it is ready, perhaps between our focus and our key. Then the key went to the
    box, and a person would press it again.
    """
    for _ in range(5):
        await page.part("person").press("Enter")
        with suppress(AssertionError):
            await expect(page.part("people")).to_be_visible(timeout=1_500)
            return
    await expect(page.part("people")).to_be_visible()


def _group(simulator: RunningSimulator) -> str:
    return next(
        conversation.id
        for conversation in simulator.engine.chat.conversations.values()
        if conversation.title == WAREHOUSE
    )


async def _until_heard(page: ChatPage, bot: EchoBot) -> None:
    """The bot's ACK is in the timeline once the bot has received the message."""
    await expect(page.part("timeline").locator("[data-direction=ack]").first).to_be_attached()
    assert bot.messages


async def test_a_card_at_the_top_goes_when_it_is_closed(browser_page: OpenPage, simulator: RunningSimulator) -> None:
    chat, page = simulator.engine.chat, await browser_page("keeper01")
    await page.open(WAREHOUSE)
    pinned = CardInstance(
        out_track_id="top-1",
        template=PUBLIC_TEMPLATES[0],
        readings=simulator.engine.readings,
        callback_type="",
        user_id_type=1,
        data={"title": "缺货"},
    )
    group = next(one for one in chat.conversations.values() if one.title == WAREHOUSE)
    simulator.engine.cards.add(pinned)
    item = chat.add_card(group, pinned, carrier_id="carrier-1", recipients=None, top=True, at_user_ids=())
    await expect(page.card("缺货")).to_be_visible()
    item.recalled = True
    chat.notify_changed([item])
    await expect(page.card("缺货")).to_have_count(0)
