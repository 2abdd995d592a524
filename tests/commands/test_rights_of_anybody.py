"""Whatever the rules, and whatever is typed: no answer names a document, a partner or a warehouse outside."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.access.grants import EVERYTHING, Scope
from bot.access.policy import AccessPolicy
from bot.access.rules import AccessRule
from bot.approvals.service import ApprovalService, RevisionCase
from bot.chat.context import QuestionContext
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.registry import AnyCommand, Commands
from bot.erp.hub import ErpHub
from bot.kit.testing.unfollowed_documents import UnfollowedDocuments
from bot.mechanisms.metrics import Metrics
from bot.read_model.queries import ReadModel
from bot.words.disclosure import ALL_FIELDS, FieldClass, cut
from commands.find import find
from commands.invoice import invoice
from commands.mo import mo
from commands.order import order
from commands.po import po
from commands.stock import stock
from tests.commands.company import NOW, Company
from tests.commands.conftest import GROUP, KEEPER
from tests.examples import examples

NAMES = ("stock", "order", "invoice", "po", "mo")
ASKED: tuple[AnyCommand, ...] = (stock, order, invoice, po, mo, find)
LINES = (
    *("/stock SKU123", "/stock SKU1234", "/stock SKU123 SKU124 SKU1234", "/stock 螺", "/stock 螺丝", "/stock SKU129"),
    *("/order", "/order late", "/order SO-1001", "/order SO-1003", "/order 深圳", "/order SO-1009", "/order SO-2"),
    *("/invoice", "/invoice overdue", "/invoice INV-7", "/invoice 上海", "/invoice INV-77", "/invoice INV"),
    *("/po", "/po pending", "/po late", "/po PO-1001", "/po 苏州", "/po PO-100", "/po PO-1009"),
    *("/mo", "/mo late", "/mo MO-1", "/mo 电机", "/mo MO-9"),
    *("/find 上海", "/find 10", "/find SKU", "/find 深圳", "上海", "SO-1001", "/find 苏州"),
)


class NoCases:
    """Nothing waits for a decision."""

    async def case_of(self, *args: object) -> RevisionCase:
        return RevisionCase()


def a_dispatcher(policy: AccessPolicy) -> QuestionDispatcher:
    hub = ErpHub([Company()], metrics=Metrics(), now=lambda: NOW)
    return QuestionDispatcher(
        commands=Commands(ASKED),
        policy=lambda: policy,
        collaborators={ErpHub: hub, ReadModel: ReadModel(UnfollowedDocuments(), hub), ApprovalService: NoCases()},
        seconds=5,
    )


def outside(areas: dict[str, Scope]) -> Iterator[str]:
    """Yield the numbers and names that a reader of these scopes must not meet, by the records of the company."""
    company = Company()
    for command, documents in (
        ("order", company.sales),
        ("invoice", company.issued),
        ("po", company.purchases),
        ("mo", company.productions),
    ):
        scope = areas[command]
        for document in documents:
            partner = getattr(document, "customer", "") or getattr(document, "vendor", "")
            if scope.warehouses is not None or (scope.partners is not None and partner not in scope.partners):
                yield document.number
    wanted = areas["stock"].warehouses
    if wanted is not None:
        yield from ({"上海成品仓库", "深圳仓", "成都仓"} - wanted)


PARTNERS = st.frozensets(
    st.sampled_from(["上海宏图机械", "Acme, Inc", "深圳创新", "宁波标准件厂", "苏州包装"]), max_size=2
)
WAREHOUSES = st.frozensets(st.sampled_from(["上海成品仓库", "深圳仓", "成都仓"]), max_size=2)
DOCUMENT_SCOPES = st.one_of(
    st.just(EVERYTHING), st.builds(Scope, partners=PARTNERS), st.builds(Scope, warehouses=WAREHOUSES)
)
STOCK_SCOPES = st.one_of(st.just(EVERYTHING), st.builds(Scope, warehouses=WAREHOUSES))
AREAS = st.fixed_dictionaries({name: STOCK_SCOPES if name == "stock" else DOCUMENT_SCOPES for name in NAMES})


@settings(max_examples=examples(1 / 2))
@given(areas=AREAS, named=st.booleans())
def test_no_answer_holds_a_row_outside(areas: dict[str, Scope], named: bool) -> None:
    fields = ALL_FIELDS if named else ALL_FIELDS - {FieldClass.PARTNER}
    rules = [
        AccessRule(commands=frozenset({name}), roles=frozenset({"*"}), fields=fields, scope=scope)
        for name, scope in areas.items()
    ]
    forbidden = {*outside(areas)} | (set() if named else {"上海宏图机械", "Acme, Inc", "宁波标准件厂"})

    async def check() -> None:
        dispatcher = a_dispatcher(AccessPolicy(rules=rules))
        for line in LINES:
            answer = await dispatcher.view_for(QuestionContext(person=KEEPER, conversation=GROUP, line=line, now=NOW))
            view = cut(answer.view, fields)
            # What was typed may be said again, and visible documents refer to this order.
            words = {word for word in forbidden - {"SO-1001"} if word not in line}
            assert [word for word in words if f"'{word}'" in repr(view)] == [], line
            assert [word for word in words if word in repr(view.buttons())] == [], line

    asyncio.run(check())
