"""What people type about purchase orders: only what can be nothing else is taken for a decision."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bot.approvals.asking import Folder
from bot.approvals.case import CaseState
from bot.cards.actions import Reason
from bot.chat.line import normalise, split

MAX_REASON = 200
"""Characters of a reason."""

_MENTIONS = re.compile(r"(?:@\S+\s+)+")
_SLASHES = "/\\、"

QUICK: Mapping[Reason, tuple[str, ...]] = MappingProxyType(
    {
        Reason.PRICE: ("价格过高", "price too high"),
        Reason.BUDGET: ("超出预算", "over budget"),
        Reason.QUANTITY: ("数量有误", "wrong quantity"),
        Reason.NEEDLESS: ("不需要", "not needed"),
    }
)
"""The quick reasons as they are written into the record and the ERP: in Chinese, or for others in English."""


def is_plain(line: str, names: Iterable[str]) -> bool:
    """Whether a line is a command and nothing but: “PO-1001 不同意” names the word for approving, too.

    That is a line that begins with a slash, or with one of the ``names`` as a word of its own.
    """
    text = _MENTIONS.sub("", normalise(line), count=1)
    if text[:1] and text[0] in _SLASHES:
        return True
    first = next(iter(split(text)), "").casefold()
    return first in {name.casefold() for name in names}


def reason_of(text: str, language: str) -> tuple[Reason | None, str]:
    """Return the quick reason that a text is the code of, if any, and the reason in words."""
    try:
        quick = Reason(text.strip())
    except ValueError:
        return None, " ".join(text.split())[:MAX_REASON]
    words = QUICK.get(quick, ("", ""))
    return quick, words[0 if language.startswith("zh") else 1]


def seen_by(folder: Folder, mark: str | None) -> str | None:
    """Return the fingerprint that somebody has seen; None when that cannot be told.

    A button tells the revision that it stood under. Who types a number means the only revision there ever was; after a
    change it is not known which one they have in mind.
    """
    case = folder.case
    if mark is not None:
        return case.fingerprint if mark and case.fingerprint.startswith(mark) else mark
    changed = folder.before is not None and folder.before.state is CaseState.SUPERSEDED
    return None if changed and case.state is CaseState.OPEN else case.fingerprint
