"""The imports between packages: `.importlinter` allows only those that exist, and catches wrong ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest
from grimp import ImportGraph, build_graph
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import Contract

from tests.project.tree import ROOT

CONFIGURATION = str(ROOT / ".importlinter")

KINDS: dict[str, type[Contract]] = {
    "layers": LayersContract,
    "protected": ProtectedContract,
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "acyclic_siblings": AcyclicSiblingsContract,
}

WRONG = [
    # The domain imports nothing.
    ("bot.erp.model", "bot.alerts.event"),
    ("bot.erp.model", "bot.erp.port"),
    ("bot.erp.model", "aiohttp"),
    ("bot.erp.port", "bot.mechanisms.metrics"),
    ("bot.erp.hub", "bot.store.database"),
    ("bot.erp.hub", "bot.cards.view"),
    ("bot.erp.hub", "bot.erp.odoo.adapter"),
    ("bot.erp.odoo.adapter", "bot.erp.erpnext.client"),
    ("bot.erp.tryton.client", "bot.settings"),
    ("bot.kit.company.adapter", "bot.store.database"),
    ("bot.words.phrase", "bot.words.errors"),
    ("bot.words.errors", "bot.mechanisms.metrics"),
    # Inner packages import ports and domain, and one another in one direction.
    ("bot.cards.view", "bot.alerts.event"),
    ("bot.cards.renderer", "bot.chat.registry"),
    ("bot.chat.registry", "bot.dingtalk.openapi"),
    ("bot.chat.registry", "bot.alerts.alert"),
    ("bot.alerts.processing.lifecycle", "bot.approvals.case"),
    ("bot.alerts.processing.processor", "bot.store.alerts.repository"),
    ("bot.approvals.voting", "sqlalchemy"),
    ("bot.outbox.worker", "bot.dingtalk.card_api"),
    ("bot.access.policy", "bot.settings"),
    ("bot.rulefiles.followed_file", "bot.alerts.rules.parser"),
    # Commands import services and views, never a wire format, a table or a vendor.
    ("commands.stock", "bot.dingtalk.openapi"),
    ("commands.stock", "bot.kit.company.adapter"),
    ("commands.order", "bot.store.database"),
    ("commands.order", "aiohttp"),
    ("bot.chat.registry", "commands.stock"),
    # Packages at the edge do not import one another.
    ("bot.dingtalk.openapi", "bot.kit.simulator.engine"),
    ("bot.dingtalk.openapi", "bot.store.database"),
    ("bot.store.database", "bot.kit.testing.company"),
    ("bot.store.database", "bot.web.server"),
    ("bot.web.server", "bot.approvals.service"),
    ("bot.queues.brokers", "bot.web.server"),
    ("bot.kit.simulator.engine", "bot.words.errors"),
    ("bot.kit.simulator.engine", "bot.dingtalk.frames"),
    ("bot.kit.testing.company", "bot.store.database"),
    # Vendors are opened by their names.
    ("commands.order", "bot.erp.odoo.adapter"),
    ("bot.chat.registry", "bot.erp.odoo.adapter"),
    ("bot.cards.view", "bot.erp.kingdee.client"),
    ("bot.read_model.follower", "bot.erp.tryton.adapter"),
    ("bot.store.database", "bot.erp.sql.adapter"),
    ("bot.bootstrap.services", "bot.erp.mapped.builders"),
    ("bot.read_model.follower", "bot.erp.plans.plan"),
    # Rooms have insides.
    ("commands.po", "bot.approvals.lifecycle"),
    ("commands.po", "bot.approvals.policy.rules"),
    ("commands.order", "bot.understanding.lines.composer"),
    ("bot.dingtalk.card_api", "bot.approvals.lifecycle"),
    ("bot.alerts.rules.parser", "bot.alerts.processing.processor"),
    ("bot.alerts.event", "bot.alerts.service"),
    ("bot.approvals.policy.rules", "bot.approvals.service"),
    ("bot.approvals.plan", "bot.approvals.voting"),
    ("bot.dingtalk.rate_limit", "bot.dingtalk.stream"),
    ("bot.dingtalk.openapi", "bot.dingtalk.answer_channel"),
    ("bot.web.server", "bot.alerts.processing.processor"),
    ("bot.queues.brokers", "bot.alerts.processing.processor"),
    # Each library has its rooms.
    ("bot.web.server", "sqlalchemy"),
    ("bot.dingtalk.openapi", "sqlalchemy"),
    ("bot.bootstrap.services", "dingtalk_stream"),
    ("bot.web.server", "dingtalk_stream"),
    ("bot.understanding.lines.composer", "openai"),
    ("bot.bootstrap.services", "openai"),
    ("bot.web.mcp.endpoint", "mcp"),
    ("bot.understanding.reader", "aiohttp"),
    ("bot.store.database", "aiohttp"),
    ("bot.web.server", "jinja2"),
    ("commands.order", "jinja2"),
    # A command stands alone.
    ("commands.order", "commands.po"),
    ("commands.why", "commands.pending"),
    # Only the composition root and the command line import everything.
    ("bot.settings", "bot.app"),
    ("bot.store.database", "bot.bootstrap.services"),
    ("bot.bootstrap.services", "bot.app"),
    ("bot.app", "bot.cli"),
    ("bot.doctor", "bot.admin"),
    ("bot.chat.registry", "bot.api.commands"),
    ("bot.kit.testing.commands", "bot.api.commands"),
]


@pytest.fixture(scope="module")
def graph() -> ImportGraph:
    return build_graph("bot", "commands", include_external_packages=True, cache_dir=None)


@pytest.fixture(scope="module")
def contracts() -> Sequence[Contract]:
    read = read_configuration(CONFIGURATION)
    return [make_contract(options, read["session_options"]) for options in read["contracts_options"]]


def make_contract(options: dict[str, Any], session: dict[str, Any]) -> Contract:
    return KINDS[options["type"]](options["name"], session, options)


def broken(contracts: Sequence[Contract], graph: ImportGraph) -> Iterator[str]:
    """Yield the names of the contracts that an import breaks. Checking may remove imports from ``graph``."""
    return (contract.name for contract in contracts if not contract.check(deepcopy(graph), verbose=False).kept)


def test_the_code_keeps_to_the_arrows(contracts: Sequence[Contract], graph: ImportGraph) -> None:
    assert [*broken(contracts, graph)] == []


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("importer", "imported"), WRONG, ids=[" ← ".join(pair) for pair in WRONG])
def test_a_wrong_import_is_caught(
    contracts: Sequence[Contract], graph: ImportGraph, importer: str, imported: str
) -> None:
    assert importer in graph.modules
    assert imported in graph.modules
    planted = deepcopy(graph)
    planted.add_import(importer=importer, imported=imported)
    assert any(broken(contracts, planted))


def test_every_room_has_its_place(graph: ImportGraph) -> None:
    contracts = read_configuration(CONFIGURATION)["contracts_options"]
    (rooms,) = (contract for contract in contracts if contract["name"] == "Rooms")
    placed = {room.strip() for layer in rooms["layers"] for room in layer.split("|")}
    inside = {room for room in graph.find_children("bot") if graph.find_children(room) <= placed}
    assert graph.find_children("bot") - inside <= placed


def test_a_public_class_name_stands_once() -> None:
    """Only vendors may use the same class names as one another."""
    vendors = {path.parent.name for path in (ROOT / "bot/erp").glob("*/manifest.py")}
    homes: dict[str, set[str]] = {}
    for path in sorted((ROOT / "bot").rglob("*.py")):
        parts = path.relative_to(ROOT / "bot").parts
        is_vendor = (parts[0] == "erp" and parts[1] in vendors) or parts[:2] == ("kit", "company")
        home = "a vendor" if is_vendor else "/".join(parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, set()).add(home)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_vendors_name_their_files_alike() -> None:
    concerns = {"__init__", "manifest", "options", "adapter", "client", "query", "documents", "mapping", "stock"}
    concerns |= {"changes", "creating", "decisions", "users", "partners", "goods", "lots", "receipts"}
    concerns |= {"plans", "reads", "sales", "purchases", "orders", "finance", "production", "transfers", "products"}
    concerns |= {path.stem for path in (ROOT / "bot/erp/kinds").glob("*.py")}
    concerns |= {"accounts", "requests", "settlement"}  # where the configuration describes the ERP's API
    concerns |= {"named_queries", "reading_proof"}  # where the ERP is a database that the administrator asks
    strange = {
        str(path.relative_to(ROOT))
        for manifest in (ROOT / "bot/erp").glob("*/manifest.py")
        if manifest.parent.name != "demo"  # a company with a database of its own, not a way to somebody else's ERP
        for path in manifest.parent.glob("*.py")
        if path.stem not in concerns
    }
    assert strange == set()
