"""A bot that runs has not loaded what only some of its work needs: all at once, for it takes a second to start one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_STARTS_AND_LOOKS_UP = """
import asyncio, json, sys
import bot.app, bot.bootstrap.services, bot.cli, bot.kit.company.adapter
from bot.erp.index.pinyin import look_up
assert asyncio.run(look_up("螺"))["螺"] == ("luo",)
print(json.dumps([*sys.modules]))
"""


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """The modules of a bot that keeps an index and speaks with DingTalk."""
    run = [sys.executable, "-c", _STARTS_AND_LOOKS_UP]
    started = subprocess.run(run, check=True, capture_output=True, text=True, timeout=240)
    return frozenset(json.loads(started.stdout))


def test_it_speaks_with_dingtalk_without_what_only_handlers_of_the_sdk_call_with(loaded: frozenset[str]) -> None:
    assert "dingtalk_stream" in loaded
    assert "requests" not in loaded


def test_a_bot_that_gets_no_pictures_does_not_load_what_reads_them(loaded: frozenset[str]) -> None:
    assert {"PIL", "zxingcpp"} & loaded == set()


def test_a_bot_that_no_agent_asks_does_not_load_what_speaks_with_them(loaded: frozenset[str]) -> None:
    assert "bot.web.mcp.endpoint" in loaded
    assert {"mcp", "mcp_types", "starlette"} & loaded == set()


def test_the_dictionary_of_pinyin_is_in_a_process_of_its_own(loaded: frozenset[str]) -> None:
    assert "bot.kit.company.adapter" in loaded
    assert "pypinyin" not in loaded


_RUNS_WITHOUT_THE_KIT = """
import sys
sys.modules["bot.kit"] = None  # as if its folder had been removed
import bot.app, bot.bootstrap.services, bot.cli
from bot.erp.vendors import find_vendor, known_vendors
for name in known_vendors():
    if name != "demo":
        find_vendor(name)
print("ready")
"""


def test_a_bot_runs_without_what_develops_and_proves_it() -> None:
    run = [sys.executable, "-c", _RUNS_WITHOUT_THE_KIT]
    assert subprocess.run(run, check=True, capture_output=True, text=True, timeout=240).stdout == "ready\n"
