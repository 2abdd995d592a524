"""Any view becomes a card within its budget; a list shows what fits, and paging goes on exactly there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards.actions import Action, Ask, unpack
from bot.cards.budget import Budget, buttons_size
from bot.cards.card import Card
from bot.cards.language import load_languages
from bot.cards.notices import BusyNotice, Suggestion, UnknownCommandNotice
from bot.cards.renderer import CARDS, MAX_TWIN, CardRenderer
from bot.cards.view import Button, Color, ListView, View
from bot.dingtalk.card_wire import CardTemplate, card_params, own_template
from bot.words.errors import ConfigurationError
from bot.words.phrase import phrase
from tests.rows import each_row

ZONE = ZoneInfo("Asia/Shanghai")
BUDGET = Budget()
WIDE = own_template(
    "wide.schema",
    variables={
        "title": "title",
        "tips": "tips",
        "text": "body",
        "text2": "body2",
        "text3": "body3",
        "group": "buttons",
        "group2": "buttons2",
        "group3": "buttons3",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(ListView):
    card: ClassVar[str] = "rows"
    page_size: ClassVar[int] = 12

    rows: tuple[Row, ...]

    def row_buttons(self) -> tuple[Button, ...]:
        return tuple(Button(row.name, Ask(f"/stock {row.name}")) for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(View):
    card: ClassVar[str] = "story"

    title: str = "Story"
    lines: tuple[str, ...] = ()
    links: tuple[Button, ...] = ()

    def buttons(self) -> tuple[Button, ...]:
        return self.links


@pytest.fixture(scope="module")
def row_renderer(tmp_path_factory: pytest.TempPathFactory) -> CardRenderer:
    return renderer_of(tmp_path_factory.mktemp("cards"))


def renderer_of(folder: Path) -> CardRenderer:
    (folder / "rows.md.j2").write_text(
        "{% block title %}Rows{% endblock %}\n{% block body %}\n{% for row in view.rows %}\n{{ row.name | bold }}\n"
        "{{ row.detail | red }}\n\n{% endfor %}\n{% endblock %}\n{% block tips %}{{ shown(view) }}{% endblock %}",
        "utf-8",
    )
    (folder / "story.md.j2").write_text(
        "{% block title %}{{ view.title }}{% endblock %}\n{% block body %}\n{% for line in view.lines %}\n"
        "{{ line | orange }}\n{% endfor %}\n{% endblock %}",
        "utf-8",
    )
    return CardRenderer(languages=load_languages(), template_dirs=(folder, CARDS))


def replace_budget(renderer: CardRenderer, budget: Budget) -> CardRenderer:
    return CardRenderer(languages=load_languages(), budget_of=lambda card: budget, template_dirs=renderer._folders)


def assert_within(card: Card, budget: Budget = BUDGET) -> None:
    assert len(card.body.encode()) <= budget.body_bytes
    assert buttons_size(card.buttons) <= budget.buttons_bytes
    assert len(card.buttons) <= budget.max_buttons
    assert len(card.title.encode()) <= budget.title_bytes
    assert len(card.tips.encode()) <= budget.tips_bytes
    assert len(card.twin.encode()) <= MAX_TWIN + 500
    assert card.body.count("<font") == card.body.count("</font>")
    assert card.body.count("**") % 2 == 0
    assert "\0" not in card.title + card.body + card.tips + card.twin
    assert not re.search(r"</?font", card.twin + card.title + card.tips)


def shown(card: Card) -> int:
    return card.body.count("**") // 2


def rows(count: int, total: int | None = None, *, name: str = "SKU{}", detail: str = "x", offset: int = 0) -> Rows:
    made = tuple(Row(name=name.format(offset + i), detail=detail) for i in range(count))
    return Rows(rows=made, total=count if total is None else total, line="/stock", offset=offset)


def test_a_short_list_is_shown_whole(row_renderer: CardRenderer) -> None:
    card = row_renderer.render(rows(3), "en", zone=ZONE)
    assert shown(card) == 3
    assert [button.text for button in card.buttons] == ["SKU0", "SKU1", "SKU2"]
    assert card.tips == ""


def test_a_list_shows_a_page_at_most(row_renderer: CardRenderer) -> None:
    card = row_renderer.render(rows(30, 60), "en", zone=ZONE)
    assert shown(card) <= Rows.page_size
    assert card.buttons[-1].text == "Next"


@pytest.mark.parametrize("detail", ["x", "长" * 20, "长" * 60, "长" * 99])
def test_pages_neither_overlap_nor_leave_out(row_renderer: CardRenderer, detail: str) -> None:
    everything = rows(23, detail=detail).rows
    seen: list[str] = []
    action: Action | None = Ask("/stock", 0)
    while action:
        _, offset = action.question
        view = Rows(rows=everything[offset:], total=len(everything), line="/stock", offset=offset)
        card = row_renderer.render(view, "en", zone=ZONE)
        assert_within(card)
        seen += re.findall(r"\*\*(.+?)\*\*", card.body)
        action = next((unpack(button.token) for button in card.buttons if button.text == "Next"), None)
    assert seen == [row.name for row in everything]


@each_row(
    ("shown", "offset", "total", "before"),
    [
        (6, 6, 40, 0),
        (6, 18, 40, 12),
        (12, 24, 40, 12),
        # The last page does not tell how many rows those before it have: at least six, if there are so many.
        (2, 8, 10, 0),
        (2, 14, 16, 7),
        (2, 12, 14, 6),
        (2, 24, 26, 18),
        (9, 12, 21, 3),
        (3, 3, 6, 0),
    ],
)
def test_the_page_before_leaves_no_row_out(shown: int, offset: int, total: int, before: int) -> None:
    page = rows(shown, total, offset=offset)
    assert page.page_buttons()[0].does == Ask("/stock", before)


def test_as_many_rows_as_fit_and_no_fewer(row_renderer: CardRenderer) -> None:
    view = rows(8, 8, detail="长" * 50)
    card = row_renderer.render(view, "en", zone=ZONE)
    one_more = row_renderer.render(view.showing(shown(card) + 1), "en", zone=ZONE)
    assert 1 < shown(card) < 8
    assert shown(one_more) == shown(card)


def test_further_variables_of_the_template_hold_further_rows(tmp_path: Path) -> None:
    view, templates = rows(12, 40, name="SO-{}0000", detail="长" * 30), {1: own_template("a"), 3: WIDE}
    cards = {}
    for variables, template in templates.items():
        renderer = replace_budget(renderer_of(tmp_path), template.budget)
        card = cards[variables] = renderer.render(view, "en", zone=ZONE, trail=())
        params = card_params(card, template)
        texts = [params[name] for name, part in template.variables.items() if part.startswith("body")]
        groups = [orjson.loads(params[name]) for name, part in template.variables.items() if part.startswith("buttons")]
        assert "\n\n".join(filter(None, texts)) == card.body
        assert [button["text"] for group in groups for button in group] == [button.text for button in card.buttons]
        assert len(texts) == len(groups) == variables
        if variables > 1:
            assert max(len(value.encode()) for value in params.values()) <= BUDGET.body_bytes
    assert shown(cards[1]) < 8, "a kilobyte of text"
    assert shown(cards[3]) == 12
    assert [button.text for button in cards[3].buttons][11:] == ["SO-110000", "Next"]


def test_one_row_is_always_shown_even_cut(row_renderer: CardRenderer) -> None:
    budget = Budget(body_bytes=100, buttons_bytes=220)
    tight = replace_budget(row_renderer, budget)
    card = tight.render(rows(5, 40, detail="长" * 90, name="很长的名字" * 6 + "{}"), "zh_CN", zone=ZONE)
    assert_within(card, budget)
    assert "很长的名字" in card.body
    assert "其余未显示" in card.body
    assert [button.text for button in card.buttons] == ["下一页"]


@given(
    names=st.lists(st.text(max_size=120), max_size=12),
    detail=st.sampled_from(["", "长" * 300, "👨‍👩‍👧" * 60, "*_|<>`" * 30, "a b " * 80]),
    offset=st.integers(0, 50),
    more=st.integers(0, 50),
    line=st.text(min_size=1, max_size=200),
    language=st.sampled_from(["zh_CN", "en"]),
)
def test_any_list_fits(
    row_renderer: CardRenderer, names: list[str], detail: str, offset: int, more: int, line: str, language: str
) -> None:
    made = tuple(Row(name=name, detail=detail) for name in names)
    view = Rows(rows=made, total=offset + len(made) + more, offset=offset, line=line)
    assert_within(row_renderer.render(view, language, zone=ZONE))


@given(
    title=st.text(max_size=500),
    lines=st.lists(
        st.one_of(st.text(max_size=400), st.sampled_from(["中" * 100, "😀" * 100, "| a | b |"])), max_size=30
    ),
    labels=st.lists(st.text(max_size=60), max_size=15),
    language=st.sampled_from(["zh_CN", "en"]),
)
def test_any_view_fits(
    row_renderer: CardRenderer, title: str, lines: list[str], labels: list[str], language: str
) -> None:
    view = Story(title=title, lines=tuple(lines), links=tuple(Button(label, Ask("/x " + label)) for label in labels))
    assert_within(row_renderer.render(view, language, zone=ZONE))


def test_what_stands_in_place_of_an_act_says_first_that_nothing_was_done(row_renderer: CardRenderer) -> None:
    card = row_renderer.render(Story(lines=("It is not decided here.",), instead=True), "en", zone=ZONE)
    for text in (card.body, card.twin):
        assert text.index("Nothing was done.") < text.index("It is not decided here.")


def test_a_long_body_is_cut_at_a_line_and_says_so(row_renderer: CardRenderer) -> None:
    card = row_renderer.render(Story(lines=tuple(f"line {i} " + "中" * 40 for i in range(20))), "en", zone=ZONE)
    assert card.body.endswith("\n\n… The rest does not fit here.")
    assert card.body.count("line") == card.body.count("</font>") > 3
    assert "line 19" in card.twin


def test_buttons_are_dropped_from_the_end(row_renderer: CardRenderer) -> None:
    links = tuple(Button(f"Open document {i}", Ask(f"/order SO-{i:04}")) for i in range(12))
    card = row_renderer.render(Story(links=links), "en", zone=ZONE)
    assert [button.text for button in card.buttons] == [f"Open document {i}" for i in range(len(card.buttons))]
    assert 3 < len(card.buttons) < 12


def test_buttons_that_cannot_be_sent_are_left_out(row_renderer: CardRenderer) -> None:
    links = (
        Button("too long", Ask("/x " + "y" * 300)),
        Button("http", "http://erp.example/1"),
        Button("script", "javascript:alert(1)"),
        Button("https", "https://erp.example/1", Color.BLUE),
    )
    card = row_renderer.render(Story(links=links), "en", zone=ZONE)
    assert [(button.text, button.url, button.token) for button in card.buttons] == [
        ("https", "https://erp.example/1", "")
    ]


def test_the_twin_writes_buttons_as_commands(row_renderer: CardRenderer) -> None:
    view = BusyNotice(line="/order late", offset=8)
    assert "▸ 重试：/order late +8" in row_renderer.render(view, "zh_CN", zone=ZONE).twin
    links = (Button("/stock SKU_1", Ask("/stock SKU_1")), Button(phrase("Help"), "https://erp.example/1"))
    twin = row_renderer.render(Story(lines=("a", "b"), links=links), "en", zone=ZONE).twin
    assert twin == "#### Story\n\na  \n  b\n\n▸ /stock SKU＿1  \n  ▸ [Help](https://erp.example/1)"


def test_the_twin_does_not_repeat_what_the_body_offers(renderer: CardRenderer) -> None:
    suggestions = (Suggestion("/stock"), Suggestion("/po PO-1", "PO-1 *big*"))
    card = renderer.render(UnknownCommandNotice(typed="/stok", suggestions=suggestions), "en", zone=ZONE)
    assert [button.text for button in card.buttons] == ["/stock", "PO-1 *big*", "Help"]
    assert card.twin.count("/stock") == card.twin.count("/po PO-1") == 1
    assert "- PO-1 ＊big＊: /po PO-1" in card.twin
    assert "▸ Help: /help" in card.twin


def test_equal_views_give_equal_cards(row_renderer: CardRenderer) -> None:
    first, second, third = (
        row_renderer.render(BusyNotice(line=line), "en", zone=ZONE) for line in ("/po", "/po", "/mo")
    )
    assert first == second != third
    assert replace(first, twin="other").twin == "other"
    assert replace(first, title="other").twin == first.twin


def test_what_the_twin_says_can_be_typed() -> None:
    for ask in (Ask("/order late", 8), Ask("/stock SKU123"), Ask("/order a +b", 16)):
        assert Ask.from_typed(ask.typed) == ask


def test_the_size_of_buttons_is_that_of_the_wire(row_renderer: CardRenderer) -> None:
    links = (Button("打开", "https://erp.example/1?a=b&c"), Button("Stock", Ask('/stock 螺丝 "a b"', 8), Color.RED))
    card = row_renderer.render(Story(links=links), "zh_CN", zone=ZONE)
    assert buttons_size(card.buttons) == len(card_params(card, CardTemplate())["sys_full_json_obj"].encode())


def test_fields_are_text(row_renderer: CardRenderer) -> None:
    card = row_renderer.render(UnknownCommandNotice(typed="*x*"), "en", zone=ZONE)
    assert dict(card.fields) == {"typed": "＊x＊", "suggestions": "[]", "example": ""}
    assert len(card.fields) == 3


def test_a_view_without_a_template_is_a_matter_of_configuration(renderer: CardRenderer) -> None:
    with pytest.raises(ConfigurationError, match="rows"):
        renderer.render(rows(1), "en", zone=ZONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Rows):
    """Rows between what decides about them and what leads elsewhere."""

    def buttons(self) -> tuple[Button, ...]:
        decides = Button("Approve", Ask("/approve PO-1001"))
        elsewhere = (Button(f"Elsewhere {i}", Ask(f"/vendor {'x' * 40} {i}")) for i in range(4))
        return (decides, *Rows.buttons(self), *elsewhere)


def test_what_leads_elsewhere_is_dropped_before_rows_and_what_decides_stays(row_renderer: CardRenderer) -> None:
    some = tuple(Row(name=f"SKU{i}{'y' * 30}") for i in range(8))
    view = Decided(rows=some, total=20, line="/po PO-1001")
    shown = [button.text for button in row_renderer.render(view, "en", zone=ZONE).buttons]
    assert shown[0] == "Approve"
    assert "Next" in shown
    picks, elsewhere = ([text for text in shown if text.startswith(word)] for word in ("SKU", "Elsewhere"))
    assert len(elsewhere) < 4 or len(picks) == len(view.rows)
    assert len(shown) < 14


def test_a_long_list_under_another_card_keeps_its_pages_and_the_way_back(row_renderer: CardRenderer) -> None:
    rows = tuple(Row(name=f"{'N' * 40}{number:03}") for number in range(60))
    trail, offset, seen = ("/alerts yIiPD5n-TWI", "/alerts"), 0, 0
    while offset < len(rows):
        page = Rows(rows=rows[offset : offset + Rows.page_size], total=len(rows), offset=offset, line="/find n")
        card = row_renderer.render(page, "en", zone=ZoneInfo("UTC"), trail=trail)
        by_text = {button.text: button.token for button in card.buttons}
        assert unpack(by_text["Back"]) == Ask(trail[0], back=trail[1:])
        shown = sum(button.text.startswith("NN") for button in card.buttons)
        seen += shown
        if "Next" not in by_text:
            break
        following = unpack(by_text["Next"])
        assert following == Ask("/find n", offset + shown, trail), "it begins after the last row with a button"
        offset += shown
    assert seen == len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices(Rows):
    """Several buttons that all want to be the next step."""

    def buttons(self) -> tuple[Button, ...]:
        return tuple(Button(row.name, Ask(f"/stock {row.name}"), Color.BLUE) for row in self.rows)


def test_a_card_has_one_next_step(row_renderer: CardRenderer) -> None:
    view = Choices(rows=(Row(name="A"), Row(name="B"), Row(name="C")), total=3, line="/find x")
    buttons = row_renderer.render(view, "en", zone=ZONE).buttons
    assert [button.color for button in buttons] == ["blue", "gray", "gray"]


TRIES = tuple(Button(phrase(label), Ask(line)) for label, line in (("Late orders", "/order late"), ("Back", "/help")))
BUSY = BusyNotice(line="/stock SKU1")


def test_what_a_newcomer_may_try_are_further_buttons() -> None:
    renderer = CardRenderer(languages=load_languages())
    plain, card = (renderer.render(BUSY, "en", zone=ZONE, tries=tries) for tries in ((), TRIES))
    assert [button.text for button in card.buttons[len(plain.buttons) :]] == ["Late orders", "Back"]
    assert card.tips.startswith("New here? Just ask in your own words, or tap what you would like to try.")
    assert card.body == plain.body
    assert "/order late" in str(card.twin)


def test_without_room_for_all_the_tips_name_them() -> None:
    narrow = replace(BUDGET, max_buttons=1)
    renderer = CardRenderer(languages=load_languages(), budget_of=lambda card: narrow)
    card = renderer.render(BUSY, "en", zone=ZONE, tries=TRIES)
    assert card.buttons == renderer.render(BUSY, "en", zone=ZONE).buttons
    assert card.tips.startswith("New here? Just ask in your own words, or try Late orders (/order late), ")
