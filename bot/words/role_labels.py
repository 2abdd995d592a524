"""Display names of the usual roles; a company's own roles keep their name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bot.words.phrase import Phrase, phrase

_LABELS: Mapping[str, Phrase] = MappingProxyType(
    {
        **dict.fromkeys(("keeper", "warehouse", "仓管"), phrase("warehouse keeper")),
        **dict.fromkeys(("sales", "销售"), phrase("sales")),
        **dict.fromkeys(("purchasing", "purchaser", "采购"), phrase("purchasing")),
        **dict.fromkeys(("finance", "财务"), phrase("finance")),
        **dict.fromkeys(("production", "生产"), phrase("production")),
        **dict.fromkeys(("planner", "计划"), phrase("planner")),
        **dict.fromkeys(("manager", "经理"), phrase("manager")),
        **dict.fromkeys(("boss", "总经理"), phrase("general manager")),
        "it": phrase("IT"),
        **dict.fromkeys(("admin", "管理员"), phrase("admin")),
        **dict.fromkeys(("approver", "审批人"), phrase("approver")),
    }
)


def label_role(role: str) -> Phrase | str:
    """Return the display name of a role; an unusual role keeps its name."""
    return _LABELS.get(role, role)


def label_roles(roles: Iterable[str]) -> tuple[Phrase | str, ...]:
    """Return the display names of several roles."""
    return tuple(map(label_role, roles))
