"""Secrets and prices do not reach the log."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
import structlog

from bot.mechanisms.log import HIDDEN, Repetitions, redact, redact_text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("wss://host/connect?ticket=5c1f2a3e-0000&x=1", "5c1f2a3e"),
        ("POST https://host/robot/sendBySession?session=0f1e2d3c", "0f1e2d3c"),
        ("GET /gettoken?appkey=k&appsecret=hush", "hush"),
        ("https://host/robot/send?access_token=abc&timestamp=1&sign=xyz%3D", "xyz"),
        ("postgresql://bot:hunter2@db/dingerp", "hunter2"),
        ("key whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8"),
        ("robot secret SEC0123456789abcdef", "0123456789abcdef"),
        ("redirect ?authCode=c0de&state=s", "c0de"),
    ],
)
def test_secrets_in_addresses_are_hidden(text: str, hidden: str) -> None:
    assert hidden not in redact_text(text)
    assert HIDDEN in redact_text(text)


@pytest.mark.parametrize("key", ["client_secret", "access_token", "ticket", "session_webhook", "price", "total_amount"])
def test_values_under_telling_names_are_hidden(key: str) -> None:
    assert redact(None, "info", {"event": "e", key: "x"}) == {"event": "e", key: HIDDEN}


def test_ordinary_words_pass() -> None:
    assert redact(None, "info", {"event": "answered", "command": "stock", "n": 3}) == {
        "event": "answered",
        "command": "stock",
        "n": 3,
    }


def test_nothing_is_loaded_for_what_is_not_used() -> None:
    loaded = (
        "import bot.mechanisms.log, sys; import structlog; "
        "print({'rich', 'greenlet'} & sys.modules.keys(), structlog.dev.plain_traceback)"
    )
    said = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True)
    assert said.stdout.startswith("set() <function plain_traceback")


@dataclass
class Minutes:
    """A log whose minutes pass when a test says so."""

    now: float = 0.0
    said: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)
    waiting: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repetitions = Repetitions(
            lambda *line: self.said.append(line),
            clock=lambda: self.now,
            later=lambda seconds, call: self.waiting.append((self.now + seconds, call)),
        )

    def line(self, level: str, **event: object) -> bool:
        """Return whether an event is written."""
        try:
            self.repetitions(None, level, {"level": level, **event})
        except structlog.DropEvent:
            return False
        return True

    def pass_to(self, moment: float) -> None:
        self.now = moment
        due = [call for at, call in self.waiting if at <= moment]
        self.waiting = [(at, call) for at, call in self.waiting if at > moment]
        for call in due:
            call()


def test_a_problem_has_one_line_and_is_counted() -> None:
    log = Minutes()
    for number in range(22_900):
        line = log.line("warning", event="click.not_uncovered", error="NoAnswer", detail=f"no answer within {number} s")
        assert line is (number == 0)
    log.pass_to(60.0)
    ((level, event, fields),) = log.said
    assert (level, event, fields["error"], fields["repeated"]) == ("warning", "click.not_uncovered", "NoAnswer", 22_899)
    assert log.line("warning", event="click.not_uncovered", error="NoAnswer", detail="no answer within 7 s")
    log.pass_to(120.0)
    assert len(log.said) == 1, "what does not come again is not counted"


def test_other_problems_and_what_is_no_problem_are_written() -> None:
    log = Minutes()
    assert log.line("error", event="outbox.failed", error="Refused", api="update_card")
    assert log.line("error", event="outbox.failed", error="Refused", api="ding_send")
    assert log.line("error", event="outbox.failed", error="NoAnswer", api="update_card")
    assert log.line("warning", event="outbox.failed", error="Refused", api="update_card")


def test_news_have_a_few_lines() -> None:
    log = Minutes()
    assert sum(log.line("info", event="stream.ack_dropped", connection=number) for number in range(1_000)) == 20
    log.pass_to(60.0)
    assert [fields["repeated"] for _, _, fields in log.said] == [980]


def test_the_numbers_on_cards_stay_in_the_log() -> None:
    log = Minutes()
    for number in range(1_000):
        log.line("error", event="question.not_stored", reference=f"{number:06x}", error="StoreUnavailable")
    log.pass_to(60.0)
    references = log.said[0][2]["references"]
    assert isinstance(references, list)
    assert references == [f"{number:06x}" for number in range(1, 101)]


def test_what_is_remembered_is_bounded() -> None:
    log = Minutes()
    written = sum(log.line("error", event=f"e{chr(97 + n % 26)}", detail="x" * (n // 26)) for n in range(1_000))
    assert written <= 600
    log.pass_to(60.0)
    assert len(log.said) <= 600
    assert not log.waiting


STORM = """
import logging, structlog
from bot.mechanisms.log import configure_logging
configure_logging("info", "{form}")
for number in range(500):
    structlog.get_logger().error("outbox.failed", error="Refused", card=number)
    logging.getLogger("aiohttp.client").error("Unclosed connection %s", number)
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_storm_is_two_lines(form: str) -> None:
    storm = [sys.executable, "-c", STORM.format(form=form)]
    said = subprocess.run(storm, check=True, capture_output=True, text=True)
    assert len(said.stderr.splitlines()) == 2
