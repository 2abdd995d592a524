"""A real Prometheus watches a bot at work: each query of the dashboard finds something, and no alert is raised."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.free_ports import free_port
from tests.project.test_monitoring import dashboard_queries
from tests.project.tree import ROOT
from tests.scenario.alerts.scenario import AlertScenario, open_timeline_in
from tests.scenario.conftest import KEEPER
from tests.web.page_client import page_client

_NEEDED = pytest.mark.skipif(not shutil.which("prometheus"), reason="not installed here: prometheus")


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = url, session

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series of an expression now; none while it does not answer yet."""
        try:
            async with self._session.post(f"{self._url}/api/v1/query", data={"query": expression}) as response:
                if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    return []
                answer = await response.json()
        except aiohttp.ClientConnectionError:
            return []
        assert answer.get("status") == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    async def until(self, expression: str) -> None:
        """Wait until an expression finds something."""
        async with asyncio.timeout(120):
            while not await self.query(expression):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)


@asynccontextmanager
async def watching(port: int, folder: Path) -> AsyncIterator[Prometheus]:
    """Let Prometheus scrape a bot each second, with the project's settings and rules."""
    settings = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    settings["rule_files"] = [str(ROOT / "deploy/prometheus" / name) for name in settings["rule_files"]]
    settings["scrape_configs"] = settings["scrape_configs"][:1]
    settings["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    address = f"127.0.0.1:{free_port()}"
    options = {"config.file": folder / "prometheus.yml", "storage.tsdb.path": folder / "series"}
    command = [f"--{name}={value}" for name, value in {**options, "web.listen-address": address}.items()]
    process = await asyncio.create_subprocess_exec(
        "prometheus", *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with aiohttp.ClientSession() as session:
            yield Prometheus(f"http://{address}", session)
    finally:
        process.terminate()
        await process.wait()


async def work(scenario: AlertScenario) -> None:
    """Let the bot answer, alert and be clicked, as on any day."""
    system = scenario.system
    card = await system.ask("/orders")
    await system.click(card, next(button.text for button in card.buttons if "下一页" in button.text))
    await scenario.post(scenario.low("SKU123", "3"))
    await scenario.at("2h")
    async with page_client(system.app.settings.http.public_url) as browser:
        await browser.log_in(KEEPER)


def with_values(query: str) -> str:
    """Return a query of the dashboard with the values that Grafana fills in."""
    return re.sub(r"\$__rate_interval", "1m", query).replace("$company", ".*").replace("$instance", ".*")


@_NEEDED
@pytest.mark.process
async def test_a_bot_at_work_is_seen_and_wakes_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_timeline_in(
        tmp_path, index={"enabled": True}, read_model={"enabled": True}, poll={"enabled": True}
    ) as scenario:
        await work(scenario)
        async with watching(scenario.system.app.port, tmp_path) as prometheus:
            await prometheus.until("count_over_time(dingerp_stream_connected[1m]) > 2")
            queries = [with_values(query) for query in dashboard_queries()]
            empty = [query for query in queries if not await prometheus.query(query)]
            assert empty == []
            assert await prometheus.query('ALERTS{alertstate="firing"}') == []
