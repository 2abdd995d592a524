"""Every command line that the documentation shows is one: its command, its options and its values exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bot.chat.parsing import normalise
from bot.chat.registry import Commands
from bot.cli import cli
from tests.scenario.processes import used_before

from .tree import ROOT, links, markdown_files, without_blocks

NOT_RUN = {
    "CHANGELOG.md": "what was true of a release stays as it was written",
    "docs/how-to/add-a-command.md": "/balance is the command that the page makes",
    "docs/how-to/connect-dolibarr.md": "shows another company's documents",
    "docs/zh-CN/how-to/connect-dolibarr.md": "shows another company's documents",
}
"""Pages whose typed lines are not those of the ready bot, with the reason."""

_SHELL = re.compile(r"^(?:\s*```(?:sh|bash|console)\n)(.*?)^\s*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:/\S+/)?dingerp [^`\n]+)`")
_TYPED = re.compile(r"`(/[^`\n]+)`")
_UsageError: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")
_OFFLINE = ("dingerp understand", "dingerp card render")
_NEEDS_MORE = ("--model", "understand review")
"""What needs a model, or a database in which something happened."""
_NO_VALUE = re.compile(r"^[A-Z][A-Z0-9_…:]*$")

RUN = {
    *("access check", "access explain", "access outsiders", "audit export", "audit search", "audit verify"),
    *("card list", "card render", "data export", "data new-key", "db backup", "db check", "deliveries search"),
    *("deliveries show", "erp rejected", "events search", "events show", "policy check", "policy explain"),
    *("policy replay", "replay", "routes check", "routes test", "understand"),
}
"""Commands that need no network, and change nothing but files that they name."""

FOUND_ELSEWHERE = {
    "erp rejected company": "a source of the page's settings",
    "events show main/out-SKU77-1": "an event of the page's company",
    "deliveries show 5f0c9ab2e1d34477": "a card of the page's company",
}
"""Lines that cannot find what they name in an empty bot, with the reason."""

SHOWN_FILES = {
    "dingerp.toml": '[erp.main]\nvendor = "demo"\n',
    "new-alerts.toml": "[default]\nto = []\n",
    "new-approvals.toml": '[[rules]]\nname = "all"\nlevels = [{any = ["role:approver"]}]\n',
    "event.json": '{"specversion": "1.0", "id": "1", "source": "/erp", "type": "custom.x", "data": {"title": "x"}}',
}
"""Files of the operator's that lines name."""


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def shell_lines(text: str) -> Iterator[str]:
    """Yield the lines of shell blocks, continued ones as one, without prompts and what they answer."""
    for block in _SHELL.findall(text):
        prompted = any(line.lstrip().startswith("$ ") for line in block.splitlines())
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            line = line.strip()
            if not prompted or line.startswith("$ "):
                yield line.removeprefix("$ ")


def command_lines(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    for line in shell_lines(text):
        for part in re.split(r"\s(?:&&|\|\||\|)\s|;\s", line):
            if found := re.search(r"(?:^|\s|/)dingerp\s+(\S.*)$", part):
                before = part[: found.start()].strip()
                if not re.search(r"\b(?:run --rm|pip|git|useradd|mkdir|systemctl)\b", before) or "run --rm" in before:
                    yield found[1]
    for found in _INLINE.findall(without_blocks(text)):
        yield found.partition("dingerp ")[2]


def words_of(line: str) -> list[str]:
    """Return the arguments of a shown line, without comments and redirections."""
    line = re.sub(r"\$\([^)]*\)", "value", line).replace("…", "x")
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, "#"
    words = list(lexer)
    ends = [number for number, word in enumerate(words) if word in (">", "<", ">>", "2>", "&")]
    return words[: ends[0]] if ends else words


@cache
def command_line() -> Any:
    """Return the commands, which Typer builds in 50 ms."""
    return typer.main.get_command(cli)


def complaint(words: list[str], *, is_named: bool = True) -> str:
    """Return what the command line says against these words, without running anything; ``is_named``: they may only name
    a command and its options.
    """
    command: Any = command_line()
    while hasattr(command, "commands"):
        if not words or words[0] in ("--help", "--version"):
            return ""
        name, *words = words
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    if is_named and _is_schematic(words):  # names a command and its options alone
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        return " ".join(word for word in words if word.startswith("--") and word.partition("=")[0] not in known)
    try:
        command.make_context(command.name, list(words))
    except _UsageError as error:
        return str(error.format_message())  # type: ignore[attr-defined]  # typer has its own copy of click
    except typer.Exit:
        return ""
    return ""


def _is_schematic(words: list[str]) -> bool:
    return not words or any(_NO_VALUE.match(word) or word == "x" or "|" in word for word in words)


PAGES = [page for page in markdown_files() if named(page) not in NOT_RUN and "/changes/" not in str(page)]


def test_every_shown_command_line_is_one() -> None:
    wrong = []
    shown = 0
    for page in PAGES:
        for line in command_lines(page):
            words = words_of(line)
            shown += 1
            said = complaint(words)
            if said and not said.startswith("Missing argument"):
                wrong.append(f"{named(page)}: dingerp {line}: {said}")
    assert wrong == []
    assert shown > 100


def sessions(page: Path) -> Iterator[tuple[list[str], str]]:
    """Yield what is asked of the command line in a block with a prompt, and the answer that the page shows."""
    for block in _SHELL.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\s*\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, answer = part.partition("\n")
            if line.startswith(_OFFLINE) and not any(part in line for part in _NEEDS_MORE):
                yield words_of(line.removeprefix("dingerp ")), answer.strip()


def test_what_needs_nothing_else_answers_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    shown = [(named(page), *session) for page in PAGES for session in sessions(page)]
    wrong = []
    for page, words, answer in shown:
        result = CliRunner().invoke(cli, words)
        said = {re.sub(r"\s+", " ", line.strip()) for line in result.output.splitlines()}
        expected = {re.sub(r"\s+", " ", line.strip()) for line in answer.splitlines() if "…" not in line}
        if result.exit_code not in (0, 1) or not expected <= said:
            wrong.append(f"{page}: {words}: {result.output} {result.exception!r}")
    assert wrong == []
    assert shown


def _is_run(words: list[str]) -> bool:
    """Whether a line runs as it stands."""
    name = " ".join(words[:2]) if " ".join(words[:2]) in RUN else words[0]
    arguments = words[len(name.split()) :]
    schematic = bool(arguments) and _is_schematic(arguments)
    return name in RUN and "--model" not in words and not schematic and not complaint(words, is_named=False)


def _in_scratch(word: str, scratch: Path) -> str:
    """Return a word, and instead of a file elsewhere on the machine one in the ``scratch`` folder."""
    scratch.mkdir(exist_ok=True)
    return str(scratch / Path(word).name) if re.fullmatch(r"(/[\w.-]+){2,}", word) else word


def test_what_needs_no_network_works_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DINGERP_ERP__MAIN__VENDOR", "demo")
    monkeypatch.setenv("DINGERP_INDEX__ENABLED", "false")
    monkeypatch.setenv("DINGERP_ACCESS__ROLES", '{"approver": ["boss01"]}')
    used_before(tmp_path / "data")
    for name, content in SHOWN_FILES.items():
        (tmp_path / name).write_text(content)
    wrong, ran = [], set()
    for page in PAGES:
        for line in command_lines(page):
            words = words_of(line)
            if not _is_run(words) or line in FOUND_ELSEWHERE or " ".join(words) in ran:
                continue
            ran.add(" ".join(words))
            result = CliRunner().invoke(cli, [_in_scratch(word, tmp_path / str(len(ran))) for word in words])
            if result.exit_code:
                wrong.append(f"{named(page)}: dingerp {line}: {result.output} {result.exception!r}")
    assert not wrong, "\n".join(wrong)
    assert len(ran) > 30


def test_every_shown_command_of_the_chat_is_one() -> None:
    commands = Commands.discover()
    wrong = []
    for page in PAGES:
        for typed in _TYPED.findall(without_blocks(page.read_text(encoding="utf-8"))):
            word = typed.removeprefix("/").split()[0] if typed.strip("/ ") else ""
            if re.fullmatch(r"[\w]+", word) and " " in typed and commands.parse(normalise(typed)).command is None:
                wrong.append(f"{named(page)}: {typed}")
    assert wrong == []


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs/README.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index) if "://" not in link}
    kinds = ("tutorial", "how-to", "reference", "explanation")
    pages = {page for page in markdown_files() if page.parent.parent == index.parent and page.parent.name in kinds}
    assert sorted(named(page) for page in pages - linked) == []


@pytest.mark.parametrize("page", sorted(NOT_RUN))
def test_what_is_not_run_exists(page: str) -> None:
    assert (ROOT / page).is_file()
    assert NOT_RUN[page]
