"""The syntax of amounts and people in approval rules: ``5000 CNY``, ``role:purchasing``, ``manager:1``."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from babel.core import get_global

from bot.approvals.policy.rules import ApproverSelector, SelectorKind
from bot.erp.model import Money
from bot.rulefiles.errors import did_you_mean
from bot.rulefiles.values import read_duration, read_text, read_texts
from bot.words.phrase import Phrase, phrase

_MONEY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ([A-Z]{3})")
_RANGE = re.compile(r"(?:from (?P<low>.+?))?(?:(?:^| )(?:to )?below (?P<high>.+))?")
_YUAN = frozenset(("RMB", "YUAN", "元", "人民币", "¥", "￥"))
_EXAMPLE = phrase('an example is "5000 CNY"')
_BOUNDS = phrase('examples are "below 5000 CNY", "from 5000 to below 50000 CNY", "from 50000 CNY"')


def read_money(value: object) -> Money:
    """Return an amount with its currency, such as ``5000 CNY``; negative amounts are errors."""
    if not isinstance(value, str):
        raise ValueError(phrase("an amount stands in quotes with its currency, %(example)s", example=_EXAMPLE))
    text = " ".join(value.split())
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(_explain_bad_amount(text))
    currencies = get_global("all_currencies")
    if match[2] not in currencies:
        known = phrase("write CNY") if match[2] in _YUAN else phrase("usual ones are CNY, USD, EUR, JPY, HKD")
        raise ValueError(phrase("no currency %(name)s; %(known)s", name=f"{match[2]!r}", known=known))
    return Money(Decimal(match[1]), match[2])


def read_limit(value: object) -> Money:
    """Return a limit; zero is an error, as it would forbid everything."""
    found = read_money(value)
    if not found.amount:
        raise ValueError(phrase("the limit is zero; %(example)s", example=_EXAMPLE))
    return found


def read_limits(value: object) -> tuple[Money, ...]:
    """Return limits, one per currency; a single value is a list of one."""
    if not isinstance(value, str | list):
        raise ValueError(phrase('limits are a list of amounts, an example is ["20000 CNY", "3000 USD"]'))
    found = tuple(map(read_limit, [value] if isinstance(value, str) else value))
    if not found:
        raise ValueError(phrase('the list is empty; leave the key out for no limit, an example is ["20000 CNY"]'))
    currencies = [money.currency for money in found]
    twice = next((currency for currency in currencies if currencies.count(currency) > 1), "")
    if twice:
        raise ValueError(phrase("two limits in %(twice)s; write one for each currency", twice=twice))
    return found


def read_bounds(value: object) -> tuple[Money | None, Money | None]:
    """Return the lower bound (inclusive) and the upper bound (exclusive), so that two rules can meet exactly."""
    if not isinstance(value, str):
        raise ValueError(phrase("amounts stand in quotes with their currency, %(bounds)s", bounds=_BOUNDS))
    text = " ".join(value.split())
    match = _RANGE.fullmatch(text)
    if not text or match is None:
        raise ValueError(
            phrase(
                'an amount is bounded by "from" (itself included) and "below" (itself not), %(bounds)s', bounds=_BOUNDS
            )
        )
    low, high = match["low"], match["high"]
    if low is not None and high is not None and " " not in low:
        low = f"{low} {high.rpartition(' ')[2]}"
    at_least, below = (None if bound is None else read_money(bound) for bound in (low, high))
    if below is not None and not below.amount:
        raise ValueError(phrase("nothing is below zero; %(bounds)s", bounds=_BOUNDS))
    if at_least is not None and below is not None:
        if at_least.currency != below.currency:
            raise ValueError(phrase("both bounds are in one currency, %(bounds)s", bounds=_BOUNDS))
        if at_least.amount >= below.amount:
            raise ValueError(
                phrase(
                    "no amount is from %(at_least)s and below %(below)s; %(bounds)s",
                    at_least=format_money(at_least),
                    below=format_money(below),
                    bounds=_BOUNDS,
                )
            )
    return at_least, below


def read_currencies(value: object) -> frozenset[str]:
    """Return ISO codes of currencies."""
    found = read_texts(value)
    if not found:
        raise ValueError(phrase('the list is empty, so that nothing would fit; an example is ["USD", "EUR"]'))
    return frozenset(read_money(f"0 {code}").currency for code in found)


def format_money(money: Money) -> str:
    """Return an amount as `read_money` reads it."""
    return f"{money.amount:f} {money.currency}"


def format_bounds(at_least: Money | None, below: Money | None) -> str:
    """Return bounds as `read_bounds` reads them; there is one of them at least."""
    upper = "" if below is None else f"below {format_money(below)}"
    if at_least is None:
        return upper
    return f"from {at_least.amount:f} to {upper}" if upper else f"from {format_money(at_least)}"


def _explain_bad_amount(text: str) -> Phrase:
    number = text.partition(" ")[0]
    currency = text.partition(" ")[2]
    if text.startswith("-"):
        return phrase("%(text)s is negative; %(example)s", text=f"{text[:40]!r}", example=_EXAMPLE)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return phrase('%(text)s of which currency? An example is "%(text)s CNY"', text=text[:40])
    if re.fullmatch(r"\d{1,3}([,'_]\d{3})+(\.\d+)?", number):
        return phrase("the number stands without separators, %(example)s", example=_EXAMPLE)
    if any(char in text.upper() for char in _YUAN) or currency.islower():
        return phrase("the currency is an ISO code of three capitals after the number, %(example)s", example=_EXAMPLE)
    if re.fullmatch(r"\d+\.\d{7,} [A-Z]{3}", text):
        return phrase("up to six digits stand after the point, %(example)s", example=_EXAMPLE)
    return phrase(
        "%(text)s is no amount: all digits, a point if needed, a blank, the currency; %(example)s",
        text=f"{text[:40]!r}",
        example=_EXAMPLE,
    )


_EXAMPLES = phrase('examples are "role:purchasing", "person:manager01", "manager:1", "field:buyer"')
_BUYER = "buyer"
_HIGHEST = 20
"""The number of managers above the requester; longer chains are typing errors."""


def read_approvers(value: object) -> tuple[ApproverSelector, ...]:
    """Return the named approvers, at least one."""
    found = tuple(_selector(text) for text in read_texts(value))
    if not found:
        raise ValueError(phrase("the list is empty, so that nobody could decide; %(examples)s", examples=_EXAMPLES))
    return tuple(dict.fromkeys(found))


def read_requesters(value: object) -> tuple[ApproverSelector, ...]:
    """Return the requesters whose documents a rule applies to."""
    return _persons_or_roles(
        value, phrase('requesters are persons or roles, examples are "role:sales", "person:sales01"')
    )


def read_substitutes(value: object) -> tuple[ApproverSelector, ...]:
    """Return who may stand in for people who are away."""
    return _persons_or_roles(
        value, phrase('substitutes are persons or roles, examples are "role:finance", "person:boss01"')
    )


def _persons_or_roles(value: object, reason: Phrase) -> tuple[ApproverSelector, ...]:
    found = read_approvers(value)
    for selector in found:
        if selector.by not in (SelectorKind.PERSON, SelectorKind.ROLE):
            raise ValueError(phrase("%(selector)s: %(reason)s", selector=selector, reason=reason))
    return found


def read_span(value: object) -> timedelta:
    """Return a duration that is not over at once."""
    found = read_duration(value)
    if not found:
        raise ValueError(phrase('it would be over at once; examples are "4h", "2d"'))
    return found


def read_person(value: object) -> str:
    """Return the userId of one person, without a prefix."""
    text = read_text(value)
    if ":" in text:
        raise ValueError(
            phrase('%(text)s: the userId alone is expected, an example is "manager01"', text=f"{text[:60]!r}")
        )
    return text


def _selector(text: str) -> ApproverSelector:
    kind, colon, name = (part.strip() for part in text.partition(":"))
    kinds = [by.value for by in SelectorKind]
    if not colon:
        raise ValueError(
            phrase(
                '%(text)s: write "person:%(text2)s" or "role:%(text2)s"; %(examples)s',
                text=f"{text[:60]!r}",
                text2=text[:60],
                examples=_EXAMPLES,
            )
        )
    if kind not in kinds:
        raise ValueError(
            phrase(
                "%(text)s: nobody is named by %(kind)s; %(hint)s",
                text=f"{text[:60]!r}",
                kind=f"{kind[:20]!r}",
                hint=did_you_mean(kind, kinds),
            )
        )
    if not name:
        raise ValueError(phrase("%(text)s names nobody; %(examples)s", text=f"{text[:60]!r}", examples=_EXAMPLES))
    match SelectorKind(kind):
        case SelectorKind.MANAGER:
            return ApproverSelector(SelectorKind.MANAGER, _level(name))
        case SelectorKind.FIELD:
            return ApproverSelector(SelectorKind.FIELD, _field(name))
        case by:
            return ApproverSelector(by, name)


def _level(name: str) -> str:
    if not name.isascii() or not name.isdigit() or len(name) > 3 or not 1 <= int(name) <= _HIGHEST:
        raise ValueError(
            phrase(
                'manager:%(name)s: "manager:1" is the requester\'s manager, "manager:2" the manager of'
                " that one, up to %(highest)s",
                name=name[:20],
                highest=_HIGHEST,
            )
        )
    return str(int(name))


def _field(name: str) -> str:
    if name == "requester":
        raise ValueError(phrase('field:requester: nobody decides what they requested; an example is "manager:1"'))
    if name != _BUYER:
        raise ValueError(
            phrase(
                'field:%(name)s: the document\'s field that names somebody is the buyer, "field:buyer"', name=name[:40]
            )
        )
    return name
