"""What DingTalk pushes about its own approvals: only which one to look at is taken from it (DingTalk sheet, 10)."""

from __future__ import annotations

from dingtalk_stream import EventMessage

from bot.dingtalk.payload import part, text


def changed_instance(event: EventMessage, process: str) -> str:
    """Return the id of the approval that an event is about; empty for other events and other forms."""
    data = part(event.data)
    # In stream mode the type may stand in the header alone (DingTalk sheet, 10).
    kind = text(getattr(event.headers, "event_type", None)) or text(data.get("EventType"))
    if not kind.startswith("bpms_") or text(data.get("processCode")) not in ("", process):
        return ""
    return text(data.get("processInstanceId"))
