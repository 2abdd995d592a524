"""The rules about one command, arranged so that those for a person are found without looking at the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.access.people import Person
from bot.access.rules import AccessRule


class RuleIndex:
    """Rules in their order; ``shared`` ones name nobody."""

    def __init__(self, rules: Iterable[AccessRule]) -> None:
        self.rules = tuple(rules)
        personal = [(number, rule) for number, rule in enumerate(self.rules) if not rule.shared]
        self._for_all = tuple(number for number, rule in personal if rule.is_for_all)
        self._by_role = _arrange((number, rule.roles) for number, rule in personal)
        self._by_department = _arrange((number, rule.departments) for number, rule in personal)
        self._by_person = _arrange((number, rule.people) for number, rule in personal)

    def naming(self, person: Person, roles: frozenset[str]) -> Sequence[AccessRule]:
        """Return the rules that name a person who has ``roles``."""
        found = {*self._for_all, *self._by_person.get(person.user_id or "", ())}
        for role in roles:
            found.update(self._by_role.get(role, ()))
        for department in person.departments | person.department_names:
            found.update(self._by_department.get(department, ()))
        return [self.rules[number] for number in sorted(found)]


def _arrange(named: Iterable[tuple[int, frozenset[str]]]) -> Mapping[str, Sequence[int]]:
    found: dict[str, list[int]] = {}
    for number, names in named:
        for name in names:
            found.setdefault(name, []).append(number)
    return found
