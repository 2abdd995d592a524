"""The pages of rules in the whole bot: read, changed, confirmed in one's own chat, published and taken back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

from bot.access.audit import AuditKind
from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.chat import SimDelivery
from bot.rulefiles.versions import digest_of_content
from tests.alerts.intake.samples import cloud_event
from tests.rows import each_row
from tests.scenario.alerts.scenario import BUYING, WAREHOUSE
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem
from tests.scenario.test_audit import log_of
from tests.web.page_client import PageClient, Seen, page_client

IT, BOSS = "it01", "boss01"
YES, NO = "是我，确认", "不是我"
FIRST = f"""[default]
to = ["group:{WAREHOUSE}"]

[[routes]]
name = "money"
types = ["invoice.*"]
to = ["group:{BUYING}"]
"""
SECOND = FIRST.replace('"invoice.*"', '"invoice.*", "po.*"')
WRONG = FIRST.replace("types", "tpyes")
IN_FORCE = "这些规则已经生效"
_TEXT = re.compile(r"<textarea[^>]*>\n(.*?)</textarea>", re.DOTALL)
_BASE = re.compile(r'name="base" value="([0-9a-f]*)"')


@asynccontextmanager
async def rules_of(
    open_system: OpenSystem, folder: Path, *, second_person: bool = False
) -> AsyncIterator[tuple[BotSystem, Path]]:
    """A bot whose alert rules are a file, and which has two administrators."""
    file = folder / "alerts.toml"
    file.write_text(FIRST)
    roles = {"admin": frozenset({IT, BOSS})}
    pages = {"rules_second_person": second_person}
    async with open_system(alerts={"rules": file}, access={"roles": roles}, pages=pages) as system:
        yield system, file


@asynccontextmanager
async def opened(system: BotSystem) -> AsyncIterator[PageClient]:
    async with page_client(system.app.settings.http.public_url) as client:
        yield client


def typed(page: Seen) -> str:
    """What stands in the editor."""
    found = _TEXT.search(page.html)
    assert found is not None, page.text
    return unescape(found[1])


def base_of(page: Seen) -> str:
    found = _BASE.search(page.html)
    assert found is not None, page.text
    return found[1]


async def send(
    browser: PageClient, page: Seen, do: str, text: str, reason: str = "采购要看到订单", **more: str
) -> Seen:
    """Press a button of the editor."""
    fields = {"form": page.form_token, "base": base_of(page), "text": text, "reason": reason, "do": do, **more}
    return await browser.post("/rules/alerts", fields)


async def press(browser: PageClient, change: Seen, do: str) -> Seen:
    """Press a button of a change."""
    return await browser.post(change.address.path, {"form": change.form_token, "do": do})


def every_card(system: BotSystem, who: str) -> list[SimCardView]:
    """Return the cards in somebody's own chat, the oldest first."""
    items = system.engine.direct(who).items
    return [item.card.view_for(who) for item in items if isinstance(item, SimDelivery)]


async def answer(system: BotSystem, who: str, label: str = YES) -> SimCardView:
    """Tap on the card in somebody's own chat that asks whether it is them, and return it as it is then."""

    def asked() -> list[SimCardView]:
        return [card for card in every_card(system, who) if card.button(label)]

    found: list[SimCardView] = await system.engine.wait_for(asked)
    return await system.click(found[-1], label, who)


async def proposed(browser: PageClient, text: str = SECOND, who: str = IT) -> Seen:
    """Log in, write a change, and return its page."""
    return await send(browser, await browser.log_in(who, "/rules/alerts"), "propose", text)


async def published(system: BotSystem, browser: PageClient, change: Seen, who: str = IT) -> Seen:
    """Confirm and publish a change, and return its page."""
    waiting = await press(browser, change, "confirm")
    assert "Refresh" in waiting.headers
    await answer(system, who)
    return await press(browser, await browser.get(change.address.path), "publish")


async def test_a_rule_is_changed_published_and_taken_back(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser:
        page = await browser.log_in(IT, "/rules")
        assert "预警规则" in page.text
        assert str(file) in page.text
        change = await send(browser, await browser.get("/rules/alerts"), "propose", SECOND)
        assert '"po.*"' in change.html.replace("&#34;", '"')
        assert file.read_text() == FIRST
        done = await published(system, browser, change)
        assert IN_FORCE in done.text
        assert file.read_text() == f"{SECOND}# end\n"
        assert digest_of_content(file.read_bytes())[:16] in done.text
        versions = await browser.get("/rules/alerts/versions")
        assert "高翔" in versions.text
        assert "不是在页面上改的" in versions.text
        back = re.search(r'action="(/rules/change/\d+)"', versions.html)
        assert back is not None
        again = await browser.post(back[1], {"form": versions.form_token, "do": "back"})
        assert IN_FORCE in (await published(system, browser, again)).text
        assert file.read_text() == f"{FIRST}# end\n"
        assert "回到第 1 版" in (await browser.get("/rules")).text
    entries, _ = await log_of(system)
    told = [each.entry for each in entries if each.entry.kind is AuditKind.RULES]
    assert [(each.actor, each.outcome) for each in told].count((IT, "published")) == 2


async def test_a_wrong_rule_is_never_published_and_stays_as_it_was_typed(
    open_system: OpenSystem, tmp_path: Path
) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser:
        page = await browser.log_in(IT, "/rules/alerts")
        assert typed(page) == FIRST
        for do in ("check", "compare", "propose"):
            shown = await send(browser, page, do, WRONG)
            assert typed(shown) == WRONG
            assert "第 6 行" in shown.text
            assert "tpyes" in shown.text
        assert file.read_text() == FIRST
        assert "等待发布" not in (await browser.get("/rules")).text


async def test_only_administrators_see_or_change_rules(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser, opened(system) as other:
        change = await proposed(browser)
        home = await other.log_in(KEEPER)
        assert 'href="/rules"' not in home.html
        for path in ("/rules", "/rules/alerts", "/rules/alerts/versions", change.address.path):
            page = await other.get(path)
            assert (page.status, "invoice" in page.html) == (403, False)
        fields = {"form": home.form_token, "text": SECOND, "base": base_of(await browser.get("/rules/alerts"))}
        assert (await other.post("/rules/alerts", {**fields, "do": "propose"})).status == 403
        for do in ("confirm", "publish", "withdraw"):
            assert (await other.post(change.address.path, {**fields, "do": do})).status == 403
        forged = await browser.post(change.address.path, {"form": home.form_token, "do": "withdraw"})
        assert forged.status == 403
        assert file.read_text() == FIRST


async def test_nothing_is_published_without_a_confirmation_of_this_very_session(
    open_system: OpenSystem, tmp_path: Path
) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser, opened(system) as thief:
        change = await proposed(browser)
        assert (await press(browser, change, "publish")).status == 403
        asked = await press(browser, change, "confirm")
        again = await press(browser, asked, "confirm")
        assert "请在钉钉里确认" in again.text
        card = await answer(system, IT)
        assert "已确认" in card.markdown
        assert len([each for each in every_card(system, IT) if "发布" in each.title]) == 1
        stolen = await thief.log_in(IT, change.address.path)
        assert (await press(thief, stolen, "publish")).status == 403
        assert file.read_text() == FIRST
        assert IN_FORCE in (await press(browser, await browser.get(change.address.path), "publish")).text
        assert (await press(browser, change, "publish")).status == 403  # it is spent


async def test_a_browser_cannot_confirm_what_it_asks_for(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, _), opened(system) as browser:
        change = await proposed(browser)
        page = await press(browser, change, "confirm")
        await system.engine.wait_for(lambda: [each for each in every_card(system, IT) if each.button(YES)])
        button = next(each for each in every_card(system, IT) if each.button(YES)).button(YES)
        assert button is not None
        token = next(value for value in button.params.values() if str(value).startswith("ask|"))
        refused = await browser.post("/do", {"form": page.form_token, "token": token})
        assert "请在您和我的单聊里" in refused.text
        assert (await press(browser, change, "publish")).status == 403


async def test_who_denies_it_is_logged_out_everywhere(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser:
        await press(browser, await proposed(browser), "confirm")
        card = await answer(system, IT, NO)
        assert "已否认" in card.markdown
        assert (await browser.get("/rules")).address.path == "/login"
        assert file.read_text() == FIRST


async def test_what_two_people_edit_at_once_is_shown_and_not_overwritten(
    open_system: OpenSystem, tmp_path: Path
) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser, opened(system) as other:
        theirs = await other.log_in(BOSS, "/rules/alerts")
        mine = await proposed(browser)
        waiting = await send(other, theirs, "propose", FIRST.replace("money", "invoices"))
        assert IN_FORCE in (await published(system, browser, mine)).text
        # One wrote from the file as it was; the other's change was proposed before it changed.
        late = await send(other, theirs, "propose", FIRST.replace("money", "bills"))
        assert late.status == 409
        assert "bills" in typed(late)
        assert base_of(late) == digest_of_content(file.read_bytes())
        assert "po.*" in late.text  # of the difference from what is there now
        overtaken = await other.get(waiting.address.path)
        assert "文件又被改过" in overtaken.text
        await press(other, overtaken, "confirm")
        await answer(system, BOSS)
        assert (await press(other, overtaken, "publish")).status == 409
        assert file.read_text() == f"{SECOND}# end\n"
        renewed = await press(other, overtaken, "renew")
        assert "文件又被改过" not in renewed.text


async def test_a_change_from_outside_is_seen_and_kept(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser:
        await browser.log_in(IT, "/rules")
        file.write_text(WRONG)
        await system.app.read_rules_again()
        page = await browser.get("/rules")
        assert "磁盘上的文件没有生效" in page.text
        assert "tpyes" in page.text
        editor = await browser.get("/rules/alerts")
        assert typed(editor) == WRONG
        # What is wrong outside is mended here.
        done = await published(system, browser, await send(browser, editor, "propose", SECOND))
        assert IN_FORCE in done.text
        file.write_text(FIRST + "# end\n")
        await system.app.read_rules_again()
        await system.engine.wait_for(lambda: True)
        page = await browser.get("/rules/alerts/versions")
        assert page.text.count("不是在页面上改的") >= 1


async def test_where_a_second_person_is_asked_for_the_author_does_not_publish(
    open_system: OpenSystem, tmp_path: Path
) -> None:
    async with (
        rules_of(open_system, tmp_path, second_person=True) as (system, file),
        opened(system) as browser,
        opened(system) as other,
    ):
        change = await proposed(browser)
        assert "须由另一位管理员发布" in change.text
        assert (await press(browser, change, "confirm")).status == 403
        assert (await press(browser, change, "publish")).status == 403
        await system.engine.wait_for(lambda: [each for each in every_card(system, BOSS) if "高翔" in each.title])
        assert not [each for each in every_card(system, IT) if "高翔" in each.title]
        theirs = await other.log_in(BOSS, change.address.path)
        assert IN_FORCE in (await published(system, other, theirs, BOSS)).text
        assert file.read_text() == f"{SECOND}# end\n"
        assert "由林明川发布" in (await browser.get("/rules")).text


@each_row(
    "fields",
    [
        {"text": "", "reason": "x"},
        {"text": "\x00", "reason": "x"},
        {"text": "= = =", "reason": "x"},
        {"text": "[" * 5_000, "reason": "x"},
        {"text": SECOND, "reason": ""},
        {"text": SECOND, "reason": "   \n "},
        {"text": SECOND, "reason": "x", "base": "0" * 64},
        {"text": SECOND, "reason": "x", "base": ""},
        {"text": FIRST + "# end\n# end", "reason": "x", "do": "nothing of this kind"},
    ],
)
async def test_bad_input_is_answered_in_words(fields: dict[str, str], open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser:
        page = await browser.log_in(IT, "/rules/alerts")
        own = {"form": page.form_token, "base": base_of(page), "do": "propose", **fields}
        answer = await browser.post("/rules/alerts", own)
        assert answer.status in {200, 400, 409}
        assert answer.address.path == "/rules/alerts"
        assert "修改" in answer.text or "规则" in answer.text
        for path in ("/rules/change/0", "/rules/change/x", "/rules/change/9999999999", "/rules/salaries"):
            assert (await browser.get(path)).address.path == "/rules"
        assert file.read_text() == FIRST


async def test_a_file_that_cannot_be_written_says_why(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser:
        await browser.log_in(IT, "/rules")
        mounted = file.rename(file.with_name("..data.toml"))
        file.symlink_to(mounted)
        page = await browser.get("/rules/alerts")
        assert "是指向" in page.text
        assert "继续发布" not in page.text
        file.unlink()
        mounted.rename(file)
        file.chmod(0o444)
        change = await send(browser, await browser.get("/rules/alerts"), "propose", SECOND)
        refused = await published(system, browser, change)
        assert (refused.status, "只读" in refused.text) == (409, True)
        file.chmod(0o640)
        assert IN_FORCE in (await published(system, browser, change)).text
        assert file.stat().st_mode & 0o777 == 0o640


async def test_alert_rules_are_rehearsed_on_what_came(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, file), opened(system) as browser:
        for number in range(3):
            event = cloud_event(id=f"E-{number}", subject=f"SKU{900 + number}", time=None)
            await system.app.alerts.intake.accept("demo", [event], via="webhook")
        page = await browser.log_in(IT, "/rules/alerts")
        calls = Counter(system.engine.calls)
        moved = FIRST.replace('["invoice.*"]', '["stock.*"]')
        rehearsed = await send(browser, page, "rehearse", moved)
        assert "去向改变的预警 3" in rehearsed.text
        assert f"group:{WAREHOUSE} (default)" in rehearsed.text
        assert f"group:{BUYING} (money)" in rehearsed.text
        assert "看了最近 7 天的 3 条事件" in rehearsed.text
        same = await send(browser, page, "rehearse", FIRST)
        assert "去向改变的预警 0" in same.text
        assert "这里显示的内容不会有变化" in same.text
        assert Counter(system.engine.calls) == calls
        assert file.read_text() == FIRST


async def test_approval_rules_are_rehearsed_on_past_orders(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, _), opened(system) as browser:
        page = await browser.log_in(IT, "/rules/approvals")
        fields = {"form": page.form_token, "base": base_of(page), "do": "rehearse"}
        rules = '[[rules]]\nname = "all to the boss"\nlevels = [{any = ["person:boss01"]}]\n'
        rehearsed = await browser.post("/rules/approvals", {**fields, "text": rules})
        assert "all to the boss" in rehearsed.text
        assert "采购单" in rehearsed.text
        assert "¥" not in rehearsed.text


async def test_access_rules_are_rehearsed_by_what_who_gains_and_loses(open_system: OpenSystem, tmp_path: Path) -> None:
    async with rules_of(open_system, tmp_path) as (system, _), opened(system) as browser:
        page = await browser.log_in(IT, "/rules/access")
        fields = {"form": page.form_token, "base": base_of(page), "do": "rehearse"}
        rules = '[[rules]]\nname = "finance"\nroles = ["finance"]\ncommands = ["invoice"]\nfields = ["amount"]\n'
        rehearsed = await browser.post("/rules/access", {**fields, "text": rules})
        assert "失去" in rehearsed.text
        assert "/invoice" in rehearsed.text
