"""A view's fields as text: what a company's own DingTalk template may show in its variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Any

import orjson

from bot.cards.presenter import Presenter
from bot.cards.view import View
from bot.erp.model import Money
from bot.words.phrase import Phrase


class ViewFields(Mapping[str, str]):
    """Names to texts, made when first needed: most cards never need them.

    Nested records give dotted names (``product.sku``), lists give JSON text. All values are strings, as DingTalk wants
    them (docs: platform/dingtalk/cards.md#values), and escaped like the text of a card.
    """

    def __init__(self, view: View, presenter: Presenter) -> None:
        self._view = view
        self._presenter = presenter

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {
            name: value if isinstance(value, str) else orjson.dumps(value).decode()
            for name, value in _flat(self._view, self._presenter).items()
            if name not in _FOR_THE_RENDERER
        }

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


_FOR_THE_RENDERER = frozenset(field.name for field in fields(View))


def _flat(record: object, presenter: Presenter) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for field in fields(record):  # type: ignore[arg-type]  # only called with dataclasses
        value = getattr(record, field.name)
        if _is_record(value):
            flat.update({f"{field.name}.{name}": text for name, text in _flat(value, presenter).items()})
        else:
            flat[field.name] = _text(value, presenter)
    return flat


def _text(value: object, presenter: Presenter) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _text(item, presenter) for key, item in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [_text(item, presenter) for item in value]
    return _flat(value, presenter) if _is_record(value) else str(presenter.present(value))


def _is_record(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, (type, Money, Phrase))
