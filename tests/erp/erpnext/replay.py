"""Exchanges recorded from a real ERPNext 15, and a server that replays them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.erp.erpnext.client import Account, ErpNextClient
from bot.erp.erpnext.mapping import Site

FILE = Path(__file__).parent / "recorded" / "erpnext15.json"
EXCHANGES = {exchange["title"]: exchange for exchange in json.loads(FILE.read_text(encoding="utf-8"))["exchanges"]}

ZONE = ZoneInfo("Asia/Shanghai")
BOT = Account("botkey000000001", "botsecret000001")


@dataclass
class RecordedSite:
    """A server that returns the recorded answer to a recorded request."""

    exchange: dict[str, Any]
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        recorded, response = self.exchange["request"], self.exchange["response"]
        assert (request.method, request.raw_path.partition("?")[0]) == (recorded["method"], recorded["path"])
        if recorded["json"] is not None:
            assert await request.json() == recorded["json"]
        return web.json_response(response["json"], status=response["status"])

    @property
    def site(self) -> Site:
        return Site(ZONE, source="main", url=self.url)


Asked = Callable[[str], tuple[ErpNextClient, Site]]
