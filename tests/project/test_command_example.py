"""The steps of the page about adding a command work, in a copy of this repository and as a separate package."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from .page_project import PageProject, recipe
from .tree import ROOT, files

PAGE = (ROOT / "docs/how-to/add-a-command.md").read_text(encoding="utf-8")
PACKAGE = PAGE.partition("## In a package of your own")[2]
CATALOGUE = "templates/locales/zh_CN/LC_MESSAGES/messages.po"
COMMAND = ("commands/balance.py",)
LOOKING_AT_ALL = (
    "tests/chat/test_only_asks.py",
    "tests/chat/test_registry.py",
    "tests/commands/test_about.py",
    "tests/project/test_reference.py",
)
"""Tests of what is said of every command."""
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


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> PageProject:
    """A copy of the repository in which the page's files are written and its messages translated."""
    folder = tmp_path_factory.mktemp("copy")
    for file in files():
        copied = folder / file.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copied)
    project = PageProject(folder, path=[folder])
    project.write("commands/balance.py", shown("commands/balance.py"))
    project.write("templates/cards/balance.md.j2", shown("templates/cards/balance.md.j2"))
    project.write("templates/cards/balance.sample.json", after("templates/cards/balance.sample.json"))
    project.write("tests/commands/test_balance.py", shown("tests/commands/test_balance.py"))
    project.write("tests/commands/test_one_order.py", after("`open_chat` opens other chats"))
    update = shown_command("bot.cards.catalogue update")
    assert "What a customer has ordered and owes" in project.python(*update, fails=True)
    project.write(CATALOGUE, translated((folder / CATALOGUE).read_text(encoding="utf-8")))
    project.python(*update)
    return project


def test_in_the_repository(copy: PageProject) -> None:
    """The page's tests pass, and so does what else looks at all commands."""
    card = copy.python(*CLI, "card", "render", "balance", "--lang", "en")
    assert "# 华东机械" in card
    assert "12" in card
    for command in recipe("docs"):
        copy.run(*command)
    made = shown_command("pytest tests/commands/test_balance.py")
    assert " passed" in copy.python(*made, "tests/commands/test_one_order.py", *LOOKING_AT_ALL)


@pytest.mark.parametrize("checked", [COMMAND, pytest.param((), marks=pytest.mark.soak)])
def test_lint_is_quiet(copy: PageProject, checked: tuple[str, ...]) -> None:
    """Types are checked in the command alone, and in the soak everywhere."""
    for command in recipe("lint"):
        # Nobody reads what mypy would keep for its next run.
        copy.run(*command, *(("--cache-dir", os.devnull, *checked) if Path(command[0]).name == "mypy" else ()))


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
