"""The wheel: its content, and that it answers without the repository. The test needs no package index."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import aiohttp
import pytest

from tests.project.tree import ROOT, files
from tests.scenario.processes import program

pytestmark = pytest.mark.process

SHIPPED = ("bot", "commands", "templates")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
GROUP, KEEPER = "cidKp3Lr+9x/WhSales0001Aa==", "keeper01"


def call(*command: str | Path) -> None:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call("-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    return set(ZipFile(wheel).namelist())


@dataclass(frozen=True, slots=True)
class Installed:
    """The folder of the installed wheel, and the environment of a user who has nothing else."""

    folder: Path

    @property
    def program(self) -> str:
        return str(self.folder / "bin" / "dingerp")

    def env(self, home: Path) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(self.folder)}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("site")
    call("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", folder, wheel)
    return Installed(folder)


def test_it_is_named_after_project_and_version(wheel: Path) -> None:
    assert wheel.name == f"dingerp-{VERSION}-py3-none-any.whl"


def test_it_holds_every_file_that_the_bot_needs_and_no_other(contents: set[str]) -> None:
    ours = {str(path.relative_to(ROOT)) for path in files() if path.relative_to(ROOT).parts[0] in SHIPPED}
    wanted = {name for name in ours if "fakes" not in Path(name).parts}
    brought = {name for name in contents if not Path(name).parts[0].endswith(".dist-info")}

    assert brought == wanted


@pytest.mark.parametrize(
    "pattern",
    [
        "bot/py.typed",
        "bot/store/migrations/versions/*.py",
        "bot/kit/simulator/page/*.html",
        "bot/kit/simulator/page/*.js",
        "bot/kit/simulator/page/*.css",
        "templates/cards/*.md.j2",
        "templates/locales/zh_CN/LC_MESSAGES/messages.po",
        "*.dist-info/licenses/LICENSE",
        "*.dist-info/licenses/NOTICE",
    ],
)
def test_what_is_no_code_is_in_it(contents: set[str], pattern: str) -> None:
    assert any(Path(name).match(pattern) for name in contents)


def test_nothing_of_the_tests_is_in_it(contents: set[str]) -> None:
    parts = {part.removesuffix(".py") for name in contents for part in Path(name).parts}

    assert not parts & {"tests", "fakes", "conftest"}


async def test_it_says_its_version(installed: Installed, tmp_path: Path) -> None:
    async with program(installed.program, "--version", env=installed.env(tmp_path), folder=tmp_path) as started:
        ended = await started.ended()

    assert (ended.code, ended.out, ended.err) == (0, f"dingerp {VERSION}\n", "")


async def test_its_demo_answers(installed: Installed, tmp_path: Path) -> None:
    arguments = ("demo", "--no-browser", "--still", "--port", "0")
    async with program(installed.program, *arguments, env=installed.env(tmp_path), folder=tmp_path) as demo:
        await demo.writing(2)
        async with aiohttp.ClientSession(demo.out.split()[0]) as client:
            question = {"conversationId": GROUP, "senderId": KEEPER, "text": "/stock SKU123"}
            async with client.post("sim/messages", json=question) as taken:
                assert taken.ok
            card = await answer(client)
            async with client.get("") as page:
                assert "<!doctype html>" in await page.text()
        ended = await demo.stop()

    assert "SKU123" in card["title"]
    assert "可用" in card["markdown"], "the keeper reads Chinese"
    assert (ended.code, "Traceback" in ended.err) == (0, False)
    assert (tmp_path / "data").is_dir(), "it keeps its data where it was started"


async def answer(client: aiohttp.ClientSession) -> dict[str, Any]:
    """Return the first card in the group, as the keeper sees it."""
    while True:
        async with client.get("sim/messages", params={"conversation": GROUP, "viewer": KEEPER}) as listed:
            items = (await listed.json())["items"]
        for item in items:
            if item["kind"] == "card":
                card: dict[str, Any] = item["card"]
                return card
        await asyncio.sleep(0.05)
