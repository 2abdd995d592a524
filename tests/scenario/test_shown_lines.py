"""What the documentation shows to be typed in the chat is understood: the demo answers, and not with how to type it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.chat.errors import BadArgument
from bot.chat.parsing import normalise
from bot.chat.registry import Commands
from tests.project.test_shown_lines import NOT_RUN, PAGES, named
from tests.project.tree import code_blocks, without_blocks
from tests.scenario.conftest import OpenSystem
from tests.scenario.notice_checks import Notice
from tests.scenario.traffic import LONGEST_WAIT, eventually

NO_DAY = "/invoice 2月31号"
NOT_OF_THE_DEMO = {
    "/bind main zhao@example.com": "the demo's source is called demo",
    "/bind main chen@example.com": "the same",
    "/绑定 main 陈立": "the same",
    NO_DAY: "the page shows how a day is refused that does not exist",
    "/invoice overdue @east": "a company with a source called east",
    "/invoice overdue @深圳公司": "a company with a source of that name",
    "/watch SKU123": "the page shows the answer, which asks for the amount",
}
"""Lines that the demo does not take, with the reason."""

_COMPANY = re.compile(r"\s@(?:east|north|深圳公司)$")
"""Sources of the companies that pages tell of."""

_INLINE = re.compile(r"`(/[^`\n]+)`")
_REMARK = re.compile(r"\s{2,}\S.*$|\s#\s.*$")
_PLACEHOLDER = re.compile(r"[\[<{|…＜［]")


def typed_lines(page: Path) -> Iterator[str]:
    """Yield what a page shows to be typed: lines with an argument; a word alone is the name of its command."""
    text = page.read_text(encoding="utf-8")
    blocks = [line for _, block in code_blocks(text) for line in block.splitlines() if line.startswith("/")]
    for line in [*_INLINE.findall(without_blocks(text)), *blocks]:
        line = _REMARK.sub("", line).strip()
        if " " in line and not _PLACEHOLDER.search(line.replace(" < ", " ")):
            yield line


def shown_lines(commands: Commands) -> Mapping[str, str]:
    """Return the lines of all pages, each with a page that shows it."""
    return {
        line: named(page)
        for page in PAGES
        for line in typed_lines(page)
        if commands.parse(normalise(line)).command is not None
    }


def is_refused(line: str, commands: Commands) -> bool:
    parsed = commands.parse(normalise(line))
    assert parsed.command is not None
    try:
        commands[parsed.command].signature.parse(_COMPANY.sub("", parsed.rest), mentions=False)
    except BadArgument:
        return True
    return False


def test_what_is_shown_to_be_typed_has_arguments_of_its_command() -> None:
    commands = Commands.discover()
    shown = shown_lines(commands)
    assert len(shown) > 150
    assert set(NOT_OF_THE_DEMO) <= set(shown)
    assert {line: page for line, page in shown.items() if is_refused(line, commands)}.keys() == {NO_DAY}
    assert NOT_RUN


@pytest.mark.parametrize("one_in", [4, pytest.param(1, marks=pytest.mark.soak)])
async def test_what_is_shown_to_be_typed_is_understood(open_system: OpenSystem, one_in: int) -> None:
    shown = [*shown_lines(Commands.discover()).items()][::one_in]
    async with open_system(read_model={"enabled": True}) as system:
        chat = system.engine.direct("boss01").id
        age = "read_model_age_seconds"
        await eventually(lambda: 0 < system.count(age, source="demo") < 1e9, LONGEST_WAIT, hint=dict)
        wrong = []
        for line, page in shown:
            card = await system.ask(line, "boss01", where=chat)
            if card.title in {Notice.BAD_ARGUMENT, Notice.UNKNOWN_COMMAND} and line not in NOT_OF_THE_DEMO:
                wrong.append(f"{page}: {line}: {card.markdown}")
    assert not wrong, "\n".join(wrong)
