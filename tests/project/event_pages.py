"""Event types for ``docs/reference``: a JSON Schema for each, and tables of their fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bot.alerts.intake.schemas import SCHEMAS, Custom, EventData
from bot.words.severity import Severity

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference" / "events"

TYPES: dict[str, type[EventData]] = {**SCHEMAS, "custom.*": Custom}


def schema_files() -> dict[Path, str]:
    """Return the text of each schema by its path."""
    return {FOLDER / f"{kind.removesuffix('.*')}.json": _schema(kind, model) for kind, model in TYPES.items()}


def _schema(kind: str, model: type[EventData]) -> str:
    found = model.model_json_schema()
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
        "description": found.pop("description"),
    }
    found.pop("title")
    whole = head | _without_titles(found) | {"examples": [dict(model.example)]}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without titles that only repeat field names."""
    properties = {
        name: {key: value for key, value in field.items() if key != "title"}
        for name, field in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def sections() -> Iterator[str]:
    """Yield the fields that all types share, then a section for each type."""
    shared = set(EventData.model_fields) - {"title"}
    yield "## Fields of every type\n\n" + _table(EventData, shared | {"title"})
    for kind, model in TYPES.items():
        name = kind.removesuffix(".*")
        summary = (model.__doc__ or "").replace("``", "`")
        severity = "`info`, or `warning` with `resolved`" if model is Custom else f"`{Severity(model.severity)}`"
        own = [field for field in model.model_fields if field not in shared and (model is Custom or field != "title")]
        example = json.dumps(dict(model.example), ensure_ascii=False, indent=2)
        yield "\n\n".join(
            (
                f"## `{kind}`",
                f"{summary} Severity where none is named: {severity}. [JSON Schema](events/{name}.json)",
                *([_table(model, own)] if own else []),
                f"```json\n{example}\n```",
            )
        )


def _table(model: type[EventData], names: Iterable[str]) -> str:
    rows = [
        f"| `{name}` | {_kind(model, name)} | {model.model_fields[name].description} |"
        for name in model.model_fields
        if name in set(names)
    ]
    return "\n".join(("| field | type | meaning |", "| --- | --- | --- |", *rows))


def _kind(model: type[EventData], name: str) -> str:
    field = model.model_json_schema()["properties"][name]
    kinds = {each.get("type") for each in field.get("anyOf", [field])} - {"null"}
    if "number" in kinds:
        shown = "number"
    elif field.get("anyOf", [{}])[0].get("format") == "date":
        shown = "date"
    elif "enum" in field:
        shown = " or ".join(f"`{each}`" for each in field["enum"])
    else:
        words = {"string": "text", "array": "list", "object": "object", "boolean": "true or false"}
        shown = words[kinds.pop()]
    return f"{shown}, required" if model.model_fields[name].is_required() else shown
