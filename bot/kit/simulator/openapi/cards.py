"""Interactive cards: create, deliver, update, stream (docs: platform/dingtalk/cards.md)."""

from __future__ import annotations

from typing import Any

from bot.kit.simulator.cards import CardInstance
from bot.kit.simulator.chat import SimConversation
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.openapi.card_validation import (
    SPACE_MODELS,
    OpenSpace,
    check_callback_type,
    check_options,
    check_out_track_id,
    check_params,
    check_private,
    check_spaces,
    check_template,
    check_user_id_type,
    deliver_model,
    open_space_models,
)
from bot.kit.simulator.openapi.dispatch import Json, SimApiCall, SimApiError, SimApiRoute

_WRITE = "Card.Instance.Write"
_STREAM = "Card.Streaming.Write"
_MAX_STREAMED_BYTES = 3_072
"""The total limit; DingTalk recommends it and does not say where it refuses. A call should carry a third of it."""


def create_and_deliver(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/card/instances/createAndDeliver`."""
    spaces = check_spaces(call.body)
    models = [deliver_model(call.body, space) for space in spaces]
    card, new = _create(engine, call.body, spaces)
    if new:
        results = [_deliver(engine, card, space, model) for space, model in zip(spaces, models, strict=True)]
    else:
        results = [_existing(engine, card, space) for space in spaces]
    return {"success": True, "result": {"outTrackId": card.out_track_id, "deliverResults": results}}


def create(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/card/instances`."""
    card, _ = _create(engine, call.body, ())
    return {"success": True, "result": card.out_track_id}


def deliver(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/card/instances/deliver`: the result is a list here, not an object.

    Docs: platform/dingtalk/cards.md#separate-calls
    """
    card = _find(engine, call.body)
    spaces = check_spaces(call.body)
    models = [deliver_model(call.body, space) for space in spaces]
    _check_space_models(card, spaces)
    return {
        "success": True,
        "result": [_deliver(engine, card, space, model) for space, model in zip(spaces, models, strict=True)],
    }


def add_spaces(engine: SimEngine, call: SimApiCall) -> Json:
    """`PUT /v1.0/card/instances/spaces`."""
    card = _find(engine, call.body)
    models = open_space_models(call.body)
    if not models:
        raise SimApiError("param.openSpaceModelInvalid")
    card.spaces = {**card.spaces, **models}
    return {"success": True, "result": True}


def update(engine: SimEngine, call: SimApiCall) -> Json:
    """`PUT /v1.0/card/instances`."""
    card = _find(engine, call.body)
    data = call.body.get("cardData")
    if data is None and call.body.get("privateData") is None:
        raise SimApiError("param.cardDataAndPrivateDataBothEmpty")
    public = check_params(engine, data, "cardData") if data is not None else None
    private = check_private(engine, call.body, card.template, check_user_id_type(call.body))
    card.update(public, private, check_options(call.body))
    engine.chat.notify_changed(engine.chat.copies(card))
    return {"success": True, "result": True}


def stream(engine: SimEngine, call: SimApiCall) -> Json:
    """`PUT /v1.0/card/streaming`."""
    guid = call.text("guid", SimApiError("param.stream.guidEmpty"))
    if not call.body.get("outTrackId"):
        raise SimApiError("param.stream.outTrackId")
    key = call.text("key", SimApiError("param.stream.keyEmpty"))
    content, full = call.body.get("content"), call.body.get("isFull")
    if not isinstance(content, str):
        raise SimApiError("param.stream.contentEmpty")
    if not isinstance(full, bool):
        raise SimApiError("param.stream.isFull")
    if len(content.encode()) > _MAX_STREAMED_BYTES:
        raise SimApiError("param.stream.content", "content is too large")
    card = engine.cards.get(call.body["outTrackId"])
    if card is None:
        raise SimApiError("param.stream.outTrackId")
    if guid in card.guids:
        return {"success": True, "result": True}
    if key in card.template.streaming and not full:
        raise SimApiError("param.stream.isFull")
    # A wrong key, one without markdown, a template without streaming: all the same error
    # (docs: platform/dingtalk/cards.md#streaming).
    if key not in card.template.streaming or card.finalized:
        raise SimApiError("unknownError", "未知错误", status=500)
    card.guids.add(guid)
    card.finalized = call.body.get("isFinalize") is True
    status = "5" if call.body.get("isError") is True else "3" if card.finalized else "2"
    card.update({key: content, "flowStatus": status}, {}, {"updateCardDataByKey": True})
    engine.chat.notify_changed(engine.chat.copies(card))
    return {"success": True, "result": True}


def close_top(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/card/tops/close?outTrackId=…&openConversationId=…`."""
    card = _find(engine, dict(call.query))
    wanted = call.query.get("openConversationId")
    closed = [copy for copy in engine.chat.copies(card) if copy.top and copy.conversation.id == wanted]
    for copy in closed:
        copy.recalled = True
    engine.chat.notify_changed(closed)
    return {"success": True, "result": bool(closed)}


def register_callback(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/card/callbacks/register`: accepted, although clicks only travel by stream here."""
    for key in ("callbackUrl", "callbackRouteKey"):
        call.text(key, SimApiError("param.empty", key))
    return {
        "success": True,
        "result": {"apiSecret": call.body.get("apiSecret", ""), "callbackUrl": call.body["callbackUrl"]},
    }


def send_standard_card(engine: SimEngine, call: SimApiCall) -> Json:
    """`POST /v1.0/im/v1.0/robot/interactiveCards/send`: new apps no longer get its permission.

    Docs: platform/dingtalk/cards.md#ordinary-cards
    """
    raise SimApiError(
        "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        "应用尚未开通所需的权限：[Card.Send]",
        status=403,
        detail={"requiredScopes": ["Card.Send"]},
    )


def _create(engine: SimEngine, body: Json, spaces: tuple[OpenSpace, ...]) -> tuple[CardInstance, bool]:
    """Return the instance and whether it is new. An existing `outTrackId` never creates a second card.

    Docs: platform/dingtalk/cards.md#idempotency
    """
    out_track_id = check_out_track_id(body)
    template = check_template(engine, body)
    user_id_type = check_user_id_type(body)
    if body.get("cardData") is None and body.get("privateData") is None:
        raise SimApiError("param.cardDataAndPrivateDataBothEmpty")
    card = CardInstance(
        out_track_id=out_track_id,
        readings=engine.readings,
        template=template,
        callback_type=check_callback_type(body),
        user_id_type=user_id_type,
        data=dict(check_params(engine, body.get("cardData"), "cardData")),
        private=check_private(engine, body, template, user_id_type),
        spaces=open_space_models(body),
    )
    _check_space_models(card, spaces)
    existing = engine.cards.get(out_track_id)
    if existing is not None:
        engine.timeline.note("card", "outTrackId used again: no second card", {"outTrackId": out_track_id})
        if engine.faults.trigger("card_exists_error"):
            raise SimApiError("param.cardAlreadyExist")
        return existing, False
    engine.cards.add(card)
    return card, True


def _find(engine: SimEngine, body: Json) -> CardInstance:
    card = engine.cards.get(check_out_track_id(body))
    if card is None:
        raise SimApiError("param.cardNotExist")
    return card


def _check_space_models(card: CardInstance, spaces: tuple[OpenSpace, ...]) -> None:
    """Check that a card has the open-space model of every target space (docs: platform/dingtalk/cards.md#spaces)."""
    if any(space.type in SPACE_MODELS and SPACE_MODELS[space.type] not in card.spaces for space in spaces):
        raise SimApiError("param.openSpaceModelInvalid")


def _deliver(engine: SimEngine, card: CardInstance, space: OpenSpace, model: Json) -> Json:
    """Show the card at one place. Failures are part of the answer, under HTTP 200.

    Docs: platform/dingtalk/cards.md#deliveries
    """
    conversation, problem = _target(engine, card, space, model)
    if conversation is None or engine.faults.trigger("deliver_failed"):
        return _result(space, problem=problem or "deliver failed")
    carrier_id = f"pqk{engine.rng.getrandbits(120):030x}"
    recipients = model.get("recipients")
    engine.chat.add_card(
        conversation,
        card,
        carrier_id=carrier_id,
        recipients=frozenset(map(str, recipients)) if recipients else None,
        top=space.type == "ONE_BOX",
        at_user_ids=tuple(model.get("atUserIds") or ()) if space.type == "IM_GROUP" else (),
        summary=_summary(card, space),
        follows=_follows(model),
    )
    return _result(space, carrier_id=carrier_id)


def _summary(card: CardInstance, space: OpenSpace) -> str:
    texts = card.spaces.get(SPACE_MODELS.get(space.type, ""), {}).get("lastMessageI18n") or {}
    return str(texts.get("ZH_CN") or next(iter(texts.values()), ""))


def _follows(model: Json) -> bool:
    """Return whether the list of conversations follows the card (docs: platform/dingtalk/cards.md#previews)."""
    extension = model.get("extension")
    return isinstance(extension, dict) and extension.get("dynamicSummary") == "true"


def _target(engine: SimEngine, card: CardInstance, space: OpenSpace, model: Json) -> tuple[SimConversation | None, str]:
    """Return the conversation of a space, or the reason why there is none."""
    robot_code: Any = model.get("robotCode")
    if robot_code not in (None, "", engine.config.client_id):
        return None, "invalid robotCode"
    if space.type == "IM_ROBOT":
        enterprise = engine.enterprise
        person = enterprise.by_union_id(space.id) if card.user_id_type == 2 else enterprise.staff(space.id)
        conversation = engine.chat.direct_chat(person.user_id) if person is not None else None
        return conversation, "" if conversation is not None else "user not exist"
    if space.type not in ("IM_GROUP", "ONE_BOX"):
        return None, f"space {space.type} is not available to this app"
    if space.type == "IM_GROUP" and not robot_code:
        return None, "robotCode is required"
    conversation = engine.chat.conversations.get(space.id)
    if conversation is None or conversation.kind != "group":
        return None, "invalid openConversationId"
    return (conversation, "") if conversation.bot_member else (None, "robot is not in the group")


def _existing(engine: SimEngine, card: CardInstance, space: OpenSpace) -> Json:
    """Return the answer for an existing card: success only at places that already show it."""
    for copy in engine.chat.copies(card):
        place = copy.conversation
        if place.id == space.id or (place.kind == "direct" and place.members[0] == space.id):
            return _result(space, carrier_id=copy.carrier_id)
    return _result(space, problem="card already exists, not delivered again")


def _result(space: OpenSpace, *, carrier_id: str = "", problem: str = "") -> Json:
    return {
        "spaceType": space.type,
        "spaceId": space.id,
        "success": not problem,
        "carrierId": carrier_id,
        "errorMsg": problem,
    }


def _card_route(method: str, path: str, serve: Any, scope: str = _WRITE) -> SimApiRoute:
    return SimApiRoute(method=method, path=f"/v1.0/card/{path}", serve=serve, scope=scope)


ROUTES = (
    _card_route("POST", "instances/createAndDeliver", create_and_deliver),
    _card_route("POST", "instances", create),
    _card_route("POST", "instances/deliver", deliver),
    _card_route("PUT", "instances/spaces", add_spaces),
    _card_route("PUT", "instances", update),
    _card_route("PUT", "streaming", stream, _STREAM),
    _card_route("POST", "tops/close", close_top),
    _card_route("POST", "callbacks/register", register_callback),
    SimApiRoute(method="POST", path="/v1.0/im/v1.0/robot/interactiveCards/send", serve=send_standard_card),
)
