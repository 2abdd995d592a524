"""An operator's first alert by the guide: two variables, and the shell's own ``curl`` and ``openssl``."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
from pathlib import Path

import orjson
import pytest

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.server import open_simulator as simulator_running
from tests.scenario.alerts.call_recorder import CallRecorder
from tests.scenario.alerts.scenario import WAREHOUSE
from tests.scenario.processes import NO_INDEX, connected, dingerp, environment, used_before

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "send-events.md"
ADDRESS = "http://127.0.0.1:8788"

pytestmark = pytest.mark.process


def the_guides_script() -> str:
    """Return the shell commands of the guide that send one event."""
    scripts = re.findall(r"```sh\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (script,) = [block for block in scripts if "curl" in block]
    assert ADDRESS in script
    return script


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl") and shutil.which("od")),
    reason="curl, openssl or od is missing",
)
async def test_an_event_sent_as_the_guide_says_is_a_card(tmp_path: Path) -> None:
    config = SimulatorConfig()
    secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
    async with simulator_running(config) as simulator:
        recorder = CallRecorder(simulator.engine)
        more = {"DINGERP_ALERTS__DEFAULT_GROUPS": f'["{WAREHOUSE}"]', "DINGERP_HOOKS__MAIN__SECRET": secret}
        env = environment(config, simulator.url, used_before(tmp_path / "data"), **more, **NO_INDEX)
        async with dingerp("run", env=env, folder=tmp_path) as bot:
            port = (await bot.saying("bot.running"))["port"]
            await connected(simulator.engine)
            answer = await send(the_guides_script().replace(ADDRESS, f"http://127.0.0.1:{port}"), secret)
            assert answer == {"accepted": 1, "duplicate": 0, "rejected": []}
            track = await simulator.engine.wait_for(lambda: next(iter(find(recorder, "SKU123")), None), timeout=60)
            card = simulator.engine.cards.get(track)
            assert card is not None
            assert "可用：12" in card.view_for("keeper01").markdown
            assert secret not in bot.err
            assert (await bot.stop()).code == 0


def find(recorder: CallRecorder, subject: str) -> list[str]:
    """Return the track ids of the group's cards whose title names the subject."""
    return [track for track in recorder.copies(WAREHOUSE) if subject in recorder.title(track)]


async def send(script: str, secret: str) -> object:
    """Run the shell commands and return the bot's answer."""
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        script,
        env={"PATH": os.environ["PATH"], "DINGERP_HOOKS__MAIN__SECRET": secret},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return orjson.loads(out)
