"""`preview.html`: a single card, also from a file, made as `page/README.md` describes."""

from __future__ import annotations

import math
import re
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from playwright.async_api import Page, expect

from bot.kit.simulator import server
from bot.kit.simulator.server import RunningSimulator
from tests.browser.chat_page import PHONE
from tests.browser.echo_bot import button, card
from tests.browser.tab_pool import TabPool

PAGE = Path(server.__file__).parent / "page"
CARD = card(
    "库存 SKU123",
    "**M8** </script><b>x</b> [微笑]\n\n| 仓库 | 可用 |\n| :- | -: |\n| 上海仓 | 980 |",
    "数据时间 14:58",
    button("采购单", "po", color="blue"),
    button("打开", url="https://erp.example.com/"),
)


def one_file(params: dict[str, str]) -> str:
    """The steps of the README, one by one."""

    def text(match: re.Match[str]) -> str:
        return (PAGE / match[1]).read_text()

    html = (PAGE / "preview.html").read_text()
    html = re.sub(r'<link rel="stylesheet" href="(.+?)">', lambda match: f"<style>{text(match)}</style>", html)
    scripts = "\n".join(text(match) for match in re.finditer(r'<script type="module" src="(.+?)"></script>', html))
    scripts = re.sub(r"^import .*$", "", scripts, flags=re.MULTILINE)
    scripts = re.sub(r"^export ", "", scripts, flags=re.MULTILINE)
    html = re.sub(r'\s*<script type="module" src=".+?"></script>', "", html)
    html = html.replace("</body>", f'<script type="module">{scripts}</script>\n</body>')
    data = orjson.dumps(params).decode().replace("<", "\\u003c")
    return html.replace('id="card">', f'id="card">{data}')


async def _check(page: Page) -> None:
    drawn = page.get_by_test_id("card")
    await expect(drawn.get_by_test_id("card-title")).to_have_text("库存 SKU123")
    await expect(drawn.get_by_test_id("card-body")).to_contain_text("M8 </script><b>x</b> 🙂")
    await expect(drawn.locator("td")).to_have_text(["上海仓", "980"])
    await expect(drawn.get_by_test_id("card-button")).to_have_text(["采购单", "打开"])
    height = await page.locator("html").get_attribute("data-height")
    box = await page.locator("#preview").bounding_box()
    assert box is not None
    assert (box["width"], height) == (390, str(math.ceil(box["height"])))


@pytest.mark.parametrize(("theme", "color"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(31, 32, 35)")])
async def test_a_card_from_a_single_file(tabs: TabPool, tmp_path: Path, theme: str, color: str) -> None:
    file = tmp_path / "card.html"
    file.write_text(one_file(CARD))
    async with tabs.tab(PHONE) as page:
        await page.goto(f"{file.as_uri()}?theme={theme}")
        await _check(page)
        await expect(page.get_by_test_id("card")).to_have_css("background-color", color)


async def test_a_card_from_the_server(tabs: TabPool, simulator: RunningSimulator) -> None:
    async with tabs.tab(PHONE) as page:
        await page.goto(f"{simulator.url}/static/preview.html?card={quote(orjson.dumps(CARD))}")
        await _check(page)
