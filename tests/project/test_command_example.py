"""The steps of the page about adding a command work, in a copy of this repository and as a separate package."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .page_project import PageProject
from .tree import ROOT

PAGE = (ROOT / "docs/how-to/add-a-command.md").read_text(encoding="utf-8")
PACKAGE = PAGE.partition("## In a package of your own")[2]
CLI = ("-c", "from bot.cli import main; main()")


def shown(path: str, text: str = PAGE) -> str:
    """Return the file that the page shows below its path."""
    code: str
    (code,) = re.findall(rf"`{re.escape(path)}`[^`]*?:\n\n```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return code


def after(words: str) -> str:
    """Return the block of code that follows these words."""
    found = re.search(r"^```\w+\n(.*?)^```", PAGE[PAGE.index(words) :], re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def shown_command(ending: str) -> list[str]:
    """Return the arguments of the Python command that the page shows."""
    line: str
    (line,) = re.findall(rf"^(?:\.venv/bin/)?python (-m (?:.* )?{re.escape(ending)})", PAGE, re.MULTILINE)
    return line.split()


def translated(catalogue: str) -> str:
    return re.sub(
        r'(msgid "What a customer has ordered and owes"\n)msgstr ""', r'\1msgstr "客户的订单和欠款"', catalogue
    )


@pytest.fixture
def copy(tmp_path: Path) -> PageProject:
    """A copy of the parts of the repository that the page changes."""
    for folder in ("bot", "commands", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder, copy_function=shutil.copy2)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return PageProject(tmp_path, path=[tmp_path])


def test_in_the_repository(copy: PageProject) -> None:
    copy.write("commands/balance.py", shown("commands/balance.py"))
    copy.write("templates/cards/balance.md.j2", shown("templates/cards/balance.md.j2"))
    copy.write("templates/cards/balance.sample.json", after("templates/cards/balance.sample.json"))
    copy.write("tests/commands/test_balance.py", shown("tests/commands/test_balance.py"))
    copy.write("tests/commands/test_one_order.py", after("`open_chat` opens other chats"))

    both = [*shown_command("pytest tests/commands/test_balance.py"), "tests/commands/test_one_order.py"]
    assert "2 passed" in copy.python(*both)
    update = shown_command("bot.cards.catalogue update")
    assert "What a customer has ordered and owes" in copy.python(*update, fails=True)
    catalogue = "templates/locales/zh_CN/LC_MESSAGES/messages.po"
    copy.write(catalogue, translated((copy.folder / catalogue).read_text(encoding="utf-8")))
    copy.python(*update)
    card = copy.python(*CLI, "card", "render", "balance", "--lang", "en")
    assert "# 华东机械" in card
    assert "12" in card


def test_as_a_package(tmp_path: Path) -> None:
    package = PageProject(tmp_path / "acme", path=[tmp_path / "installed", ROOT])
    package.write("pyproject.toml", shown("pyproject.toml", PACKAGE))
    package.write("acme_dingerp/__init__.py", "")
    package.write("acme_dingerp/balance.py", shown("commands/balance.py"))
    package.write("cards/balance.md.j2", shown("templates/cards/balance.md.j2"))
    package.write("tests/test_balance.py", shown("tests/commands/test_balance.py"))
    package.write("tests/conftest.py", shown("tests/conftest.py", PACKAGE))

    package.write("cards/balance.sample.json", after("templates/cards/balance.sample.json"))
    package.write("dingerp.toml", after("tell the bot where the package's templates"))

    package.install(tmp_path / "installed")
    assert "# 华东机械" in package.python(*CLI, "card", "render", "balance")
    assert "1 passed" in package.python(*shown_command("pytest\n"))
    assert "balance" in package.python("-c", "from bot.api.commands import Commands; print(*Commands.discover())")
