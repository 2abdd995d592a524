"""States of documents that no list holds: 已经开票但没发货的订单, "paid but not shipped", 没有发票的发货单."""

from __future__ import annotations

import re

_DEED = "开票|开发票|付款|付钱|收款|回款|发货|出货|到货|收货|完工|审批|交货|入库|出库|签收|对账|结清|付清"
_NOT_YET, _MATTER = "(?<![没未不该应到需要])", "(?:票|款|钱|货)?"
_DONE = rf"(?:(?:已经?|都)(?:{_DEED})|{_NOT_YET}(?:{_DEED})了?|{_NOT_YET}[开付收发到交][了过好]{_MATTER})"
_UNDONE = rf"(?:还?没有?|尚?未|还没有)(?:{_DEED}|(?:开|付|收|发|到|交){_MATTER})"
_STILL = "(?:一直|迟迟|至今|都|也|还)*"
_BUT = rf"(?:的|了)?[,，、\s]*(?:但是?|却|可是?|而|而且|并且?|且|又|也|还|后|之后|以后)*{_STILL}"
_AND = r"(?:的|了)?[,，、\s]*(?:但是?|却|可是?|而|而且|并且?|且|又|也|还|已经?)(?:已经?|都|也|还)?"
_DEEDS = "paid|shipped|delivered|invoiced|billed|received|approved|finished|dispatched|sent|arrived"
_NOT = (
    r"(?:is |are |was |were |has |have |had |been |still |yet |and |or )*"
    r"(?:not|never|hasn't|haven't|isn't|aren't)(?: been| yet)*"
)
_UNPAID = "un(?:paid|shipped|billed|delivered)"
_OF_TWO_STATES = re.compile(
    rf"既?(?:{_DONE}{_BUT}{_UNDONE}|{_UNDONE}{_AND}(?:{_DONE}|{_UNDONE}))"
    rf"|(?<![a-z])(?:{_DEEDS})(?: but| and| yet|,)+ {_NOT} (?:{_DEEDS})(?![a-z])"
    rf"|(?<![a-z])(?:not|neither)(?: been| yet)* (?:{_DEEDS}) (?:but|and|nor|or)"
    rf" (?:(?:not|already|yet) )*(?:{_DEEDS})(?![a-z])"
    rf"|(?<![a-z])(?:{_DEEDS}) (?:but|and|yet)(?: still)? {_UNPAID}(?![a-z])"
    rf"|(?<![a-z]){_UNPAID} (?:and|but|or) (?:{_UNPAID}|{_DEEDS})(?![a-z])",
    re.IGNORECASE,
)
_LACKED = (
    "发票|票|账单|订单|采购单|工单|生产单|发货单|送货单|出库单|合同|交期|单号|运单号?|快递单号|物流单号"
    "|供应商|客户|业务员"
)
_WITHOUT = re.compile(
    rf"(?<!有)没有?(?:{_LACKED})的(?=.{{0,12}}(?:单|票|款|货|料|产品|客户|供应商))"
    r"|(?<![a-z])(?<!we )(?:have|has|had|got|with) no (?:matching )?"
    r"(?:invoices?|bills?|orders?|deliver(?:y|ies)|payments?|shipments?"
    r"|purchase orders?|pos?|tracking(?: numbers?)?|due dates?|customers?|vendors?|suppliers?)(?![a-z])",
    re.IGNORECASE,
)


def of_two_states(text: str) -> re.Match[str] | None:
    """Return where a text wants two states at once; each list is of one."""
    return _OF_TWO_STATES.search(text)


def without_another(text: str) -> re.Match[str] | None:
    """Return where a text wants documents to which another one does not belong."""
    return _WITHOUT.search(text)


def undone_alone(words: str) -> str:
    """Return what is not done of two states: 没发货 of 已经开票但没发货; empty for what is said otherwise."""
    undone = re.search(_UNDONE, words)
    return undone[0] if undone else ""
