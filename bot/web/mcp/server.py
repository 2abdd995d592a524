"""The official SDK's server with our tools. It is imported only when an agent comes, for it is slow to load."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from bot.mechanisms.version import installed_version
from bot.web.api.problems import ApiProblem
from bot.web.api.records import Json
from bot.web.mcp.told import ABOUT, is_refused, tell
from bot.web.mcp.tools import TOOLS, AgentAsk, Tool
from bot.words.wrong_values import explain_wrong_value

Ask = Callable[[AgentAsk], Awaitable[Json]]
"""Returns the API's answer to what a tool asks, or its problem."""

_GENTLE = {"destructive_hint": False, "idempotent_hint": True, "open_world_hint": False}
# It tells of each request; ours are counted.
logging.getLogger("mcp").setLevel(logging.WARNING)


def make_server(ask: Ask) -> Server[Any]:
    """Return a server that asks in one program's name."""

    async def list_tools(
        _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS])

    async def call_tool(
        _context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = next((tool for tool in TOOLS if tool.name == params.name), None)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, "There is no such tool.")
        try:
            asked = tool.ask(tool.takes.model_validate(params.arguments or {}, strict=True))
        except ValidationError as error:
            return _result("\n".join(map(_told, error.errors(include_url=False, include_input=False))), refused=True)
        except ApiProblem as problem:
            said = [f"{wrong.parameter}: {wrong.detail}" for wrong in problem.errors]
            return _result("\n".join([str(problem.detail), *said]), refused=True)
        body = await ask(asked)
        return _result(tell(body), refused=is_refused(body))

    return Server(
        "dingerp",
        version=installed_version(),
        instructions=ABOUT,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.about,
        input_schema=tool.takes.model_json_schema(),
        annotations=types.ToolAnnotations(read_only_hint=tool.only_reads, **_GENTLE),
    )


def _told(problem: Any) -> str:
    return f"{'.'.join(map(str, problem['loc']))}: {explain_wrong_value(problem)}"


def _result(text: str, *, refused: bool) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=refused)
