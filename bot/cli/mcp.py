"""The tools of agents over stdio."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from bot.words.errors import ConfigurationError


def mcp(
    url: Annotated[str, typer.Option("--url", envvar="BOT_URL", help="Where the bot's API is, without /api.")],
) -> None:
    """Serve an agent over stdin and stdout (MCP), as a client of a running bot's API; the key is in BOT_KEY."""
    import os

    key = os.environ.get("BOT_KEY", "")
    if not key:
        raise ConfigurationError("BOT_KEY is not set: `dingerp api key add` makes a key")
    try:
        from bot.web.mcp.stdio import serve_stdio
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types"}:
            raise
        raise ConfigurationError("the package mcp is missing: pip install 'dingerp[mcp]'") from None
    asyncio.run(serve_stdio(url, key))
