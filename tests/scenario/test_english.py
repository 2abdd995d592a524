"""An English reader gets every problem and its remedy in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.kit.simulator.cards import SimCardView
from bot.settings import ErpSettings, RuleSettings
from tests.scenario.conftest import ENGLISH, BotSystem, OpenSystem
from tests.scenario.notice_checks import check, plain_text

_NAMED = re.compile(r"<a atId=[^>]*>[^<]*</a>")
"""Who asked, by the name that they have in the company."""
_CHINESE = re.compile(r"[\u3400-\u9fff，。：？！“”（）]")


def english(system: BotSystem, card: SimCardView) -> SimCardView:
    """Return the card as the English reader sees it, after a check that none of our own texts on it is Chinese."""
    instance = system.engine.cards.get(card.out_track_id)
    assert instance is not None
    view = check(instance, ENGLISH)
    ours = plain_text(replace(view, markdown=_NAMED.sub("", view.markdown)))
    assert not _CHINESE.search(ours.replace("“", "").replace("”", "")), ours
    return view


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("line", "title", "says", "buttons"),
    [
        (
            "/stcok SKU123",
            "Unknown command",
            ["There is no command “stcok”.", "Did you mean"],
            ["/stock SKU123", "Help"],
        ),
        ("/stock", "Not quite understood", ["Something is missing", "/stock ＜SKU…＞"], ["/stock SKU123"]),
        ("/lang klingon", "Not quite understood", ["“klingon” was not understood."], ["/lang en"]),
        ("/help nosuch", "Not quite understood", ["There is no command “nosuch” for you."], ["/help stock"]),
        ("/stock " + "x" * 5_000, "Not quite understood", ["too long for one question"], ["/stock SKU123"]),
        ("/order SO-10O1", "Nothing found", ["“SO-10O1”", "Closest matches"], ["/order SO-1001"]),
        ("/stock NOSUCH-1", "Nothing found", ["“NOSUCH-1”", "Please check", "/stock SKU123"], []),
    ],
)
async def test_questions(system: BotSystem, line: str, title: str, says: list[str], buttons: list[str]) -> None:
    view = english(system, await system.ask(line, who=ENGLISH))
    assert view.title == title
    assert [text for text in says if text not in plain_text(view)] == []
    assert set(buttons) <= {button.text for button in view.buttons}


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("msgtype", "raw", "title", "says"),
    [
        ("picture", {}, "Please ask in words", "I cannot open this picture."),
        (
            "richText",
            {"content": {"richText": [{"type": "picture"}]}},
            "Please ask in words",
            "I cannot open this picture.",
        ),
        ("text", {"msgtype": "chatRecord"}, "Please ask in words", "I do not understand this kind of message."),
        ("text", {"msgtype": "audio"}, "Please ask in words", "I could not hear any words"),
        ("text", {"msgtype": "file"}, "Please ask in words", "I cannot open files."),
        ("text", {"msgtype": "video"}, "Please ask in words", "I cannot watch videos."),
        ("text", {"text": None, "errorCode": 20001}, "DingTalk quota used up", "Please tell the administrator"),
    ],
)
async def test_messages(system: BotSystem, msgtype: str, raw: Mapping[str, Any], title: str, says: str) -> None:
    view = english(system, await system.ask("", who=ENGLISH, msgtype=msgtype, content={}, raw=raw))
    assert view.title == title
    assert says in plain_text(view)


async def test_a_button_that_is_out_of_date(system: BotSystem) -> None:
    card = await system.ask("/help", who=ENGLISH)
    assert (await system.engine.click(card.out_track_id, ENGLISH, params={"id": "stock:SKU123"})).ok
    view = english(system, system.see(card, ENGLISH))
    assert (view.title, view.tips) == (card.title, "This button no longer works. Please ask again.")


async def test_a_denial(open_system: OpenSystem) -> None:
    rule = RuleSettings(commands=frozenset({"invoice"}), roles=frozenset({"finance"}))
    async with open_system(access={"rules": (rule,)}) as system:
        view = english(system, await system.ask("/invoice INV-7", who=ENGLISH))
        assert view.title == "Not allowed"
        assert "/invoice is only for: finance. Who can help: finance" in " ".join(plain_text(view).split())


async def test_an_erp_that_is_slow(open_system: OpenSystem) -> None:
    erp = ErpSettings.model_validate({"vendor": "demo", "latency": 30, "timeout": 0.3})
    async with open_system(erp={"demo": erp}, limits={"click_seconds": 0.05}) as system:
        card = await system.ask("/help", who=ENGLISH)
        assert (await system.engine.click(card.out_track_id, ENGLISH, params={"id": "ask|0|/po PO-1001"})).ok
        busy = english(system, system.see(card, ENGLISH))
        assert "One moment: Please tap the button again in a moment." in plain_text(busy)
        down = english(system, await system.ask("/po PO-1001", who=ENGLISH))
        assert down.title == "No answer from the ERP"
        assert [button.text for button in down.buttons] == ["Try again"]
