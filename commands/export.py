"""/export: a list or a report as a file for Excel."""

from __future__ import annotations

from bot.cards.view import View
from bot.chat.arguments import InnerLine
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument
from bot.chat.exports import Exports
from bot.chat.registry import Commands, command
from bot.words.phrase import phrase


@command(
    "export",
    aliases=("导出", "dc", "下载"),
    examples=("/export invoice overdue", "/导出 订单 延期", "/export report month"),
    changes=False,
    summary=phrase("A list or report as an Excel file, sent to your own chat"),
    place=59,
)
async def export(
    line: InnerLine | None = None, *, exports: Exports, commands: Commands, context: QuestionContext
) -> View:
    """Send the list as a file. The line is read as it was typed: what belongs to it is known to its own command."""
    wanted = commands.line_of(commands.parse(context.line).rest)
    if not line or wanted == "/":
        raise BadArgument(phrase("Say which list, such as: %(line)s", line="/export invoice overdue"))
    return await exports.export(wanted, context)
