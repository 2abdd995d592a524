"""The hooks match their published description: schemathesis makes valid and invalid requests from it.

Every request is signed at the last moment, unless it is to be sent unsigned. An event that violates the schema is
accepted with 202 and named in the receipt, so a violation need not be a refusal.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from requests.auth import AuthBase
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from bot.alerts.intake.schemas import SCHEMAS
from bot.alerts.intake.webhook import MAX_EVENTS
from bot.store.database import Database
from tests.alerts.intake.samples import NOW
from tests.alerts.intake.signed_requests import sign
from tests.examples import PATIENCE, examples

from .hook_server import hook_server

DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "reference" / "hooks.openapi.json"
SIGNATURE = ("webhook-id", "webhook-timestamp", "webhook-signature")
DRAWN_ALONE = SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
"""Without the three hundred systematic requests, which every worker would prepare when it collects the tests."""
drawn = schemathesis.openapi.from_path(DESCRIPTION, config=DRAWN_ALONE)
api = schemathesis.openapi.from_path(DESCRIPTION) if settings.get_current_profile_name() == "thorough" else drawn
"""With the systematic requests in `make soak`."""


class Signed(AuthBase):
    """Signs the bytes that are about to be sent; headers that were left out stay out."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        right = sign(body if isinstance(body, bytes) else body.encode(), NOW)
        request.headers.update({name: right[name] for name in SIGNATURE if name in request.headers})
        return request


@contextmanager
def served_elsewhere(folder: Path) -> Iterator[str]:
    """Serve from a thread with its own loop: schemathesis blocks until every answer."""
    listening, found = threading.Event(), []
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        database = Database(f"sqlite:///{folder / 'bot.sqlite3'}")
        await database.migrate()
        async with hook_server(database) as server:
            done = asyncio.Event()
            stop.append((asyncio.get_running_loop(), done))
            found.append(f"http://127.0.0.1:{server.port}")
            listening.set()
            await done.wait()
        await database.close()

    def run() -> None:
        with asyncio.Runner() as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert listening.wait(20)
    try:
        yield found[0]
    finally:
        loop, done = stop[0]
        loop.call_soon_threadsafe(done.set)
        thread.join(20)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_elsewhere(tmp_path_factory.mktemp("hooks")) as address:
        yield address


def bounded(share: float) -> settings:
    return settings(max_examples=examples(share), suppress_health_check=list(HealthCheck), deadline=None)


@api.parametrize()
@bounded(1 / 2)
def test_signed_requests_get_what_the_description_promises(case: schemathesis.Case, address: str) -> None:
    case.call_and_validate(base_url=address, auth=Signed(), timeout=PATIENCE, excluded_checks=[negative_data_rejection])


@drawn.parametrize()
@bounded(1 / 4)
def test_requests_that_nobody_signed_store_nothing(case: schemathesis.Case, address: str) -> None:
    response = case.call(base_url=address, timeout=PATIENCE)
    case.validate_response(response, excluded_checks=[negative_data_rejection, positive_data_acceptance])
    assert response.status_code != 202


def test_the_description_names_all_types_and_limits() -> None:
    schemas = json.loads(DESCRIPTION.read_text(encoding="utf-8"))["components"]["schemas"]
    pattern = schemas["CloudEvent"]["properties"]["type"]["pattern"]
    assert all(re.fullmatch(pattern, kind) for kind in [*SCHEMAS, "custom.a.b-c"])
    assert not re.fullmatch(pattern, "stock.gone")
    assert schemas["Batch"]["maxItems"] == MAX_EVENTS
