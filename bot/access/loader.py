"""From the rules as a company writes them, in ``dingerp.toml`` or in ``access.toml``, to a policy, or to every error
with its line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.access.grants import EVERYTHING, Scope
from bot.access.policy import ADMIN, AccessPolicy
from bot.access.presets import PRESET_RULES, ROLE_NAMES
from bot.access.rules import ANY, AccessRule, RuleEffect
from bot.disclosure import ALL_FIELDS, FieldClass
from bot.rulefiles.absence import NoRules
from bot.rulefiles.document import ProblemCollector, RuleTable, read_document, refuse_namesakes
from bot.rulefiles.errors import RuleProblem, closest, did_you_mean
from bot.rulefiles.positions import Positions
from bot.rulefiles.values import read_flag, read_name, read_some, read_text, read_texts, read_whole_names

NO_ACCESS_RULES = NoRules("open", "every member may ask")

MAX_RULES = 1_000
"""Nobody keeps more rules in mind, and each decision looks at all those about its command."""

_SAME_CONVERSATION = 0.9
"""How alike two ids are only if one of them is misspelt: they are drawn at random."""

_read_words = read_whole_names('["W1", "华东机械有限公司"]')
_CONVERSATION = re.compile(r"cid[A-Za-z0-9+/=_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessNames:
    """The names that rules may use."""

    commands: Mapping[str, str]
    """Every name and alias → the command's own name."""
    roles: Mapping[str, Collection[str]]
    """Configured role → userIds."""
    directory: bool
    """Whether DingTalk's directory knows further roles."""
    sources: Collection[str]
    conversations: Collection[str] = ()
    """Ids of conversations that the configuration names. There may be others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRuleSet:
    """What one document says, or the configuration. ``presets`` puts the ready rules in force.

    ``open`` says that what no rule is about is meant to be for every member.
    """

    rules: tuple[AccessRule, ...] = ()
    presets: bool = False
    open: bool = False
    read_only: bool = False

    @property
    def decides(self) -> bool:
        """Whether it says who may ask; denials and what is shared alone leave all the rest to every member."""
        return self.presets or any(rule.allows and not rule.shared for rule in self.rules)

    @property
    def chooses(self) -> bool:
        """Whether somebody has said who may see what."""
        return self.open or self.decides


@dataclass(frozen=True, slots=True)
class AccessReview:
    """A set of rules, with what can be obeyed but is probably a mistake."""

    rule_set: AccessRuleSet
    warnings: tuple[RuleProblem, ...]


def make_policy(rule_sets: Iterable[AccessRuleSet], roles: Mapping[str, frozenset[str]]) -> AccessPolicy:
    """Return the policy of several sets together, whose rules add up; ``roles`` are the configured ones."""
    sets = tuple(rule_sets)
    ready = PRESET_RULES if any(each.presets for each in sets) else ()
    return AccessPolicy(
        (*ready, *(rule for each in sets for rule in each.rules)),
        roles,
        read_only=any(each.read_only for each in sets),
    )


def review_access(content: bytes, known: AccessNames, *, name: str) -> AccessReview:
    """Return what a document says, with the warnings about it. Raises `RulesError` with all that is wrong."""
    return read_document(content, partial(_review, known=known), name=name)


def review_rules(
    rules: Sequence[Mapping[str, object]], known: AccessNames, positions: Positions
) -> tuple[tuple[AccessRule, ...], ProblemCollector]:
    """Return the rules of a configuration that was already read, with their errors."""
    errors = ProblemCollector(positions)
    section = RuleTable({"rules": [dict(rule) for rule in rules]}, ("access",), errors)
    return _AccessParser(known, "rule").rules(section), errors


def _review(document: RuleTable, known: AccessNames) -> AccessReview:
    rule_set = AccessRuleSet(
        presets=document.take("presets", read_flag, False),
        open=NO_ACCESS_RULES.is_chosen(document),
        read_only=document.take("read_only", read_flag, False),
        rules=_AccessParser(known, "access.toml rule").rules(document),
    )
    document.finish()
    return AccessReview(rule_set, document.errors.warnings)


class _AccessParser:
    def __init__(self, known: AccessNames, unnamed: str) -> None:
        self._known = known
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
            commands=table.need("commands", self._read_commands, frozenset(), 'commands = ["order", "invoice"]'),
            roles=table.take("roles", self._read_roles, frozenset()),
            departments=table.take("departments", _read_words, frozenset()),
            people=table.take("people", _read_words, frozenset()),
            conversations=table.take("conversations", self._read_conversations, frozenset()),
            fields=fields,
            scope=self._scope(table),
            shared=table.take("shared", read_flag, False),
        )
        table.finish()
        if not table.has_errors:
            _check_sense(table, rule)
            self._warn_of_roles(table, rule)
        return rule

    def _scope(self, table: RuleTable) -> Scope:
        return Scope(
            sources=table.take("sources", self._read_sources, None),
            companies=table.take("companies", _read_words, None),
            warehouses=table.take("warehouses", _read_words, None),
            categories=table.take("categories", _read_words, None),
            partners=table.take("partners", _read_words, None),
            own=table.take("own", read_flag, False),
        )

    def _read_commands(self, value: object) -> frozenset[str]:
        known = self._known.commands
        found = read_some(value)
        for word in found:
            if known.get(word) == word or word == ANY:
                continue
            own_name = known.get(word.lstrip("/").casefold())
            hint = f"did you mean {own_name!r}?" if own_name else did_you_mean(word, sorted(set(known.values())))
            raise ValueError(f"there is no command {word!r:.40}; {hint}")
        return frozenset(found)

    def _read_roles(self, value: object) -> frozenset[str]:
        known = {*self._known.roles, *ROLE_NAMES, *ROLE_NAMES.values(), ADMIN, ANY}
        found = read_some(value)
        for word in found:
            if word not in known and not self._known.directory:
                raise ValueError(f"there is no role {word!r:.40}; {did_you_mean(word, sorted(known))}")
        return frozenset(found)

    def _read_sources(self, value: object) -> frozenset[str]:
        found = read_some(value)
        for word in found:
            if word not in self._known.sources:
                raise ValueError(f"no ERP is called {word!r:.40}; {did_you_mean(word, self._known.sources)}")
        return frozenset(found)

    def _read_conversations(self, value: object) -> frozenset[str]:
        found = read_texts(value)
        for word in found:
            if not _CONVERSATION.fullmatch(word):
                raise ValueError(f"{word!r:.60} is no id of a conversation; /whoami tells it, cid… with its capitals")
            if word not in self._known.conversations and (
                meant := closest(word, self._known.conversations, similarity=_SAME_CONVERSATION)
            ):
                raise ValueError(f"there is no conversation {word!r:.60}; did you mean {meant[0]!r}?")
        return frozenset(found)

    def _warn_of_roles(self, table: RuleTable, rule: AccessRule) -> None:
        synonyms = {**ROLE_NAMES, **{chinese: english for english, chinese in ROLE_NAMES.items()}}
        roles = self._known.roles
        for role in sorted(rule.roles - {ANY, ADMIN, ROLE_NAMES[ADMIN]}):
            if roles.get(role) or roles.get(synonyms.get(role, "")):
                continue
            where = "if the directory does not know it, nobody has it" if self._known.directory else "nobody has it"
            table.warn("roles", f"roles: {role!r:.40} has no members in access.roles; {where}")


def _check_sense(table: RuleTable, rule: AccessRule) -> None:
    """Find what can be read and means nothing."""
    someone = bool(rule.roles or rule.departments or rule.people)
    if rule.shared and someone:
        table.miss("a shared rule is for all who see the card; leave out roles, departments and people")
    elif rule.shared and rule.fields is None:
        table.miss('fields is missing: what may the shared card show? An example is fields = ["quantity", "amount"]')
    elif not rule.shared and not someone:
        table.miss('it is for nobody; name roles, departments or people, an example is roles = ["finance"]')
    if rule.shared and rule.scope.own:
        table.wrong("own", "own: a shared card is nobody's own")
    if not rule.allows and rule.scope != EVERYTHING:
        table.miss("what is denied is denied of all documents; allow the others instead, such as own = true")
    if not rule.allows and rule.fields == frozenset():
        table.wrong("fields", "fields: the list is empty, so that nothing would be denied; without it the command is")
    if rule.shared and rule.allows and not rule.conversations:
        table.warn("shared", 'shared: it is for every group; an example for some is conversations = ["cid…=="]')


def _read_effect(value: object) -> RuleEffect:
    known = [effect.value for effect in RuleEffect]
    effect = read_text(value)
    if effect not in known:
        raise ValueError(f"{effect!r:.40} is no effect; {did_you_mean(effect[:40], known)}")
    return RuleEffect(effect)


_MEANT_FIELDS = {
    **dict.fromkeys(("数量", "库存", "stock", "quantities"), FieldClass.QUANTITY),
    **dict.fromkeys(("金额", "价格", "售价", "price", "money"), FieldClass.AMOUNT),
    **dict.fromkeys(("成本", "进价", "采购价", "margin"), FieldClass.COST),
    **dict.fromkeys(("客户", "供应商", "往来单位", "customer", "vendor", "supplier"), FieldClass.PARTNER),
    **dict.fromkeys(("物料清单", "配方", "bom", "components", "material"), FieldClass.MATERIALS),
    **dict.fromkeys(("联系人", "联系方式", "电话", "phone", "address"), FieldClass.CONTACT),
}
"""What people may write for a class → the class that they are told."""


def _read_fields(value: object) -> frozenset[FieldClass]:
    words = read_texts(value)
    if words == (ANY,):
        return ALL_FIELDS
    known = [field.value for field in FieldClass]
    for word in words:
        if word not in known:
            meant = _MEANT_FIELDS.get(word.casefold())
            hint = f"did you mean {meant.value!r}?" if meant else did_you_mean(word, known)
            raise ValueError(f"there is no class of fields {word!r:.40}; {hint}")
    return frozenset(map(FieldClass, words))
