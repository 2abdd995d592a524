"""The tools of agents, each named by a task: what it takes, and the line that it asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from bot.access.api_keys import PROPOSE_SCOPE
from bot.chat.parsing import command_line, normalise
from bot.erp.kinds import KINDS
from bot.web.api.documents import ONE_TEXT, books_of, line_of
from bot.web.api.figures import QUANTITY
from bot.web.api.problems import ApiProblem, WrongPart
from bot.web.api.proposals import ProposalBody
from bot.web.api.questions import QuestionBody
from bot.words.phrase import Phrase, phrase

_MOST_WORD = 100
ROWS, MOST_ROWS = 20, 50
AgentAsk: TypeAlias = QuestionBody | ProposalBody
"""What a tool asks of the API."""
_KINDS = {kind.command: kind for kind in KINDS}


class ToolInput(BaseModel):
    """What every tool takes; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Literal["en", "zh_CN"] | None = Field(None, description="Of the answer; the owner's by default.")

    def ask(self, line: str) -> AgentAsk:
        """Return what is asked of the API for a line."""
        return QuestionBody(line=line, language=self.language)


class ListInput(ToolInput):
    """What tools take whose answer may be a list."""

    limit: int = Field(ROWS, ge=1, le=MOST_ROWS, description="Rows of one answer.")
    offset: int = Field(0, ge=0, le=100_000, description="Rows to leave out, for what follows.")

    def ask(self, line: str) -> AgentAsk:
        return QuestionBody(line=line, language=self.language, limit=self.limit, offset=self.offset)


def _word(description: str, *, needed: bool = False) -> Any:
    # A tool that needs a word needs one that says something.
    return (
        Field(min_length=1, max_length=_MOST_WORD, pattern=r"\S", description=description)
        if needed
        else Field("", max_length=_MOST_WORD, description=description)
    )


class FindInput(ListInput):
    """What is looked for."""

    text: str = _word("A number, a code or a part of a name.", needed=True)


class StockInput(ListInput):
    """Of which product, and where."""

    product: str = _word("The product's code or name.", needed=True)
    warehouse: str = _word("The name of one warehouse.")
    needed: int | None = Field(None, ge=1, le=10**9, description="Is so much of it enough?")


class DocumentsInput(ListInput):
    """Which documents; the names are those of the API's filters."""

    kind: Literal[tuple(_KINDS)] = Field(description="po: purchase order, mo: production order.")  # type: ignore[valid-type]  # known when it runs
    number: str = _word("The number of one document, told in full. No filter is taken with it.")
    list: str = _word("A list with a name, such as late, open, overdue or unpaid, as far as the kind has it.")
    text: str = _word("A part of a number or name.")
    partner: str = _word("A customer's or vendor's name, or a part of it.")
    product: str = _word("The code of a product that the documents have a line of.")
    own: bool = Field(False, description="Only what the key's owner is salesperson, buyer or requester of.")
    days: str = _word("Days of the documents: 2026-11-01..2026-11-30, last month.")
    due: str = _word("Days on which they are due: this week.")
    amounts: str = _word("Bounds of the amount: >1000.")
    created_by: str = _word("Who created them in the ERP: a name, or me.")
    source: str = _word("The name of one ERP, where there are several.")


class ReportInput(ToolInput):
    """Of which time."""

    period: str = _word("A day, week, month or year: today, last week, 2026-10. This month by default.")


class WhyInput(ToolInput):
    """About which document."""

    number: str = _word("The document's number.", needed=True)


class CompareInput(ToolInput):
    """Which two, or the company in two periods."""

    one: str = _word("A customer, a vendor, a product or a person; empty to compare two periods.")
    other: str = _word("Another of the same sort.")
    days: str = _word("Days of both, or the first period: last month. A year by default.")
    other_days: str = _word("The second period, where one thing or the company is compared with itself.")


class PromiseInput(ToolInput):
    """Of what how much, and by when."""

    product: str = _word("The product's code or name.", needed=True)
    quantity: Annotated[int, Field(ge=1, le=10**9)] | Annotated[str, Field(pattern=QUANTITY)] = Field(
        description="How much, in the product's unit: 500, or as text 2.5."
    )
    by: str = _word("A day: 2026-12-31, next week. Now by default.")


class ProposeInput(ToolInput):
    """Which line the owner would run, and why."""

    line: str = _word("A line that changes something, as the owner would type it: /approve PO-1055.", needed=True)
    reason: str = _word("Why, in one sentence for the person who decides.", needed=True)

    def ask(self, line: str) -> AgentAsk:
        return ProposalBody(line=line, reason=self.reason, language=self.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool; ``line`` returns what people type for the same. It raises `ApiProblem` for what fits no line.

    ``does`` says to the person whom an agent asks for it what it opens, which are the ``scopes`` of their key.
    """

    name: str
    title: str
    about: str
    does: Phrase
    scopes: tuple[str, ...]
    takes: type[ToolInput]
    line: Callable[[Any], str]
    only_reads: bool = True

    def ask(self, values: ToolInput) -> AgentAsk:
        """Return what is asked of the API for what a model said."""
        return values.ask(self.line(values))


def _stock(values: StockInput) -> str:
    warehouse = normalise(values.warehouse)
    return command_line(
        "stock",
        normalise(values.product),
        f"@{warehouse}" if warehouse else "",
        f"×{values.needed}" if values.needed else "",
    )


def _compare(values: CompareInput) -> str:
    names = " vs ".join(filter(None, map(normalise, (values.one, values.other))))
    return _with_days(command_line("compare", names), values.days, values.other_days)


def _promise(values: PromiseInput) -> str:
    return _with_days(command_line("promise", normalise(values.product), f"×{values.quantity}"), values.by)


def _with_days(line: str, *days: str) -> str:
    """Return a line with words of time, which stand in it as they are typed."""
    return " ".join(filter(None, (line, *map(normalise, days))))


_WITH_NUMBER = frozenset({"kind", "number", "source", *ListInput.model_fields})


def _documents(values: DocumentsInput) -> str:
    number = normalise(values.number)
    if not number:
        return line_of(_KINDS[values.kind], values)
    if more := values.model_dump(exclude_defaults=True).keys() - _WITH_NUMBER:
        wrong = [WrongPart(parameter=name, detail=ONE_TEXT, example="") for name in sorted(more)]
        raise ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, ONE_TEXT, errors=wrong)
    return command_line(values.kind, number, books=books_of(values))


TOOLS = (
    Tool(
        name="find",
        title="Find",
        about="Find documents, products, customers and vendors by a number or a part of a name.",
        does=phrase("Find documents, products, customers and vendors"),
        scopes=("find",),
        takes=FindInput,
        line=lambda values: command_line("find", normalise(values.text)),
    ),
    Tool(
        name="stock",
        title="Stock",
        about="Tell the stock of a product by warehouse: on hand, reserved, free.",
        does=phrase("See the stock of products"),
        scopes=("stock",),
        takes=StockInput,
        line=_stock,
    ),
    Tool(
        name="documents",
        title="Documents",
        about="List documents of a kind by filters, with sums of all that count, or tell one by its number.",
        does=phrase("See documents such as orders, invoices and purchase orders"),
        scopes=tuple(_KINDS),
        takes=DocumentsInput,
        line=_documents,
    ),
    Tool(
        name="report",
        title="Report",
        about="Tell the figures of sales, invoices, purchases and production of a period.",
        does=phrase("See the figures of sales, invoices, purchases and production"),
        scopes=("report",),
        takes=ReportInput,
        line=lambda values: _with_days("/report", values.period),
    ),
    Tool(
        name="compare",
        title="Compare",
        about="Tell the figures of two partners, products, people or periods side by side, with the difference.",
        does=phrase("Compare the figures of partners, products, people or periods"),
        scopes=("compare",),
        takes=CompareInput,
        line=_compare,
    ),
    Tool(
        name="promise",
        title="Promise",
        about="Tell whether a customer can be promised a quantity of a product, by which day, and what it rests on.",
        does=phrase("Ask what customers can be promised"),
        scopes=("promise",),
        takes=PromiseInput,
        line=_promise,
    ),
    Tool(
        name="why",
        title="Why it is not done",
        about="Tell who decides a document, what an order lacks, or why a bill is not paid. It decides nothing.",
        does=phrase("Ask why a document is not done"),
        scopes=("why",),
        takes=WhyInput,
        line=lambda values: command_line("why", normalise(values.number)),
    ),
    Tool(
        name="pending",
        title="What waits",
        about="List the documents that wait for the owner's decision. People decide in DingTalk; no tool does.",
        does=phrase("See what waits for your decision"),
        scopes=("pending",),
        takes=ListInput,
        line=lambda _values: "/pending",
    ),
    Tool(
        name="propose",
        title="Propose",
        about="Propose a line to the key's owner, who gets a card and decides. Nothing is done unless they tap yes.",
        does=phrase("Propose something to you, which you decide on a card"),
        scopes=(PROPOSE_SCOPE,),
        takes=ProposeInput,
        line=lambda values: str(values.line),
        only_reads=False,
    ),
)
