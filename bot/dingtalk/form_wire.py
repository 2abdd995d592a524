"""Turns forms into the variables of the public form template (docs: platform/dingtalk/templates.md#forms)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import orjson

from bot.cards.card import CardForm, CardFormField, CardReply, FormReply, FormState
from bot.cards.form import FormFieldKind
from bot.dingtalk.card_wire import CardTemplate, click_response

PUBLIC_FORM = "c2a6355b-9724-4f7e-9653-d33fcb3311bb.schema"
"""The public template with a form, which DingTalk does not document."""

_PENDING = "pending"
"""The state in which the template shows its fields."""
_STATES = MappingProxyType(
    # The template has a colour for each state it knows, and a neutral one for all others: whether an ERP
    # has accepted anything is not the form's to say.
    {
        FormState.OPEN: _PENDING,
        FormState.ANSWERED: "answered",
        FormState.CANCELLED: "cancelled",
        FormState.EXPIRED: "expired",
    }
)
_TYPES = MappingProxyType(
    {FormFieldKind.WORDS: "TEXT_AREA", FormFieldKind.QUANTITY: "TEXT", FormFieldKind.DATE: "DATE"}
)


def form_params(form: CardForm, label: str) -> dict[str, str]:
    """Return the template's variables for a pending form; ``label`` is shown beside its title."""
    fields = [_field(field) for field in form.fields]
    return {
        "question_id": form.token,
        "question_title": form.title,
        "question_desc": form.text,
        "form_btn_text": label,
        "card_status": _PENDING,
        "form": orjson.dumps({"fields": fields}).decode(),
    }


def form_response(reply: FormReply) -> dict[str, Any]:
    """Return the ``response`` of a callback's ACK that shows the outcome to the submitter of a form.

    Without the options the form's fields would become empty (docs: platform/dingtalk/cards.md#updates).
    """
    params = {"form_btn_text": reply.label}
    if reply.state is not None:
        params |= {
            "question_title": reply.title,
            "question_desc": reply.text,
            "card_status": _STATES[reply.state],
        }
    return {
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        "cardData": {"cardParamMap": params},
    }


def shown_response(reply: CardReply | FormReply, template: CardTemplate, made_as: str = "") -> dict[str, Any]:
    """Return the ``response`` of a callback's ACK for any kind of click; see `click_response`."""
    if isinstance(reply, FormReply):
        return form_response(reply)
    return click_response(reply, template, made_as)


def _field(field: CardFormField) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "type": _TYPES[field.kind],
        "required": True,
        "placeholder": field.placeholder,
    }
