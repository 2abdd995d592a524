"""Reads card callbacks as typed clicks, and approval ids from events.

Docs: platform/dingtalk/callbacks.md#clicks, platform/dingtalk/approvals.md#events
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from bot.cards.card import Click
from bot.dingtalk.card_wire import clicked_card
from bot.dingtalk.errors import BadPayload
from bot.dingtalk.payload import items, part, text, whole_object
from bot.dingtalk.sdk import EventMessage

_TOKEN_KEYS = ("action", "id", "actionId")
"""Parameters that contain a button's token, most trusted first."""


def parse_click(data: object) -> Click:
    """Return the click in a callback's ``data``, decoded or not.

    Raises only `BadPayload`, if it names no card or no person. A click without a recognisable token has an empty one.
    """
    raw = whole_object(data, "card callback")
    track_id, user_id = text(raw.get("outTrackId")), text(raw.get("userId"))
    if not track_id or not user_id:
        raise BadPayload("card callback without card or person")
    answers = list(_answers(raw))
    params: dict[str, Any] = {}
    for answer in answers:
        params = {**part(answer.get("params")), **params}
    values = _values(params)
    return Click(
        track_id=track_id,
        user_id=user_id,
        corp_id=text(raw.get("corpId")),
        token=_token(answers, params),
        space_id=text(raw.get("spaceId")),
        space_type=text(raw.get("spaceType")),
        made_as=clicked_card(values),
        values=MappingProxyType(values),
    )


def _answers(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that may hold ``params`` and ``actionIds``, the usual one first."""
    for holder in (part(raw.get("content")), part(raw.get("value")), raw):
        # Some templates put actionData around or beside cardPrivateData.
        for carrier in (holder, part(holder.get("actionData"))):
            if private := part(carrier.get("cardPrivateData")):
                yield private
        yield part(holder.get("actionData"))
        yield holder


def _token(answers: list[Mapping[str, Any]], params: Mapping[str, Any]) -> str:
    for key in _TOKEN_KEYS:
        if token := text(params.get(key)):
            return token
    for answer in answers:
        for identity in items(answer.get("actionIds")):
            if token := text(identity):
                return token
    for answer in answers:
        if token := text(answer.get("actionId")):
            return token
    return ""


def _values(params: Mapping[str, Any]) -> dict[str, object]:
    """Return parameters and form fields without the tokens; a form arrives as one object.

    Docs: platform/dingtalk/callbacks.md#form-values
    """
    values = {text(key): value for key, value in params.items() if key not in (*_TOKEN_KEYS, "form")}
    return {**values, **{text(key): value for key, value in part(params.get("form")).items()}}


def changed_instance(event: EventMessage, process: str) -> str:
    """Return the id of the approval in an event; empty for other events and other forms."""
    data = part(event.data)
    # In stream mode the type may be in the header alone (docs: platform/dingtalk/approvals.md#events).
    kind = text(getattr(event.headers, "event_type", None)) or text(data.get("EventType"))
    if not kind.startswith("bpms_") or text(data.get("processCode")) not in ("", process):
        return ""
    return text(data.get("processInstanceId"))
