"""The generated reference pages agree with the code; ``make docs`` updates them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.alerts.intake.schemas import Custom

from .event_pages import FOLDER, TYPES, schema_files
from .reference import BLOCKS, PAGES, renewed


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: str(page.name))
def test_page_is_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert renewed(text) == text, "run `make docs`"


def test_every_block_has_its_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES.glob("*.md"))

    assert set(re.findall(r"<!-- (\w+): written by make docs -->", pages)) == BLOCKS.keys()


def test_the_schemas_of_events_are_current() -> None:
    files = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}

    assert files == schema_files(), "run `make docs`"


@pytest.mark.parametrize("kind", TYPES)
def test_the_examples_of_events_are_events(kind: str) -> None:
    model = TYPES[kind]

    assert model.model_validate(model.example).model_dump(exclude_unset=True)
    assert model is Custom or model.example.keys() & {"sku", "number"}
