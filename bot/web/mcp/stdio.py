"""`dingerp mcp`: the same tools over stdin and stdout, for agents on somebody's computer; a client of the API."""

from __future__ import annotations

from functools import partial
from secrets import token_hex

import aiohttp
import orjson
from mcp.server.stdio import stdio_server

from bot.web.api.problems import JSON
from bot.web.api.proposals import PROPOSE
from bot.web.api.questions import QUESTIONS, QuestionBody
from bot.web.api.records import Json
from bot.web.mcp.server import make_server
from bot.web.mcp.tools import AgentAsk

SECONDS = 60.0
_NOT_THERE = "The bot does not answer. Please try again later."


async def serve_stdio(address: str, key: str) -> None:
    """Serve an agent until it closes our stdin; ``address`` is where the bot's API is."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": JSON}
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        server = make_server(partial(_ask, session, address.rstrip("/")))
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())


async def _ask(session: aiohttp.ClientSession, address: str, ask: AgentAsk) -> Json:
    """Return the API's answer or problem; the agent asks again where there is none."""
    route = QUESTIONS if isinstance(ask, QuestionBody) else PROPOSE
    named = dict.fromkeys(route.headers, token_hex())
    try:
        asked = ask.model_dump_json(exclude_none=True)
        async with session.post(f"{address}{route.address}", data=asked, headers=named, allow_redirects=False) as told:
            body = orjson.loads(await told.read())
    except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError):
        return {"detail": _NOT_THERE}
    return body if isinstance(body, dict) and body.keys() & {"text", "state", "detail"} else {"detail": _NOT_THERE}
