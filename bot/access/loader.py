"""Turns a company's rules, from ``dingerp.toml`` or ``access.toml``, into a policy, or into all errors with their
lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from bot.access.areas import CREATED, EVERY_AREA, NEW
from bot.access.grants import EVERYTHING, Scope
from bot.access.policy import ADMIN, AccessPolicy
from bot.access.presets import PRESET_RULES, ROLE_NAMES
from bot.access.rules import ANY, MOST_LINES, AccessRule, CreationRight, RuleEffect
from bot.rulefiles.absence import NoRules
from bot.rulefiles.document import ProblemCollector, Reviewed, RuleTable, read_document, refuse_namesakes
from bot.rulefiles.errors import did_you_mean, is_meant
from bot.rulefiles.positions import Positions
from bot.rulefiles.values import read_flag, read_name, read_some, read_text, read_texts, read_whole_names
from bot.words.disclosure import ALL_FIELDS, FieldClass
from bot.words.names import KnownNames, NameKind
from bot.words.phrase import phrase

NO_ACCESS_RULES = NoRules("open", phrase("every member may ask"))

MAX_RULES = 1_000
"""More than anybody can keep track of; each decision checks all rules about its command."""

_read_words = read_whole_names('["W1", "华东机械有限公司"]')


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRuleSet:
    """The rules of one document or of the configuration. ``presets`` enables the ready-made rules.

    ``open`` declares that anything without a rule is for every member.
    """

    rules: tuple[AccessRule, ...] = ()
    presets: bool = False
    open: bool = False
    read_only: bool = False

    @property
    def decides(self) -> bool:
        """Whether it says who may ask; denials and shared rules leave everything else to every member."""
        return self.presets or any(rule.allows and not rule.shared for rule in self.rules)

    @property
    def chooses(self) -> bool:
        """Whether the operator has chosen who may see what."""
        return self.open or self.decides


def make_policy(
    rule_sets: Iterable[AccessRuleSet], roles: Mapping[str, frozenset[str]], *, own_figures: bool = False
) -> AccessPolicy:
    """Return the policy of several sets combined; ``roles`` are those from the settings.

    ``own_figures``: the documents are a company's own, so anything without a rule is closed unless a set says ``open``.
    """
    sets = tuple(rule_sets)
    ready = PRESET_RULES if any(each.presets for each in sets) else ()
    return AccessPolicy(
        (*ready, *(rule for each in sets for rule in each.rules)),
        roles,
        closed=EVERY_AREA if own_figures and not any(each.open for each in sets) else (),
        read_only=any(each.read_only for each in sets),
    )


def review_access(content: bytes, known: KnownNames, *, name: str) -> Reviewed[AccessRuleSet]:
    """Return the rules of a document, with warnings. Raises `RulesError` with all errors."""
    return read_document(content, _read_rule_set, name=name, known=known)


def review_rules(
    rules: Sequence[Mapping[str, object]], known: KnownNames, positions: Positions
) -> tuple[tuple[AccessRule, ...], ProblemCollector]:
    """Return the rules of a configuration already read, with their errors."""
    errors = ProblemCollector(positions)
    section = RuleTable({"rules": [dict(rule) for rule in rules]}, ("access",), errors)
    found = _AccessParser("rule").rules(section)
    errors.check_names(known)
    return found, errors


def _read_rule_set(document: RuleTable) -> AccessRuleSet:
    rule_set = AccessRuleSet(
        presets=document.take("presets", read_flag, False),
        open=NO_ACCESS_RULES.is_chosen(document),
        read_only=document.take("read_only", read_flag, False),
        rules=_AccessParser("access.toml rule").rules(document),
    )
    document.finish()
    return rule_set


class _AccessParser:
    def __init__(self, unnamed: str) -> None:
        self._unnamed = unnamed

    def rules(self, document: RuleTable) -> tuple[AccessRule, ...]:
        tables = document.few_tables("rules", MAX_RULES)
        rules = tuple(map(self._rule, tables))
        refuse_namesakes(tables, (rule.name for rule in rules))
        return rules

    def _rule(self, table: RuleTable) -> AccessRule:
        fields: frozenset[FieldClass] | None = table.take("fields", _read_fields, None)
        rule = AccessRule(
            name=table.take("name", read_name("finance reads"), table.called(self._unnamed)),
            effect=table.take("effect", _read_effect, RuleEffect.ALLOW),
            commands=table.need("commands", _read_names, frozenset(), 'commands = ["order", "invoice"]'),
            roles=table.take("roles", _read_names, frozenset()),
            departments=table.take_names("departments", _read_words, frozenset(), NameKind.DEPARTMENT),
            people=table.take_names("people", _read_words, frozenset(), NameKind.PERSON),
            conversations=table.take_names("conversations", _read_places, frozenset(), NameKind.CONVERSATION),
            fields=fields,
            scope=self._scope(table),
            shared=table.take("shared", read_flag, False),
            creates=_creation_right(table),
        )
        table.refer("commands", NameKind.COMMAND, rule.commands - {ANY})
        table.refer("roles", NameKind.ROLE, rule.roles - {ANY, ADMIN, ROLE_NAMES[ADMIN]})
        table.finish()
        if not table.has_errors:
            _check_sense(table, rule)
        return rule

    def _scope(self, table: RuleTable) -> Scope:
        return Scope(
            sources=table.take_names("sources", _read_names, None, NameKind.SOURCE),
            companies=table.take("companies", _read_words, None),
            warehouses=table.take("warehouses", _read_words, None),
            categories=table.take("categories", _read_words, None),
            partners=table.take("partners", _read_words, None),
            own=table.take("own", read_flag, False),
        )


def _creation_right(table: RuleTable) -> CreationRight | None:
    kinds: frozenset[str] | None = table.take("creates", _read_created, None)
    lines: int = table.take("most_lines", _read_lines, MOST_LINES)
    quantity: Decimal | None = table.take("most_quantity", _read_quantity, None)
    if kinds is None:
        for key in ("most_lines", "most_quantity"):
            if key in table:
                table.wrong(
                    key, phrase('it limits what is created, which nothing says; an example is creates = ["order"]')
                )
        return None
    return CreationRight(kinds=kinds, most_lines=lines, most_quantity=quantity)


def _read_created(value: object) -> frozenset[str]:
    kinds = _read_names(value)
    for kind in sorted(kinds - CREATED):
        hint = did_you_mean(kind, sorted(CREATED))
        raise ValueError(phrase("no documents of %(kind)s are created; %(hint)s", kind=f"{kind!r:.40}", hint=hint))
    return kinds


def _read_lines(value: object) -> int:
    if type(value) is not int or not 0 < value <= MOST_LINES:
        raise ValueError(phrase("a number of lines from 1 to %(most)s is expected", most=MOST_LINES))
    return value


def _read_quantity(value: object) -> Decimal:
    try:
        quantity = Decimal(value) if isinstance(value, str) or type(value) is int else Decimal()
    except InvalidOperation:
        quantity = Decimal()
    if not (quantity.is_finite() and quantity > 0):
        raise ValueError(phrase('a quantity above zero is expected, examples are 500 and "2.5"'))
    return quantity


def _read_names(value: object) -> frozenset[str]:
    return frozenset(read_some(value))


def _read_places(value: object) -> frozenset[str]:
    if value == []:
        raise ValueError(phrase("the list is empty, which would mean everywhere; leave the key out for that"))
    return frozenset(read_texts(value))


def _check_sense(table: RuleTable, rule: AccessRule) -> None:
    """Report rules that parse but have no effect."""
    someone = bool(rule.roles or rule.departments or rule.people)
    if rule.shared and someone:
        table.miss(phrase("a shared rule is for all who see the card; leave out roles, departments and people"))
    elif rule.shared and rule.fields is None:
        table.miss(
            phrase('fields is missing: what may the shared card show? An example is fields = ["quantity", "amount"]')
        )
    elif not rule.shared and not someone:
        table.miss(phrase('it is for nobody; name roles, departments or people, an example is roles = ["finance"]'))
    if rule.shared and rule.scope.own:
        table.wrong("own", phrase("a shared card is nobody's own"))
    if rule.creates is not None and (rule.shared or not rule.allows or NEW not in rule.commands):
        table.wrong("creates", phrase("only rules that allow somebody the command new say what they create"))
    if not rule.allows and rule.scope != EVERYTHING:
        table.miss(phrase("what is denied is denied of all documents; allow the others instead, such as own = true"))
    if not rule.allows and rule.fields == frozenset():
        table.wrong("fields", phrase("the list is empty, so that nothing would be denied; without it the command is"))
    if rule.shared and rule.allows and not rule.conversations:
        table.warn("shared", phrase('it is for every group; an example for some is conversations = ["cid…=="]'))


def _read_effect(value: object) -> RuleEffect:
    known = [effect.value for effect in RuleEffect]
    effect = read_text(value)
    if effect not in known:
        raise ValueError(
            phrase("%(effect)s is no effect; %(hint)s", effect=f"{effect!r:.40}", hint=did_you_mean(effect[:40], known))
        )
    return RuleEffect(effect)


_MEANT_FIELDS = {
    **dict.fromkeys(("数量", "库存", "stock", "quantities"), FieldClass.QUANTITY),
    **dict.fromkeys(("金额", "价格", "售价", "price", "money"), FieldClass.AMOUNT),
    **dict.fromkeys(("成本", "进价", "采购价", "margin"), FieldClass.COST),
    **dict.fromkeys(("客户", "供应商", "往来单位", "customer", "vendor", "supplier"), FieldClass.PARTNER),
    **dict.fromkeys(("物料清单", "配方", "bom", "components", "material"), FieldClass.MATERIALS),
    **dict.fromkeys(("联系人", "联系方式", "电话", "phone", "address"), FieldClass.CONTACT),
}
"""Accepted spellings of a class → the class to suggest."""


def _read_fields(value: object) -> frozenset[FieldClass]:
    words = read_texts(value)
    if words == (ANY,):
        return ALL_FIELDS
    known = [field.value for field in FieldClass]
    for word in words:
        if word not in known:
            meant = _MEANT_FIELDS.get(word.casefold())
            hint = is_meant(f"{meant.value!r}") if meant else did_you_mean(word, known)
            raise ValueError(phrase("there is no class of fields %(word)s; %(hint)s", word=f"{word!r:.40}", hint=hint))
    return frozenset(map(FieldClass, words))
