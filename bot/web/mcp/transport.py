"""The SDK's Streamable HTTP, called once for each request."""

from __future__ import annotations

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from bot.web.mcp.exchange import Exchange
from bot.web.mcp.server import Ask, make_server


async def serve(ask: Ask, exchange: Exchange, most_bytes: int) -> None:
    """Answer one request; whoever sends it asks by ``ask``."""
    manager = StreamableHTTPSessionManager(
        make_server(ask), json_response=True, stateless=True, max_request_body_size=most_bytes
    )
    async with manager.run():
        await manager.handle_request(exchange.scope, exchange.receive, exchange.send)
