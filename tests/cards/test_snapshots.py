"""Every card in every language, as it looks: read the differences before accepting them."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.cards import samples
from bot.cards.budget import Budget, buttons_size
from bot.cards.card import Card
from bot.cards.language import LANGUAGE_CODES, load_languages
from bot.cards.renderer import CARDS, SUFFIX, CardRenderer
from bot.erp.kinds import KINDS
from commands.report import ReportView
from tests.rows import each_row

NAMES = CardRenderer(languages=load_languages()).names()


@each_row("code", LANGUAGE_CODES)
@each_row("name", NAMES)
def test_card(name: str, code: str, renderer: CardRenderer, zone: ZoneInfo, snapshot: SnapshotAssertion) -> None:
    card = renderer.render(samples.load_sample(name), code, zone=zone)
    assert len(card.body.encode()) <= Budget().body_bytes
    assert buttons_size(card.buttons) <= Budget().buttons_bytes
    assert as_text(card) == snapshot(name=f"{name}-{code}")


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_the_second_card_of_a_report(
    code: str, renderer: CardRenderer, zone: ZoneInfo, snapshot: SnapshotAssertion
) -> None:
    view = samples.load_sample("report")
    assert isinstance(view, ReportView)
    assert as_text(renderer.render(replace(view, second=True), code, zone=zone)) == snapshot


def test_every_sample_has_its_card() -> None:
    orphans = [path.name for path in CARDS.glob("*.sample.json") if path.name.split(".")[0] not in NAMES]
    assert orphans == []
    drawn = {name for kind in KINDS for name in (kind.card, kind.list_card)}
    assert [name for name in NAMES if not (CARDS / f"{name}{SUFFIX}").exists() and name not in drawn] == []


def as_text(card: Card) -> str:
    buttons = "\n".join(f"[{button.color}] {button.text} → {button.token or button.url}" for button in card.buttons)
    return f"{card.title}\n----\n{card.body}\n---- tips\n{card.tips}\n---- buttons\n{buttons}\n---- twin\n{card.twin}"
