"""Card instances: their data, and each viewer's view, rendered by a template.

Docs: platform/dingtalk/cards.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson

from bot.kit.simulator.card_templates import PUBLIC_TEMPLATES, SimTemplate, TemplateField, fill_variables

Params = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimButton:
    """A displayed button. ``request``: a click is sent to the bot."""

    text: str
    color: str = "gray"
    id: str = ""
    url: str = ""
    request: bool = False
    disabled: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    submits: bool = True
    """Whether a click carries the entries in the card's fields."""
    action_id: str = ""
    """The click's id in place of the button's, in `actionIds` only."""

    def render(self) -> dict[str, Any]:
        """Return the button for the control API."""
        return {
            "text": self.text,
            "color": self.color,
            "id": self.id,
            "url": self.url,
            "request": self.request,
            "disabled": self.disabled,
            "params": dict(self.params),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SimCardView:
    """One viewer's view of a card."""

    out_track_id: str
    template_id: str
    version: int
    title: str
    markdown: str
    tips: str
    logo: str
    buttons: tuple[SimButton, ...]
    fields: tuple[TemplateField, ...]
    private_to_viewer: bool

    def button(self, wanted: str) -> SimButton | None:
        """Return the button with this id, or else with this text."""
        return next((b for b in self.buttons if b.id == wanted), None) or next(
            (b for b in self.buttons if b.text == wanted), None
        )

    def render(self) -> dict[str, Any]:
        """Return the view for the control API."""
        return {
            "outTrackId": self.out_track_id,
            "templateId": self.template_id,
            "version": self.version,
            "title": self.title,
            "markdown": self.markdown,
            "tips": self.tips,
            "logo": self.logo,
            "buttons": [button.render() for button in self.buttons],
            "fields": [field.render() for field in self.fields],
            "privateToViewer": self.private_to_viewer,
        }


@dataclass(slots=True, kw_only=True)
class CardReadings:
    """Interpretations of the platform where its pages leave it open (docs:
    platform/dingtalk/unknowns.md#answers-and-private-values).
    """

    answers_public: bool = True
    """Whether the public data in the answer to a click is stored, so that everybody sees it at their next look;
    otherwise only the clicker sees it, until the next update.
    """
    private_values: bool = False
    """Whether private values are delivered on templates with unknown private variables."""


@dataclass(slots=True, kw_only=True)
class CardInstance:
    """The data shared by all copies of one card. Maps are replaced, never changed in place."""

    out_track_id: str
    readings: CardReadings
    template: SimTemplate
    callback_type: str
    user_id_type: int
    data: Params
    private: dict[str, Params] = field(default_factory=dict)
    answers: dict[str, Params] = field(default_factory=dict)
    """Public data visible only to the clicker, if answers are not public: the answer of a click, until the next update
    (docs: platform/dingtalk/callbacks.md#answers).
    """
    spaces: dict[str, Any] = field(default_factory=dict)
    """Open-space models by field name."""
    version: int = 1
    finalized: bool = False
    guids: set[str] = field(default_factory=set)

    def variables_for(self, viewer: str) -> Params:
        """Return all variables as seen by ``viewer`` (a userId; empty: nobody in particular)."""
        public = self.answers.get(viewer, self.data)
        return {**public, **self._private_of(viewer)}

    def _private_of(self, viewer: str) -> Params:
        """Return the delivered private values of a viewer."""
        given, declared = self.private.get(viewer, {}), self.template.private
        if declared is None:
            return given if self.readings.private_values else {}
        return {name: value for name, value in given.items() if name in declared}

    def view_for(self, viewer: str) -> SimCardView:
        """Return the card as ``viewer`` sees it."""
        values, template = self.variables_for(viewer), self.template
        buttons = [
            *_message_buttons(values),
            *chain.from_iterable(_button_group(values.get(name, "")) for name in template.button_groups),
            *_fixed_buttons(template, values),
        ]
        return SimCardView(
            out_track_id=self.out_track_id,
            template_id=template.id,
            version=self.version,
            title=values.get(template.title, ""),
            markdown="\n\n".join(text for name in template.markdown if (text := values.get(name))),
            tips=values.get(template.tips, ""),
            logo=values.get("logo", ""),
            buttons=tuple(buttons),
            fields=template.fields(values),
            private_to_viewer=viewer in self.answers or bool(self._private_of(viewer)),
        )

    def update(self, data: Params | None, private: Mapping[str, Params], options: Mapping[str, Any]) -> None:
        """Change the card for everybody. Without the ``…ByKey`` options a map is replaced as a whole.

        Docs: platform/dingtalk/cards.md#updates
        """
        if data is not None:
            self.data = {**self.data, **data} if options.get("updateCardDataByKey") is True else dict(data)
            self.answers.clear()
        for user_id, params in private.items():
            self._set_private(user_id, params, options)
        self.version += 1

    def answer(self, clicker: str, data: Params | None, private: Params | None, options: Mapping[str, Any]) -> None:
        """Change the card by the answer to a click: for all, or only for the clicker, depending on the
        interpretation.
        """
        if data is not None:
            seen = self.answers.get(clicker, self.data)
            shown = {**seen, **data} if options.get("updateCardDataByKey") is True else dict(data)
            if self.readings.answers_public:
                self.data = shown
            else:
                self.answers[clicker] = shown
        if private is not None:
            self._set_private(clicker, private, options)
        self.version += 1

    def render(self) -> dict[str, Any]:
        """Return all stored data, for tests."""
        return {
            "outTrackId": self.out_track_id,
            "templateId": self.template.id,
            "callbackType": self.callback_type,
            "userIdType": self.user_id_type,
            "version": self.version,
            "cardData": self.data,
            "privateData": self.private,
            "answers": self.answers,
            "spaces": self.spaces,
        }

    def _set_private(self, user_id: str, params: Params, options: Mapping[str, Any]) -> None:
        by_key = options.get("updatePrivateDataByKey") is True
        self.private[user_id] = {**self.private.get(user_id, {}), **params} if by_key else dict(params)


class CardStore:
    """Instances by `outTrackId`, and the templates. Beyond ``keep``, the oldest instances are dropped."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._cards: dict[str, CardInstance] = {}
        self.templates: dict[str, SimTemplate] = {}
        self.on_forget: Callable[[CardInstance], None] | None = None
        self.clear()

    def get(self, out_track_id: object) -> CardInstance | None:
        """Return the instance, if any."""
        return self._cards.get(out_track_id) if isinstance(out_track_id, str) else None

    def add(self, card: CardInstance) -> None:
        """Store a new instance."""
        self._cards[card.out_track_id] = card
        if len(self._cards) > self._keep:
            oldest = self._cards.pop(next(iter(self._cards)))
            if self.on_forget is not None:
                self.on_forget(oldest)

    def register(self, template: SimTemplate) -> None:
        """Add or change a company's own template, for example its publication state."""
        self.templates[template.id] = template

    def clear(self) -> None:
        """Remove all cards, and all but the public templates."""
        self._cards.clear()
        self.templates = {template.id: template for template in PUBLIC_TEMPLATES}

    def __len__(self) -> int:
        return len(self._cards)

    def __iter__(self) -> Iterator[CardInstance]:
        return iter(self._cards.values())


def answer_params(holder: Any) -> dict[str, str] | None:
    """Return the `cardParamMap` of an answer. Raises `ValueError` unless it maps strings to strings."""
    if holder is None:
        return None
    params = holder.get("cardParamMap") if isinstance(holder, dict) else None
    if not isinstance(params, dict) or not all(isinstance(value, str) for value in params.values()):
        raise ValueError("cardParamMap must map strings to strings")
    return params


def _message_buttons(values: Mapping[str, str]) -> Iterator[SimButton]:
    """Return the buttons of `sys_full_json_obj`: form A has `params.id`, form B `id`; both may occur.

    Docs: platform/dingtalk/templates.md#buttons
    """
    for entry in _entries(_mapping(_decoded(values.get("sys_full_json_obj", ""))).get("msgButtons")):
        params = _mapping(entry.get("params"))
        yield SimButton(
            text=str(entry.get("text", "")),
            color=str(entry.get("color", "gray")),
            id=str(entry.get("id") or params.get("id") or ""),
            url=str(entry.get("url") or ""),
            request=entry.get("request") is True,
            params=params,
        )


def _button_group(text: str) -> Iterator[SimButton]:
    """Return the buttons of a `buttonGroup` variable (docs: platform/dingtalk/templates.md#button-groups)."""
    for entry in _entries(_decoded(text)):
        event = _mapping(entry.get("event"))
        inner = _mapping(event.get("params"))
        yield SimButton(
            text=str(entry.get("text", "")),
            color=str(entry.get("color", "gray")),
            id=str(inner.get("actionId") or ""),
            url=str(inner.get("url") or "") if event.get("type") == "openLink" else "",
            request=event.get("type") == "sendCardRequest",
            disabled=entry.get("status") == "disabled",
            params=_mapping(inner.get("params")),
        )


def _fixed_buttons(template: SimTemplate, values: Mapping[str, str]) -> Iterator[SimButton]:
    """Return the template's own buttons; a click carries the builder's id of their node.

    Docs: platform/dingtalk/callbacks.md#clicks
    """
    if template.buttons_in_form and not template.shows_fields(values):
        return
    for number, button in enumerate(template.buttons, 1):
        if text := fill_variables(button.text, values):
            yield SimButton(
                text=text,
                color=button.color,
                id=f"single_button_node_{number}",
                request=True,
                params={name: fill_variables(value, values) for name, value in button.params.items()},
                submits=button.submits,
                action_id=fill_variables(button.action_id, values),
            )


def _entries(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _decoded(text: str) -> Any:
    """Return the decoded JSON text, or None if it is invalid; then no buttons are shown."""
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None
