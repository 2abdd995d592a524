"""How people are named in approval rules: ``person:wang``, ``role:purchasing``, ``manager:1``, ``field:buyer``."""

from __future__ import annotations

from bot.approvals.policy.rule import By, Selector
from bot.rulefiles.meant import did_you_mean
from bot.rulefiles.values import read_text, read_texts

_EXAMPLES = 'examples are "role:purchasing", "person:manager01", "manager:1", "field:buyer"'
_BUYER = "buyer"
_HIGHEST = 20
"""Managers above the requester; longer chains are a slip of the pen."""


def read_approvers(value: object) -> tuple[Selector, ...]:
    """Return who is named, at least one."""
    found = tuple(_selector(text) for text in read_texts(value))
    if not found:
        raise ValueError(f"the list is empty, so that nobody could decide; {_EXAMPLES}")
    return tuple(dict.fromkeys(found))


def read_requesters(value: object) -> tuple[Selector, ...]:
    """Return the people whose documents a rule is for."""
    found = read_approvers(value)
    for selector in found:
        if selector.by not in (By.PERSON, By.ROLE):
            raise ValueError(
                f'{selector}: requesters are persons or roles, examples are "role:sales", "person:sales01"'
            )
    return found


def read_person(value: object) -> str:
    """Return the userId of one person, without anything in front."""
    text = read_text(value)
    if ":" in text:
        raise ValueError(f'{text[:60]!r}: the userId alone is expected, an example is "manager01"')
    return text


def _selector(text: str) -> Selector:
    kind, colon, name = (part.strip() for part in text.partition(":"))
    kinds = [by.value for by in By]
    if not colon:
        raise ValueError(f'{text[:60]!r}: write "person:{text[:60]}" or "role:{text[:60]}"; {_EXAMPLES}')
    if kind not in kinds:
        raise ValueError(f"{text[:60]!r}: nobody is named by {kind[:20]!r}; {did_you_mean(kind, kinds)}")
    if not name:
        raise ValueError(f"{text[:60]!r} names nobody; {_EXAMPLES}")
    match By(kind):
        case By.MANAGER:
            return Selector(By.MANAGER, _level(name))
        case By.FIELD:
            return Selector(By.FIELD, _field(name))
        case by:
            return Selector(by, name)


def _level(name: str) -> str:
    if not name.isascii() or not name.isdigit() or len(name) > 3 or not 1 <= int(name) <= _HIGHEST:
        raise ValueError(
            f'manager:{name[:20]}: "manager:1" is the requester\'s manager, "manager:2" the manager of that one,'
            f" up to {_HIGHEST}"
        )
    return str(int(name))


def _field(name: str) -> str:
    if name == "requester":
        raise ValueError('field:requester: nobody decides what they requested; an example is "manager:1"')
    if name != _BUYER:
        raise ValueError(f'field:{name[:40]}: the document\'s field that names somebody is the buyer, "field:buyer"')
    return name
