"""Mistakes in the configuration are named by area and key, with an example."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from bot.erp.rest.options import RestOptions
from bot.kit.testing.fake_erp import SECRET
from tests.erp.rest.documented_config import api_options
from tests.erp.rest.scripted_server import sales
from tests.rows import each_row

Change = Callable[[dict[str, Any]], Any]

WRONG: list[tuple[Change, str]] = [
    (lambda o: o["sales"].update(one="/orders"), r"sales\.one\n.*does not use \{number\}; an example"),
    (lambda o: o["sales"].update(one="/orders/{nr}"), r"sales\.one\n.*unknown place \{nr\}; known here are \{number\}"),
    (lambda o: o["sales"].update(one={"path": "/{number}", "pattern": "["}), r"sales\.one\.pattern\n.*no regular expr"),
    (lambda o: o["sales"].update(one="https://x/{number}"), r"sales\.one\n.*behind the source's url"),
    (lambda o: o["purchasing"]["list"].pop("reads"), r"purchasing\.list\n.*POST may change something.*reads = true"),
    (lambda o: o["purchasing"]["list"].update(method="GET"), r"purchasing\.list\n.*GET has none"),
    (lambda o: o["purchasing"]["list"].update(method="PUT"), r"purchasing\.list\.method"),
    (lambda o: o["finance"]["list"].pop("paging"), r"finance\.list\n.*paging is missing; an example"),
    (lambda o: o["finance"]["list"].update(paging={"by": "cursor"}), r"finance\.list\n.*needs \{cursor\}"),
    (lambda o: o["sales"]["list"].pop("total"), r"sales\.list\n.*pages_itself needs"),
    (lambda o: o["sales"].pop("late"), r"sales\n.*late is missing"),
    (lambda o: o["sales"]["fields"].pop("number"), r"sales\.fields\n.*'number' is missing"),
    (lambda o: o["sales"]["fields"].update(status={"from": "s", "words": {"1": "offen"}}), "'offen' is none of draft"),
    (lambda o: o["sales"]["changes"].update(params={}), r"sales\.changes\n.*does not use \{since\}"),
    (
        lambda o: o["receipts"]["of_order"].update(params={}, paging=None),
        r"receipts\.of_order\n.*neither \{number\} nor",
    ),
    (
        lambda o: o["sales"].update(draft={"path": "/orders/{id}", "pattern": "PROV.*"}),
        r"sales\.draft\n.*needs one group",
    ),
    (
        lambda o: o["bills"].update(paid={"path": "/bills/{id}/payments", "amount": "amount"}),
        r"bills\n.*fields map open_amount",
    ),
    (lambda o: o["purchasing"]["approve"].update(body={"v": "{verdict}"}), r"purchasing\.approve\n.*unknown place"),
    (lambda o: o["purchasing"]["approve"].update(method="GET"), r"purchasing\.approve\.method"),
    (
        lambda o: [o["purchasing"]["fields"].pop(name) for name in ("version", "changed_at")],
        r"purchasing\n.*to decide, version or changed_at must be mapped",
    ),
    (lambda o: o["bills"]["fields"].pop("review"), r"bills\n.*to decide, review must be mapped"),
    (lambda o: o["sales"].pop("pending"), r"sales\n.*pending is missing"),
    (
        lambda o: (o["stock"].clear(), o.pop("stock")),
        r"prices and details need products\.one too; an example",
    ),
    (
        lambda o: o["arrivals"]["purchases"].update(only={"code": ["{skus}"]}),
        r"arrivals\.purchases\n.*only: unknown place \{skus\}",
    ),
    (
        lambda o: o["prices"]["sales"]["list"].update(params={}, paging=None),
        r"prices\.sales\.list\n.*does not use \{sku\}",
    ),
    (lambda o: o["stock"].pop("product"), r"products\.one is needed"),
    (lambda o: (o["stock"].pop("places"), o["stock"]["fields"].pop("on_hand")), r"stock\n.*must map on_hand"),
    (lambda o: o.update(account={"kind": "kerberos"}), r"account\n.*'none', 'bearer', 'basic'"),
    (lambda o: o.update(account={"kind": "header"}), r"account\.header\.key"),
    (lambda o: o.update(envelope={"at": "code"}), r"envelope\.good"),
    (lambda o: o.update(envelope={"at": "code", "good": ["0"], "errors": {"1": "oops"}}), r"envelope\.errors\.1"),
    (lambda o: o.update(url="ftp://x"), "url\n"),
    (
        lambda o: (o.update(currency=""), o["finance"]["fields"].pop("currency")),
        "finance.fields: has amounts and no currency; map it",
    ),
]


@each_row(("spoil", "complaint"), WRONG)
def test_a_mistake_is_named(spoil: Change, complaint: str) -> None:
    options = deepcopy(api_options())
    spoil(options)
    with pytest.raises(ValueError, match=complaint):
        RestOptions.model_validate(options)


def test_secrets_are_not_shown() -> None:
    assert SECRET not in repr(RestOptions.model_validate(api_options()))


def test_a_lookup_names_a_list_that_there_is() -> None:
    fields = {"number": "no", "customer": {"from": "c", "lookup": "parties"}, "status": "s"}
    with pytest.raises(ValidationError, match=r"customer\.lookup: 'parties' is none of lookups \(there are none\)"):
        RestOptions.model_validate(sales("https://x.example", fields=fields))
    parties = {"parties": {"list": {"path": "/parties"}, "key": "id", "value": "name"}}
    found = RestOptions.model_validate(sales("https://x.example", fields=fields, of_source={"lookups": parties}))
    assert set(found.lookups) == {"parties"}
