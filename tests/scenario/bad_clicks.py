"""Card callbacks that none of our buttons sends, each with its ACK and the clicker's card afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tests.scenario.notice_checks import Notice

LATE = "ask|0|/order late"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadClick:
    """A callback whose keys are replaced by ``changes``; None removes a key.

    ``ack`` is the ACK's code; ``title`` is how the card's title begins then, empty when nothing changes; the
    answer itself has ``never``.
    """

    changes: Mapping[str, Any]
    ack: int = 200
    title: str = ""
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()


def private(ids: object = None, params: object = None) -> str:
    """Return the ``content`` of a callback; a part that is None is left out."""
    data = {"actionIds": ids, "params": params}
    return orjson.dumps({"cardPrivateData": {k: v for k, v in data.items() if v is not None}}).decode()


def _said(content: Any, value: Any = None) -> Mapping[str, Any]:
    return {"content": content, "value": value}


def _token(token: Any, title: str, *says: str, never: tuple[str, ...] = ()) -> BadClick:
    return BadClick(changes=_said(private(params={"id": token})), title=title, says=says, never=never)


def _no_token(changes: Mapping[str, Any]) -> BadClick:
    return BadClick(
        changes=changes, title=Notice.OUT_OF_DATE, says=("请重新查询", "/stock SKU123"), logs=("click.out_of_date",)
    )


def _stale(token: Any) -> BadClick:
    return _no_token(_said(private(params={"id": token})))


def _foreign(**changes: Any) -> BadClick:
    return BadClick(changes=changes, logs=("click.ignored",))


def _nobody(**changes: Any) -> BadClick:
    return BadClick(changes=changes, ack=400, logs=("stream.bad_data",))


def _stranger(user_id: str) -> BadClick:
    return BadClick(
        changes={"userId": user_id},
        title="延期订单",
        says=(Notice.EXTERNAL,),
        never=("SO-",),
        logs=("directory.no_member",),
    )


TOKENS: Mapping[str, BadClick] = {
    "a token of an older release": _stale("stock:SKU123"),
    "a token of a later release": _stale("po.approve|0|PO-1001|3f0c9a"),
    "a token that approves": _stale("approve"),
    "a token of a name only": _stale("ask"),
    "a token without a line": _stale("ask|0|"),
    "a token whose line is blank": _stale("ask|0|  "),
    "a token of 5 000 characters": _stale("ask|0|/stock " + "x" * 5_000),
    "a token with a negative offset": _stale("ask|-8|/order late"),
    "a token with a word for an offset": _stale("ask|eight|/order late"),
    "a token with Arabic digits for an offset": _stale("ask|٨|/order late"),
    "a token that is markup": _stale("<b>**[x](https://evil.example)**</b>"),
    "a token that is a template": _stale("{{ 7*7 }}"),
    "a token that is a list": _stale(["ask|0|/help"]),
    "a token that is null": _no_token(_said(private(ids=[], params={"id": None}))),
    "an offset beyond the end": _token(
        "ask|999999|/order late", "延期订单", "SO-", never=("没有记录", "999999", "1000000")
    ),
    "an offset of 150 digits": _token("ask|" + "9" * 150 + "|/order late", "延期订单", "SO-", never=("9" * 20,)),
    "an offset beyond the end of a help page": _token("ask|500|/help", Notice.HELP),
    "an offset beyond the products to pick": _token("ask|4000|/stock 螺丝", "请选择产品"),
    "an offset for a command that has no pages": _token("ask|8|/whoami", "王仓", "keeper01"),
    "a line that no command knows": _token("ask|0|/stcok SKU123", Notice.UNKNOWN_COMMAND, "“stcok”"),
    "a line that wants to approve": _token("ask|0|/approve PO-1001", "PO-1001 的审批人与依据", "现在无法在此审批"),
    "a token that approves a case that there is not": _token(
        "po.yes|0123456789abcdef01234567-1|01234567", "此卡片已失效"
    ),
    "a keyword that sounds like approving lists what waits": _token(
        "ask|0|/po approve PO-1001", "待审批采购单：PO-1001", "待审批人"
    ),
    "a line with an unknown number": _token("ask|0|/order SO-999999", Notice.NOT_FOUND, "“SO-999999”"),
    "a line with markup": _token("ask|0|/order <b>x</b>", Notice.NOT_FOUND, "＜b＞x＜/b＞", never=("<b>",)),
    "a line with a line end and a NUL": _token("ask|0|/stock\nSKU\x00123", "SKU123 "),
    "a line that is only a slash": _token("ask|0|/", Notice.HELP),
}

CONTENTS: Mapping[str, BadClick] = {
    "neither content nor value": _no_token(_said(None)),
    "empty content": _no_token(_said("")),
    "content that is no JSON": _no_token(_said("{oops", "{oops")),
    "content that is a JSON list": _no_token(_said("[]", "[]")),
    "content that is a number": _no_token(_said(5)),
    "content that is an empty object": _no_token(_said("{}")),
    "neither params nor actionIds": _no_token(_said(private())),
    "params that are a list": _no_token(_said(private(params=[1]))),
    "actionIds that are a word": _no_token(_said(private(ids="ask"))),
    "actionIds that are numbers": _no_token(_said(private(ids=[1, 2]))),
    "a generated node for an action": _no_token(_said(private(ids=["single_button_node_1x2"]))),
    "no params, but an actionId": BadClick(changes=_said(private(ids=[LATE])), title="延期订单"),
    "no actionIds, but a parameter": BadClick(changes=_said(private(params={"id": LATE})), title="延期订单"),
    "no content, but a value": BadClick(changes=_said(None, private(ids=[LATE])), title="延期订单"),
    "content that is decoded already": BadClick(changes=_said(orjson.loads(private(ids=[LATE]))), title="延期订单"),
    "more parameters than asked for": BadClick(
        changes=_said(private(ids=[LATE], params={"id": LATE, "form": {"reason": "<b>"}, "x": [1]})), title="延期订单"
    ),
    "an extension that is no JSON": BadClick(changes={"extension": "{oops"}, title="延期订单"),
}

PLACES: Mapping[str, BadClick] = {
    "a card of another bot": _foreign(outTrackId="po-1001-3f0c9a"),
    "an id that looks like ours": _foreign(outTrackId=f"q1-{'0' * 32}-{'0' * 16}"),
    "an id of 5 000 characters": _foreign(outTrackId="q1-" + "0" * 5_000),
    "a card of another organisation": _foreign(corpId="dingothercorp"),
    "a card of no organisation": _foreign(corpId=None),
    "an organisation that is a list": _foreign(corpId=["dingdemocorp"]),
    "no card": _nobody(outTrackId=None),
    "a card that is a list": _nobody(outTrackId=["q1"]),
    "nobody who clicked": _nobody(userId=None),
    "an empty user": _nobody(userId=""),
    "a user that is an object": _nobody(userId={"id": "keeper01"}),
    "a user whom the directory does not know": _stranger("ghost"),
    "an outsider in the group": _stranger("ext_carrier"),
    "a user id of 5 000 characters": _stranger("x" * 5_000),
    "a user id that is markup": _stranger("<b>**[x](https://evil.example)**</b>"),
    "no place": BadClick(changes={"spaceId": None, "spaceType": None}, title="延期订单"),
    "a place that nobody knows": BadClick(changes={"spaceId": "cidElsewhere=="}, title="延期订单"),
    "a kind of callback that nobody knows": BadClick(changes={"type": "formCallback"}, title="延期订单"),
}

CLICKS: Mapping[str, BadClick] = {**TOKENS, **CONTENTS, **PLACES}
