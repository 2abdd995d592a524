"""Trying what sentences are taken for."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from bot.cli.options import ConfigOption, read_settings

_REVIEW = "review"
"""In place of a sentence: as one it asks for nothing."""


def understand(
    sentence: Annotated[
        str,
        typer.Argument(help="What somebody may type, such as 上海仓还有多少螺丝; or `review`."),
    ],
    config: ConfigOption = None,
    as_: Annotated[str, typer.Option("--as", help="userId of the asker: only commands open to them.")] = "",
    model: Annotated[bool, typer.Option("--model", help="Ask the language model of the settings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print the command line that a sentence is taken for; exit code 1 if it is none.

    Of `review`, print the sentences that many asked and the bot did not understand, the most frequent first.
    """
    from bot.admin.understanding import describe, review
    from bot.admin.understanding import understand as read_sentence

    settings = read_settings(config)
    if sentence == _REVIEW:
        print("\n".join(asyncio.run(review(settings, in_json=as_json))))
        return
    reading = asyncio.run(read_sentence(settings, sentence, user_id=as_, with_model=model))
    if reading is None:
        print(json.dumps({"line": "", "by": "", "alternatives": [], "understood": []}) if as_json else "not understood")
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(describe(reading), ensure_ascii=False))
        return
    print(reading.line)
    for line in reading.alternatives:
        print(f"  or {line}")
    if reading.change:
        print(f"  to have it done: {reading.change}")
    for kind, words in (("not found", reading.unknown), ("not taken into account", reading.unheld)):
        if words:
            print(f"  {kind}: {', '.join(words)}")
    for part in reading.understood:
        print(f"  {part.kind}: {part.text}" + (f" = {part.value}" if part.value != part.text else ""))
