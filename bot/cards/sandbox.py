"""The environment for templates that a customer edits: it reads views and nothing else, and stays small.

Jinja2's sandbox stops attributes, not memory, so every way to make a long text is bounded here. Time is not: a template
is written by the company's administrator, not in a chat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sized
from decimal import Decimal
from typing import Any

from jinja2 import BaseLoader
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.cards.environment import CardEnvironment
from bot.cards.escape import Markdown
from bot.cards.presenter import Presenter
from bot.words.disclosure import HIDDEN

MAX_OUTPUT = 65_536
"""Characters of anything that such a template puts together: a block, a macro, a sum of texts."""

_TEXT_METHODS = frozenset({"startswith", "endswith", "isascii", "lower", "upper", "strip", "split"})
_WIDE_PLACEHOLDER = re.compile(r"%(?!%|\(\w+\)[ds])")


def bounded(parts: Iterable[str]) -> str:
    """Join texts as long as they stay within `MAX_OUTPUT`; raises `SecurityError`."""
    text: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        _check_size(size)
        text.append(part)
    return "".join(text)


class SandboxedCardEnvironment(ImmutableSandboxedEnvironment, CardEnvironment):
    """No attributes with an underscore, no changes of objects, nothing long."""

    concat = staticmethod(bounded)
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, loader: BaseLoader, presenter: Presenter) -> None:
        super().__init__(loader, presenter)
        del self.globals["range"]
        gettext = _narrow(presenter.gettext)
        self.globals.update({"_": gettext, "gettext": gettext, "ngettext": _narrow(presenter.ngettext)})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute ``+`` of short texts and lists, ``*`` and ``%`` of numbers, and no powers."""
        if left is HIDDEN or right is HIDDEN:
            return HIDDEN
        sized = [len(side) for side in (left, right) if isinstance(side, Sized)]
        if operator == "+":
            _check_size(sum(sized))
        elif sized or operator == "**":
            raise SecurityError(f"{operator} is not for this")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``format`` to `is_safe_attribute`: Jinja2 would allow it, with fields of any width."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow only those methods of texts and numbers that cannot make long ones."""
        if isinstance(obj, (str, int, Decimal)) and callable(value):
            return attr in _TEXT_METHODS
        return super().is_safe_attribute(obj, attr, value)


def _check_size(size: int) -> None:
    if size > MAX_OUTPUT:
        raise SecurityError(f"more than {MAX_OUTPUT} characters")


def _narrow(translate: Callable[..., Markdown]) -> Callable[..., Markdown]:
    """Refuse placeholders such as ``%(n)999999d``."""

    def checked(*texts: Any, **params: object) -> Markdown:
        if any(_WIDE_PLACEHOLDER.search(text) for text in texts if isinstance(text, str)):
            raise SecurityError("placeholders are written %(name)s or %(name)d, a per cent sign %%")
        return translate(*texts, **params)

    return checked
