"""The API matches its description: schemathesis makes valid and invalid requests from it, with keys of several roles.

Whatever is sent, no answer is the server's own fault, and each is what the description promises.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from bot.admin.api_keys import add_key
from bot.bootstrap import api as api_parts
from bot.bootstrap.api import routes_of
from bot.chat.registry import Commands
from bot.web import failed_proofs
from bot.web.api.openapi import describe
from tests.examples import PATIENCE, examples
from tests.scenario.conftest import run_system
from tests.scenario.test_permission_matrix import STAFF
from tests.unlimited import NO_LIMIT

DRAWN_ALONE = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
"""Without the systematic requests, which every worker would prepare when it collects the tests."""
_LONGEST_ADDRESS = 8_000
"""The server itself refuses longer ones, in words of its own."""
DESCRIPTION = describe(routes_of(Commands.discover()))
thorough = settings.get_current_profile_name() == "thorough"
api = schemathesis.openapi.from_dict(DESCRIPTION, config=None if thorough else DRAWN_ALONE)


@contextmanager
def served_elsewhere(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Run a bot in a thread with its own loop, and give its address and a key for each role."""
    listening = threading.Event()
    keys = list[str]()
    found: list[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = []
    roles = {role: frozenset({STAFF[role]}) for role in STAFF if role != "no role"}
    access = {"directory": None, "presets": True, "roles": roles}

    async def serve() -> None:
        async with run_system(folder, access=access, limits={"key": NO_LIMIT}) as system:
            for owner in STAFF.values():
                token, *_ = await add_key(
                    system.app.settings, owner, ["*", "gate", "propose", "events:demo"], "1d", datetime.now(UTC)
                )
                keys.append(token)
            done = asyncio.Event()
            found.append((f"http://127.0.0.1:{system.app.port}", asyncio.get_running_loop(), done))
            listening.set()
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert listening.wait(60)
    address, loop, done = found[0]
    try:
        yield address, keys
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(60)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    guessing = replace(failed_proofs.OF_ADDRESS, most=10**6)
    bounds = partial(failed_proofs.ProofBounds, of_address=guessing, of_all=guessing)
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(api_parts, "ProofBounds", bounds)
        with served_elsewhere(tmp_path_factory.mktemp("programs")) as served:
            yield served


def bounded(share: float) -> settings:
    return settings(max_examples=examples(share), suppress_health_check=list(HealthCheck), deadline=None)


@api.parametrize()
@bounded(1 / 4)
def test_requests_get_what_the_description_promises(case: schemathesis.Case, served: tuple[str, list[str]]) -> None:
    address, keys = served
    drawn = repr((case.path_parameters, case.query, case.body))
    key = keys[crc32(drawn.encode()) % len(keys)]
    response = case.call(base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)
    assume(len(str(response.request.url)) < _LONGEST_ADDRESS)
    # A parameter without a value, such as an empty list, is not sent: then nothing is wrong with what comes.
    assume({*(case.query or ())} <= {*parse_qs(urlsplit(response.request.url).query, keep_blank_values=True)})
    # Filters that each would do may not fit one another, such as a text and a partner; facts are exact, and
    # lines are of a command, and events of a source.
    loose = case.method == "GET" or "/gate/" in case.path or "/proposals" in case.path or "/events" in case.path
    case.validate_response(response, excluded_checks=[positive_data_acceptance] if loose else [])


@api.parametrize()
@bounded(1 / 25)
def test_without_a_key_nothing_is_told(case: schemathesis.Case, served: tuple[str, list[str]]) -> None:
    address, _ = served
    stranger = {"Authorization": "Bearer dgp_00000000_" + "x" * 43}
    response = case.call(base_url=address, headers=stranger, timeout=PATIENCE)
    assert response.status_code == 401
    assert response.headers["content-type"] == ["application/problem+json"]
