"""For all tests: two Hypothesis profiles, one PostgreSQL server, and no skips in CI, so that every test runs.

Alembic migrates one empty database, and the demo company is written once for each day; further databases are copies.
Bots within the test process share compiled templates, compiled statements, sentences and the dictionary of pinyin.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Generator, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from zlib import crc32

import pytest
import structlog
from _pytest.runner import runtestprotocol
from hypothesis import settings
from sqlalchemy import Engine, inspect
from sqlalchemy.engine import Connection
from typer.main import get_command

from bot.cards.environment import CardEnvironment
from bot.chat.arguments import Keyword
from bot.chat.charts import ChartPictures
from bot.chat.registry import AnyCommand, Commands, installed_commands
from bot.cli import GC_THRESHOLDS
from bot.erp.index import dictionary, folding
from bot.erp.index.follower import IndexFollower
from bot.erp.index.pinyin import look_up
from bot.erp.index.port import IndexEntry, Readings
from bot.erp.index.search import ProductIndex
from bot.erp.kinds import Kind
from bot.erp.model import Product
from bot.kit.company import seeding
from bot.kit.company.company import SEED
from bot.store import database
from bot.understanding import learning
from bot.understanding.sentences import Sentences
from bot.web.api import documents
from tests import examples
from tests.erp.sql import postgres_server as postgres_server_module
from tests.erp.sql.postgres_server import Postgres
from tests.store import pgbouncer

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

# Deadlines would fail tests on a busy machine; in CI the same commit always has the same examples.
settings.register_profile(
    "dingerp", deadline=None, derandomize=os.environ.get("CI") == "true", max_examples=examples.USUAL
)
settings.register_profile("thorough", settings.get_profile("dingerp"), max_examples=examples.THOROUGH)
settings.load_profile("dingerp")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

MEMORY, ROOM = Path("/dev/shm"), 4 << 30
"""A file system in memory, and the bytes that must be free there: the files of all tests take less than half of it."""


def _keep_files_in_memory() -> None:
    """Make the temporary files of this process, and of those it starts, files in memory where there is room.

    The bot waits for the disk at each commit that it promises to keep; with four milliseconds a time the tests spend a
    third of their time on that. What a disk loses at a power cut is imitated by the tests that are about it.
    """
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


_keep_files_in_memory()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        default=os.environ.get("CI") == "true",
        help="fail every test that skips; the default where the environment says CI=true",
    )


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """Log defects in plain lines: coloured source and the locals of a whole company take seconds for each traceback."""
    *before, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])


@pytest.fixture(autouse=True)
def _own_log() -> Generator[None, None, None]:
    """Restore the log's configuration: what a test of the command line configures ends with its captured stream."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    yield
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


class DatabaseTemplates:
    """Fills empty SQLite databases: the bot fills the first of a kind, the others are copies of that one."""

    def __init__(self) -> None:
        self._made: dict[Hashable, sqlite3.Connection] = {}

    def fill(self, connection: Connection, kind: Hashable, fill: Callable[[], object]) -> None:
        if connection.dialect.name != "sqlite" or inspect(connection).get_table_names():
            fill()
            return
        file = connection.connection.driver_connection
        assert isinstance(file, sqlite3.Connection)
        if kind in self._made:
            # The bot itself has to find out that a path cannot be written or is no database.
            with suppress(sqlite3.Error):
                self._made[kind].backup(file)
                return
        fill()
        file.commit()
        made = sqlite3.connect(":memory:", check_same_thread=False)
        file.backup(made)
        self._made[kind] = made

    def close(self) -> None:
        for made in self._made.values():
            made.close()


@contextmanager
def _fill_once() -> Iterator[None]:
    """An empty database's tables take 30 ms and the company 100 ms, a copy 2 ms; hundreds of tests need one."""
    make, prepare = database.make_first_tables, seeding.prepare

    def first(connection: Connection, revision: str) -> bool:
        if inspect(connection).get_table_names():
            return make(connection, revision)
        copies.fill(connection, "first", lambda: make(connection, revision))
        return True

    def seeded(connection: Connection, today: date, seed: int = SEED) -> None:
        copies.fill(connection, (today, seed), lambda: prepare(connection, today, seed))

    with closing(DatabaseTemplates()) as copies, pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "make_first_tables", first)
        patch.setattr(seeding, "prepare", seeded)
        yield


@contextmanager
def _compile_once() -> Iterator[None]:
    """Each bot has its own templates, and compiling them takes 60 ms. The code depends on nothing but the template's
    source."""
    compile_anew = CardEnvironment.compile
    compiled: dict[Hashable, Any] = {}

    def once(self: CardEnvironment, source: Any, *named: Any, **more: Any) -> Any:
        if more or not isinstance(source, str):
            return compile_anew(self, source, *named, **more)
        presenter = self.presenter
        kind = (type(self), presenter.language, str(presenter.zone), source, named)
        if kind not in compiled:
            compiled[kind] = compile_anew(self, source, *named)
        return compiled[kind]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CardEnvironment, "compile", once)
        yield


class SharedStatementCache(dict[tuple[Any, ...], Any]):
    """SQLAlchemy's compiled statements, shared by all engines of one dialect.

    SQLAlchemy keys them by an engine's own dialect object, and each test has its own engines.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(self._of(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(self._of(key), compiled)

    @staticmethod
    def _of(key: tuple[Any, ...]) -> tuple[Any, ...]:
        dialect, *statement = key
        return (type(dialect), dialect.server_version_info, *statement)


@contextmanager
def _compile_statements_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Engine, "_execution_options", Engine._execution_options.union({"compiled_cache": SharedStatementCache()})
        )
        yield


@contextmanager
def _build_commands_once() -> Iterator[None]:
    """Typer builds all commands of the command line anew, in 30 ms, whenever a test runs one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@contextmanager
def _build_requests_once() -> Iterator[None]:
    """Pydantic builds what the API's lists take in 20 ms for each bot; it depends on the kind and the command alone."""
    build, built = documents._list_request, dict[Hashable, Any]()

    def once(kind: Kind[Any], command: AnyCommand, lists: Sequence[Keyword]) -> Any:
        of = (kind, *lists, *(parameter.type for parameter in command.signature.parameters))
        if of not in built:
            built[of] = build(kind, command, lists)
        return built[of]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "_list_request", once)
        yield


@contextmanager
def _read_sentences_once() -> Iterator[None]:
    """Reading the built-in sentences takes 40 ms; they and the installed commands are the same for each bot."""
    load = Sentences.load
    of_installed = cache(lambda: load(installed_commands()))

    def once(commands: Commands, own: Collection[Path] = ()) -> Sentences:
        installed = [*commands.values()] == [*installed_commands().values()]
        return load(commands, own) if own or not installed else of_installed()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sentences, "load", staticmethod(once))
        yield


@contextmanager
def _look_up_here() -> Iterator[None]:
    """Read the dictionary in this process: it is loaded once, and hundreds of bots ask for it, each of them twice."""

    known: dict[str, tuple[str, ...]] = {}

    async def read_here(characters: Collection[str]) -> Readings:
        for sign, readings in dictionary.read(set(characters) - known.keys()).items():
            known[sign] = tuple(readings)
        return {sign: known[sign] for sign in characters}

    defaults = IndexFollower.__init__.__kwdefaults__
    assert defaults["look_up"] is look_up
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(defaults, "look_up", read_here)
        patch.setattr(learning, "look_up", read_here)
        yield


@contextmanager
def _fold_once() -> Iterator[None]:
    """Each bot makes the words by which the demo company's products are found, in 20 ms."""
    fold, folded = folding._entry, dict[Hashable, IndexEntry]()

    def once(product: Product, readings: Readings) -> IndexEntry:
        of = (product, *(tuple(readings.get(sign, ())) for sign in product.name))
        if of not in folded:
            folded[of] = fold(product, readings)
        return folded[of]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "_entry", once)
        yield


@contextmanager
def _wait_patiently() -> Iterator[None]:
    """Let searches of the index, and the charts of typed questions, take as long as a busy machine needs; tests of the
    limits set their own.
    """
    searching, drawing = ProductIndex.__init__.__kwdefaults__, ChartPictures.__init__.__kwdefaults__
    assert "seconds" in searching
    typed, clicked = drawing["waits"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(searching, "seconds", 60.0)
        patch.setitem(drawing, "waits", (typed + 60.0, clicked))
        yield


@pytest.fixture(scope="session", autouse=True)
def _shared() -> Iterator[None]:
    """What all tests of a process share. One fixture has it all: pytest walks through the fixtures of each test."""
    with ExitStack() as stack:
        for share in (
            _fill_once,
            _compile_once,
            _compile_statements_once,
            _build_commands_once,
            _build_requests_once,
            _read_sentences_once,
            _look_up_here,
            _fold_once,
            _wait_patiently,
        ):
            stack.enter_context(share())
        yield


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of the test's own database; with `postgres_url` beside it, ``{kind}_url`` names either."""
    return f"sqlite:///{tmp_path / 'bot.sqlite3'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The only server of this process: starting one takes about a second."""
    folder = postgres_server_module.programs()
    if folder is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    with postgres_server_module.running(folder) as postgres:
        yield postgres


@pytest.fixture(scope="module")
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """A database that the tests of one module share."""
    with postgres_server_module.new_database(postgres_server) as postgres:
        yield postgres


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: Postgres) -> Iterator[Postgres]:
    """A database with all tables of the bot and no rows, as a template: a copy takes 40 ms, Alembic 200 ms."""
    with postgres_server_module.new_database(postgres_server) as postgres:
        # In a thread, because the first test that asks for it may have a running loop here.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _migrate(postgres.admin_url)).result()
        yield postgres


async def _migrate(url: str) -> None:
    store = database.Database(url)
    await store.migrate()
    await store.close()


@pytest.fixture(scope="session")
def postgres_kept(postgres_server: Postgres, postgres_tables: Postgres) -> postgres_server_module.Kept:
    return postgres_server_module.Kept(postgres_server, postgres_tables)


@pytest.fixture
def postgres_url(postgres_kept: postgres_server_module.Kept) -> Iterator[str]:
    """The address of the test's own database, with the bot's tables and no rows."""
    with postgres_kept.lend() as postgres:
        yield postgres.admin_url


@pytest.fixture(scope="session")
def pooler_port(postgres_server: Postgres) -> Iterator[int]:
    """The port of a PgBouncer before the server."""
    program = pgbouncer.program()
    if program is None:
        pytest.skip("no PgBouncer is installed (Debian: apt install pgbouncer)")
    with pgbouncer.pooling(program, postgres_server) as port:
        yield port


@pytest.fixture
def pooled_url(postgres_kept: postgres_server_module.Kept, pooler_port: int) -> Iterator[str]:
    """The address of the test's own database behind the pooler, with the bot's tables and no rows."""
    with postgres_kept.lend() as postgres:
        yield f"{replace(postgres, port=pooler_port).admin_url}?pooled=true"


@pytest.fixture
def empty_postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of the test's own database, without tables."""
    with postgres_server_module.new_database(postgres_server) as postgres:
        yield postgres.admin_url


_TURNS = pytest.StashKey[Counter[str]]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave the cases of a matrix to `make soak`, all but one in as many as its marker ``sampled`` says.

    They are taken in turn, so each row of cases has its share; where to begin depends on the name of the file or class,
    so that two vendors with one contract leave out different cases.
    """
    shares = [sampled.args[0] for sampled in item.iter_markers("sampled")]
    if not shares:
        return
    assert item.parent is not None
    matrix = item.parent.nodeid
    turns = item.session.stash.setdefault(_TURNS, Counter())
    if (crc32(matrix.encode()) + turns[matrix]) % max(shares):
        item.add_marker(pytest.mark.soak)
    turns[matrix] += 1


ONE_WORKER = ("tests/browser/", "tests/commands/demo/", "tests/erp/tryton/real/")
"""Folders whose files share what each worker would otherwise make for itself: a browser, a company that has lived for
three days, a Tryton server."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Distribute whole files to workers, as ``--dist loadfile`` does, and whole folders of `ONE_WORKER`."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in ONE_WORKER if nodeid.startswith(folder)), super()._split_scope(nodeid))

        def _assign_work_unit(self, node: WorkerController) -> None:
            """Give the last worker the short files, which use the processor all the time: those at the front wait much,
            and with all workers at the front at once the processors stood idle.
            """
            if node is self.nodes[-1] is not self.nodes[0]:
                self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
            super()._assign_work_unit(node)

    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that may take longest, so that no worker runs one of them after the others have ended.

    Files stay together, and the tests of each file in their order.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    longest_first = sorted(files.values(), key=lambda tests: (-_may_take(tests), -len(tests) * _weight(tests[0])))
    items[:] = [test for tests in longest_first for test in tests]


LONG = (
    "tests/alerts/intake/test_polling_demo.py",
    "tests/outbox/test_outages.py",
    "tests/project/test_command_example.py",
    "tests/project/test_erp_example.py",
    "tests/scenario/test_month.py",
    "tests/scenario/test_only_asks.py",
    "tests/scenario/test_permission_matrix.py",
    "tests/scenario/test_real_erp.py",
    "tests/scenario/test_shown_lines.py",
    "tests/scenario/test_ways_out.py",
    "tests/understanding/test_sentences.py",
)
"""Files of few tests that work for ten seconds and more: one of them at the end keeps one worker busy and no other."""


def _may_take(tests: Sequence[pytest.Item]) -> float:
    """Return the seconds that a file may take at most; it is hardly known where its tests set no limit of their own."""
    if tests[0].nodeid.startswith(ONE_WORKER):
        return math.inf
    limits = [limit for test in tests if (limit := test.get_closest_marker("timeout")) is not None]
    usual = 60.0 if tests[0].nodeid.startswith(LONG) else 0.0
    return max((float(limit.args[0]) for limit in limits), default=usual)


def _weight(test: pytest.Item) -> int:
    """Return how many other tests take as long: one of the whole bot takes 0.5 s of the processor, others 0.05."""
    return 10 if test.nodeid.startswith("tests/scenario/") else 1


def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    # The ten thousand test items are no garbage; collecting over them again and again costs as much as many tests.
    gc.freeze()
    # Ten times as rarely as the bot itself: most of what a test makes goes with it, and each look takes 3 ms.
    youngest, *older = GC_THRESHOLDS
    gc.set_threshold(10 * youngest, *older)
    gc.enable()
    # Where Python's own handler is in place, asyncio puts one of its own around each phase of each test, and looking at
    # that one writes out the phase's whole task and result: a fiftieth of all work.
    signal.signal(signal.SIGINT, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Send one report of a test that passed from a worker, with the time of all its phases and nothing captured.

    For each test pytest-xdist sends six messages, three of them with all that the bot logged: a twentieth of all work.
    """
    if not hasattr(item.config, "workerinput"):
        return None
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    seconds = math.fsum(report.duration for report in reports)
    for report in reports:
        if report.passed and report.when == "call":
            report.sections.clear()
            report.duration = seconds
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if item.get_closest_marker("xfail"):
        # Nobody reads the traceback of an expected failure, and each takes 12 ms.
        item.repr_failure = lambda excinfo: str(excinfo.value)  # type: ignore[method-assign]
    return _refuse_skip((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _refuse_skip((yield), collector.config)


def _refuse_skip(report: Report, config: pytest.Config) -> Report:
    """Turn a skip into a failure where skips are not allowed. An expected failure is no skip."""
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped here. {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many processes were killed, if any: workers of xdist keep theirs to themselves."""
    processes = sys.modules.get("tests.scenario.processes")
    if processes is not None and processes.KILLED:
        killed = ", ".join(f"{file} {number}" for file, number in sorted(processes.KILLED.items()))
        terminalreporter.write_line(f"{processes.KILLED.total()} processes were killed while they worked: {killed}")
