"""A small company in SQLite whose sales are not all invoiced, and questions about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from bot.access.people import Person
from bot.access.policy import AccessPolicy
from bot.chat.context import QuestionContext
from bot.chat.message import Conversation, ConversationKind
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import Commands, installed_commands
from bot.erp.named_queries import QueryDatabase
from bot.erp.vendors import open_query_database
from bot.mechanisms.metrics import Metrics
from bot.named_questions.asking import NamedQuestionService
from bot.named_questions.file import QuestionReader
from bot.named_questions.question import NamedQuestions
from tests.commands.company import NOW

SOURCE: Final = "main"
ORDERS = """
CREATE TABLE sale (no TEXT, customer TEXT, seller TEXT, store TEXT, shipped_on TEXT, pieces REAL, cents INTEGER,
                   currency TEXT, cost REAL);
INSERT INTO sale VALUES
 ('SO-1', '华东机械', 'li01', 'W1', '2026-11-02', 3, 120050, 'CNY', 0.1),
 ('SO-2', '宏达五金', 'wang02', 'W2', '2026-11-03', 0.5, 9900, 'USD', 0.2),
 ('SO-3', '华东机械', 'wang02', 'W1', '2026-10-30', 12, 1, 'CNY', NULL),
 ('SO-4', '=HYPERLINK("http://x")', 'li01', 'W2', NULL, NULL, NULL, 'CNY', 0.1);
"""

NOT_INVOICED = """
[[questions]]
name = "not_invoiced"
title = "Shipped, not invoiced"
title_zh = "已发货未开票"
words = ["发货未开票"]
source = "main"
shows = ["order"]
roles = ["finance", "sales"]
sample = "2026-11"
sql = '''
SELECT no, customer, seller, store, shipped_on, pieces, cents, currency, cost FROM sale
WHERE coalesce(shipped_on, :days_from) BETWEEN :days_from AND :days_to
  AND customer LIKE :customer_like ESCAPE '!' AND coalesce(cents, 0) >= :least * 100
ORDER BY no
'''
[questions.scope]
partner = "customer"
owner = ["seller"]
warehouse = ["store"]
[[questions.arguments]]
name = "days"
title = "days"
title_zh = "日期"
type = "days"
default = "this month"
[[questions.arguments]]
name = "least"
title = "at least"
type = "number"
class = "amount"
default = "0"
[[questions.arguments]]
name = "customer"
title = "customer"
type = "partner"
default = ""
[[questions.columns]]
column = "no"
title = "Order"
title_zh = "订单号"
type = "document"
of = "order"
class = "open"
[[questions.columns]]
column = "customer"
title = "Customer"
type = "text"
class = "partner"
[[questions.columns]]
column = "shipped_on"
title = "Shipped on"
type = "day"
class = "open"
[[questions.columns]]
column = "pieces"
title = "Pieces"
type = "quantity"
unit = "个"
class = "quantity"
[[questions.columns]]
column = "cents"
title = "Amount"
type = "money"
currency_from = "currency"
factor = "0.01"
class = "amount"
[[questions.columns]]
column = "cost"
title = "Cost"
type = "number"
class = "cost"
"""

STORES = """
[[questions]]
name = "stores"
title = "Stores"
title_zh = "各仓件数"
source = "main"
shows = ["order"]
roles = ["*"]
sql = "SELECT store, sum(pieces) AS pieces, sum(cost) AS cost FROM sale GROUP BY store ORDER BY store"
[[questions.columns]]
column = "store"
title = "Store"
type = "text"
class = "open"
[[questions.columns]]
column = "pieces"
title = "Pieces"
type = "number"
class = "open"
[[questions.columns]]
column = "cost"
title = "Cost"
type = "money"
currency = "CNY"
class = "cost"
"""

OWN_CHAT = Conversation("cidOwn==", ConversationKind.DIRECT)
LI = Person(user_id="li01", name="李", roles=frozenset({"finance"}), language="en")


def open_company(folder: Path) -> QueryDatabase:
    """Return the company's database."""
    file = folder / "company.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.executescript(ORDERS)
    return open_query_database(f"sqlite:///{file}", source=SOURCE, zone=ZoneInfo("Asia/Shanghai"), seconds=10)


def read_questions(database: QueryDatabase, *texts: str) -> NamedQuestions:
    """Return the questions of a file."""
    names = {name for each in installed_commands().values() for name in each.names}
    content = "\n".join(texts).encode()
    return QuestionReader({SOURCE: database}, names).review(content).rules.rules


AskQuestion = Callable[..., "PreparedAnswer"]


class Desk:
    """The bot's answers about the questions of a company, with the rules in ``policy``."""

    def __init__(self, questions: NamedQuestions, databases: Mapping[str, QueryDatabase], policy: AccessPolicy) -> None:
        self.questions = questions
        self.metrics = Metrics()
        service = NamedQuestionService(
            lambda: self.questions, databases, account_of=lambda user, _source: f"{user}@erp", metrics=self.metrics
        )
        self._dispatcher = QuestionDispatcher(
            commands=Commands([installed_commands()["ask"]]),
            policy=lambda: policy,
            collaborators={NamedQuestionService: service},
            seconds=20,
            named=service.line_of,
        )

    async def ask(
        self, line: str, person: Person = LI, *, where: Conversation = OWN_CHAT, offset: int = 0
    ) -> PreparedAnswer:
        """Return the answer to a line."""
        context = QuestionContext(person=person, conversation=where, line=line, now=NOW, offset=offset)
        return await self._dispatcher.view_for(context)
