"""A program with the client that openapi-python-client generates: it prints as JSON what it is told.

The key and the address are in the environment.
"""

import json
import os

from dingerp_client import AuthenticatedClient
from dingerp_client.api.default import ask, gate_ask, list_order, read_order
from dingerp_client.models import (
    AskQuestionBody,
    AskQuestionBodyLanguageType0,
    GateAskLeaveBody,
    GateAskLeaveBodyFacts,
    Hidden,
    ListOrderList,
    Money,
)
from dingerp_client.types import UNSET

bot = AuthenticatedClient(base_url=os.environ["BOT_URL"], token=os.environ["BOT_KEY"], timeout=60)


def told(amount: Money | Hidden | None) -> str:
    if isinstance(amount, Hidden):
        return f"hidden: {amount.hidden.value}"
    return f"{amount.amount} {amount.currency}" if amount is not None else ""


def late_orders() -> list[str]:
    numbers, cursor = [], UNSET
    while True:
        page = list_order.sync(client=bot, list_=ListOrderList.LATE, limit=3, cursor=cursor)
        numbers += [order.number for order in page.view.rows]
        if page.next_ is None:
            return numbers
        cursor = page.next_


question = AskQuestionBody(line="stock SKU123", language=AskQuestionBodyLanguageType0.EN)
facts = GateAskLeaveBodyFacts.from_dict({"amount": "10.00"})
leave = GateAskLeaveBody(class_="refund", action="Refund an order", facts=facts, expires_in=600)
problem = list_order.sync(client=bot, days="someday")
answers = {
    "late": late_orders(),
    "total": told(read_order.sync("SO-1001", client=bot).view.document.total),
    "asked": ask.sync(client=bot, body=question).asked,
    "problem": [problem.status, [part.parameter for part in problem.errors]],
    "state": gate_ask.sync(client=bot, body=leave, idempotency_key="asked-1").state,
}
print(json.dumps(answers))
