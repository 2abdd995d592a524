from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import commands
from bot.cards.language import Language, load_languages
from bot.cards.presenter import Presenter
from bot.cards.renderer import CardRenderer

TODAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""The day of the samples: dates of its year are shown without it."""

for module in pkgutil.iter_modules(commands.__path__):
    importlib.import_module(f"commands.{module.name}")


@pytest.fixture(scope="session")
def languages() -> Mapping[str, Language]:
    return load_languages()


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    return ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="session")
def renderer(languages: Mapping[str, Language]) -> CardRenderer:
    return CardRenderer(languages=languages, now=lambda: TODAY)


@pytest.fixture(scope="session")
def chinese(languages: Mapping[str, Language], zone: ZoneInfo) -> Presenter:
    return Presenter(languages["zh_CN"], zone)


@pytest.fixture(scope="session")
def english(languages: Mapping[str, Language], zone: ZoneInfo) -> Presenter:
    return Presenter(languages["en"], zone)
