"""A view's form in one language, and what it shows when it was submitted."""

from __future__ import annotations

from bot.cards.card import Card, CardForm, CardFormField, FormReply, FormState
from bot.cards.escape import clean
from bot.cards.form import FormField, InputForm
from bot.cards.layout import cut_bytes, strip_markup
from bot.cards.presenter import Presenter

MAX_TITLE, MAX_LABEL, MAX_TEXT = 60, 40, 600
"""Characters of a form's title and of a field's label, and bytes of its text."""


def render_form(form: InputForm | None, presenter: Presenter) -> CardForm | None:
    """Return the form as it can be sent; None where there is none, or its action fits no button."""
    if form is None:
        return None
    try:
        token = form.does.pack()
    except ValueError:
        return None
    return CardForm(
        language=presenter.language.code,
        title=clean(presenter.show(form.title), MAX_TITLE),
        text=cut_bytes(presenter.show(form.text), MAX_TEXT),
        fields=tuple(_render_field(field, presenter) for field in form.fields),
        token=token,
    )


def _render_field(field: FormField, presenter: Presenter) -> CardFormField:
    return CardFormField(
        name=field.name,
        label=clean(presenter.show(field.label), MAX_LABEL),
        kind=field.kind,
        placeholder=clean(presenter.show(field.placeholder), MAX_LABEL) if field.placeholder else "",
    )


def reply_with(card: Card, state: FormState, label: str) -> FormReply:
    """Return what a form shows instead: a card's title, and its text without any markup, for it has none.

    One that is still to be filled in says what is wrong, which a card says first.
    """
    lines = [clean(strip_markup(line), MAX_TEXT) for line in card.body.replace("<br>", "\n").split("\n")]
    text = _joined([*filter(None, lines)][: 1 if state is FormState.OPEN else None])
    return FormReply(state=state, label=label, title=clean(card.title, MAX_TITLE), text=text)


def _joined(lines: list[str]) -> str:
    """Return as many first lines as fit."""
    text = ""
    for line in lines:
        longer = f"{text}\n{line}" if text else line
        if len(longer.encode()) > MAX_TEXT:
            break
        text = longer
    return text
