"""The rules of the card calls. Every violation raises the platform's `param.*` error.

Docs: platform/dingtalk/cards.md#errors
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.kit.simulator.card_templates import SimTemplate
from bot.kit.simulator.engine import SimEngine
from bot.kit.simulator.openapi.dispatch import Json, SimApiError

Params = dict[str, str]

OPEN_SPACE_PREFIX = "dtv1.card//"
MAX_KEY_BYTES = 100
ADVISED_VALUE_BYTES = 1024
_MAX_DESCRIPTION = 200

SPACE_MODELS = {
    "IM_GROUP": "imGroupOpenSpaceModel",
    "IM_ROBOT": "imRobotOpenSpaceModel",
    "IM_SINGLE": "imSingleOpenSpaceModel",
    "ONE_BOX": "topOpenSpaceModel",
}
DELIVER_MODELS = {
    "IM_GROUP": "imGroupOpenDeliverModel",
    "IM_ROBOT": "imRobotOpenDeliverModel",
    "IM_SINGLE": "imSingleOpenDeliverModel",
    "ONE_BOX": "topOpenDeliverModel",
}
_WITHOUT_MODELS = frozenset({"CO_FEED", "DOC"})


@dataclass(frozen=True, slots=True)
class OpenSpace:
    """One place in an `openSpaceId`."""

    type: str
    id: str


def check_out_track_id(body: Json) -> str:
    """Return the card's identity."""
    value = body.get("outTrackId")
    if not isinstance(value, str) or not value:
        raise SimApiError("param.outTrackIdEmpty")
    return value


def check_template(engine: SimEngine, body: Json) -> SimTemplate:
    """Return an existing, published template."""
    wanted = body.get("cardTemplateId")
    if not isinstance(wanted, str) or not wanted:
        raise SimApiError("param.cardTemplateIdEmpty")
    template = engine.cards.templates.get(wanted)
    if template is None:
        raise SimApiError("param.templateNotExist")
    if not template.published or engine.faults.trigger("template_unpublished"):
        raise SimApiError("param.templateUnpublished")
    return template


def check_callback_type(body: Json) -> str:
    """Check for `STREAM`, `HTTP` (which needs a route key) or none."""
    value = body.get("callbackType", "")
    if value not in ("", None, "STREAM", "HTTP"):
        raise SimApiError("param.invalid", "callbackType")
    if value == "HTTP" and not body.get("callbackRouteKey"):
        raise SimApiError("param.invalid", "callbackRouteKey")
    return value or ""


def check_user_id_type(body: Json) -> int:
    """Return 1 for userId, 2 for unionId."""
    value = body.get("userIdType", 1)
    if value not in (1, 2) or isinstance(value, bool):
        raise SimApiError("param.invalid", "userIdType")
    return int(value)


def check_params(engine: SimEngine, holder: Any, where: str) -> Params:
    """Return a `cardParamMap`: strings to strings. Large values are accepted, but noted.

    Docs: platform/dingtalk/cards.md#values
    """
    params = holder.get("cardParamMap") if isinstance(holder, dict) else None
    if not isinstance(params, dict):
        raise SimApiError("param.cardPublicDataEmpty" if where == "cardData" else "param.invalid", where)
    for key, value in params.items():
        if not isinstance(value, str):
            raise SimApiError("MissingStringValue", f"{where}.cardParamMap.{key} must be a string")
        if len(key) > MAX_KEY_BYTES or len(key.encode()) > MAX_KEY_BYTES:
            raise SimApiError("param.invalid", f"key {key[:20]}… is longer than {MAX_KEY_BYTES} bytes")
        if len(value) * 3 > ADVISED_VALUE_BYTES and (size := len(value.encode())) > ADVISED_VALUE_BYTES:
            engine.timeline.note("card", f"value of {key} has {size} bytes, {ADVISED_VALUE_BYTES} are documented")
    return params


def check_private(engine: SimEngine, body: Json, template: SimTemplate, user_id_type: int) -> dict[str, Params]:
    """Return `privateData` by userId. Variables that the template does not declare private are ignored, and noted."""
    given = body.get("privateData")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise SimApiError("param.invalid", "privateData")
    private = {}
    for key, holder in given.items():
        person = engine.enterprise.by_union_id(key) if user_id_type == 2 else engine.enterprise.staff(key)
        if person is None:
            raise SimApiError("param.userIdNotExist")
        params = check_params(engine, holder, "privateData")
        allowed = template.private
        if allowed is not None and not params.keys() <= allowed:
            engine.timeline.note("card", "privateData holds variables that the template does not declare private")
            params = {name: value for name, value in params.items() if name in allowed}
        private[person.user_id] = params
    return private


def check_options(body: Json) -> Mapping[str, Any]:
    """Return `cardUpdateOptions`: two booleans, both false by default."""
    options = body.get("cardUpdateOptions")
    if options is None:
        return {}
    if not isinstance(options, dict) or not all(isinstance(value, bool) for value in options.values()):
        raise SimApiError("param.invalid", "cardUpdateOptions")
    return options


def check_spaces(body: Json) -> tuple[OpenSpace, ...]:
    """Return the places in `openSpaceId`."""
    value = body.get("openSpaceId")
    if not isinstance(value, str) or not value:
        raise SimApiError("param.openSpaceIdEmpty")
    if not value.startswith(OPEN_SPACE_PREFIX):
        raise SimApiError("param.openSpaceIdInvalid")
    spaces = []
    for part in value.removeprefix(OPEN_SPACE_PREFIX).split(";"):
        type_, dot, id_ = part.partition(".")
        space_type = type_.upper()
        if not dot or not id_ or (space_type not in SPACE_MODELS and space_type not in _WITHOUT_MODELS):
            raise SimApiError("param.openSpaceIdInvalid")
        spaces.append(OpenSpace(space_type, id_))
    return tuple(spaces)


def open_space_models(body: Json) -> Json:
    """Return the open-space models of a call, checked as far as they are documented."""
    models: Json = {}
    for name in SPACE_MODELS.values():
        model = body.get(name)
        if model is None:
            continue
        if not isinstance(model, dict):
            raise SimApiError("param.openSpaceModelInvalid")
        search = model.get("searchSupport")
        description = search.get("searchDesc", "") if isinstance(search, dict) else ""
        summary = model.get("lastMessageI18n")
        if len(str(description)) > _MAX_DESCRIPTION or (summary is not None and not isinstance(summary, dict)):
            raise SimApiError("param.openSpaceModelInvalid")
        models[name] = model
    return models


def deliver_model(body: Json, space: OpenSpace) -> Json:
    """Return the deliver model of a space."""
    model = body.get(DELIVER_MODELS.get(space.type, ""))
    if model is None:
        if space.type in _WITHOUT_MODELS:
            return {}
        raise SimApiError("param.spaceDeliverModelEmpty")
    if not isinstance(model, dict):
        raise SimApiError("param.openDeliverModelError")
    if space.type == "ONE_BOX" and not isinstance(model.get("expiredTimeMillis"), int):
        raise SimApiError("param.openDeliverModelError", "expiredTimeMillis")
    recipients = model.get("recipients")
    at = model.get("atUserIds")
    if not (recipients is None or isinstance(recipients, list)) or not (at is None or isinstance(at, dict)):
        raise SimApiError("param.openDeliverModelError")
    return model
