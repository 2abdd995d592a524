"""``dingerp send``: by hand through the door that all other ways use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.alerts.intake.normalization import split_events
from bot.alerts.intake.port import EventState, StoredEvent
from bot.store.alerts.events import EventSearch, StoredEvents
from tests.admin.conftest import AdminShell, cloud


def kept(shell: AdminShell) -> list[StoredEvent]:
    found = shell.store(lambda database: StoredEvents(database).search(EventSearch()))
    return list(reversed(found))


@pytest.fixture
def ready(shell: AdminShell) -> AdminShell:
    """A bot has been here."""
    shell.has_a_database()
    return shell


def test_a_file_is_stored_as_a_webhook_would(ready: AdminShell) -> None:
    events = [cloud("stock.low", "e1", available=12), cloud("order.late", "e2", "SO-1"), cloud("nonsense", "e3")]
    (ready.folder / "events.json").write_text(json.dumps(events))
    said = ready.says("send", "events.json", code=1).splitlines()
    assert said == [
        "2 events accepted, 0 known already, 1 rejected",
        "rejected e3: type is not known here",
        "see `dingerp events show main/e1`",
        "see `dingerp events show main/e2`",
    ]
    assert [(event.id, event.via, event.state) for event in kept(ready)] == [
        ("e1", "send", EventState.WAITING),
        ("e2", "send", EventState.WAITING),
        ("e3", "send", EventState.REJECTED),
    ]
    again = ready.read("send", "events.json", code=1)
    assert again == {"accepted": 0, "duplicate": 2, "rejected": [{"id": "e3", "reason": "type is not known here"}]}


def test_numbers_from_standard_input_stay_exact(ready: AdminShell) -> None:
    body = json.dumps(cloud("stock.low", "e1", available="?")).replace('"?"', "0.1000000000000000055511")
    assert "1 event accepted" in ready.says("send", stdin=body.replace("0.1000000000000000055511", "0.100000001"))
    ((event,),) = (split_events(each) for each in kept(ready))
    assert str(event.quantity) == "0.100000001"
    assert "1 rejected" in ready.says("send", "-", stdin=body.replace('"e1"', '"e2"'), code=1)


def test_a_note_by_options(ready: AdminShell) -> None:
    arguments = (
        "--title", "Cold store 2 is too warm", "--text", "Since 08:10.", "--severity", "critical",
        "--type", "custom.cold", "--subject", "cold-2", "--fact", "temperature=7.4 °C", "--fact", "limit = 5 = max",
        "--link", "https://erp.example/cold", "--open", "--id", "cold-1",
    )  # fmt: skip
    said = ready.says("send", *arguments)
    assert said == "1 event accepted, 0 known already, 0 rejected\nsee `dingerp events show main/cold-1`\n"
    ((event,),) = (split_events(each) for each in kept(ready))
    assert (event.type, event.subject, event.severity, event.resolved) == ("custom.cold", "cold-2", "critical", False)
    assert event.data["facts"] == {"temperature": "7.4 °C", "limit": "5 = max"}
    assert (event.title, event.link) == ("Cold store 2 is too warm", "https://erp.example/cold")
    over = ready.says("send", "--title", "Cold again", "--type", "custom.cold", "--subject", "cold-2", "--over")
    assert "1 event accepted" in over
    assert "1 known already" in ready.says("send", *arguments)
    assert [event.resolved for each in kept(ready) for event in split_events(each)] == [False, True]


def test_notes_without_an_id_are_all_different(ready: AdminShell) -> None:
    for _ in range(2):
        assert "1 event accepted" in ready.says("send", "--title", "Good morning")
    first, second = kept(ready)
    assert first.id != second.id
    assert split_events(first)[0].data.get("resolved") is None, "news never stays open"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("missing.json",), "missing.json cannot be read: No such file or directory"),
        (("broken.json",), "broken.json: no JSON: Expecting property name"),
        (("empty.json",), "there is no event to send"),
        (("broken.json", "--title", "x"), "either a file or --title, not both"),
        (("--title", "x", "--severity", "bad"), "no severity 'bad'; there are: info, warning, critical"),
        (("--title", "x", "--fact", "5"), "--fact '5': a name and a value are expected"),
        (("--title", "x", "--type", "stock.low"), "only custom types can be written by options"),
        (("--title", "x", "--source", "shop"), "no source 'shop' is configured; there are: main"),
    ],
)
def test_what_cannot_be_sent_is_one_clear_line(ready: AdminShell, arguments: tuple[str, ...], line: str) -> None:
    Path("broken.json").write_text("{")
    Path("empty.json").write_text("[]")
    assert line in ready.refuses("send", *arguments)
    assert kept(ready) == []


def test_a_database_must_be_there_and_of_this_version(shell: AdminShell) -> None:
    assert "there is no database yet" in shell.refuses("send", "--title", "x")
    shell.has_a_database()
    shell.monkeypatch.setattr("bot.store.revisions.latest_revision", lambda: "9999")
    assert "`dingerp db upgrade`" in shell.refuses("send", "--title", "x")
