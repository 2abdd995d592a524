"""Ready-made rules for the roles that most companies have, and these roles' names in both languages."""

from __future__ import annotations

from types import MappingProxyType

from bot.access.grants import EVERYTHING, Scope
from bot.access.rules import AccessRule
from bot.words.disclosure import ALL_FIELDS, FieldClass

ROLE_NAMES = MappingProxyType(
    {
        "keeper": "仓管",
        "sales": "销售",
        "purchasing": "采购",
        "finance": "财务",
        "production": "生产",
        "manager": "经理",
        "admin": "管理员",
    }
)
"""English → Chinese. Both mean the same role wherever a rule, the configuration or the directory uses it."""

ROLE_SYNONYMS = {**ROLE_NAMES, **{chinese: english for english, chinese in ROLE_NAMES.items()}}

_OWN = Scope(own=True)
_SEEN_IN_PURCHASING = frozenset({FieldClass.QUANTITY, FieldClass.COST, FieldClass.PARTNER, FieldClass.CONTACT})
_SEEN_IN_SALES = frozenset({FieldClass.QUANTITY, FieldClass.AMOUNT, FieldClass.PARTNER, FieldClass.CONTACT})
_COUNTED = frozenset({FieldClass.QUANTITY})
_COUNTED_AND_MADE = frozenset({FieldClass.QUANTITY, FieldClass.MATERIALS})


def with_synonyms(roles: frozenset[str]) -> frozenset[str]:
    """Return roles, each under its names in both languages."""
    return roles | {ROLE_SYNONYMS[role] for role in roles if role in ROLE_SYNONYMS}


def _preset(
    english: str, commands: str, fields: frozenset[FieldClass] = ALL_FIELDS, scope: Scope = EVERYTHING
) -> AccessRule:
    return AccessRule(
        name=f"preset {english}",
        commands=frozenset(commands.split()),
        roles=frozenset({ROLE_NAMES[english]}),
        fields=fields,
        scope=scope,
    )


PRESET_RULES = (
    _preset("keeper", "stock mo", _COUNTED),
    _preset("sales", "order quote invoice customer payment", _SEEN_IN_SALES, _OWN),
    _preset("sales", "stock", _COUNTED),
    _preset("purchasing", "po vendor bill payment", _SEEN_IN_PURCHASING),
    _preset("purchasing", "stock", _COUNTED_AND_MADE),
    _preset("finance", "invoice po order quote customer vendor bill payment"),
    _preset("production", "mo stock", _COUNTED_AND_MADE),
    _preset("manager", "stock order quote invoice po mo customer vendor bill payment"),
    _preset("admin", "stock order quote invoice po mo customer vendor bill payment audit"),
)
"""The rules enabled by ``access.presets``. Commands that no rule names stay open to every member, and the documents
they show are governed by the rules above all the same (`bot.access.areas`).
"""
