"""Secrets and prices do not reach the log."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bot.log import HIDDEN, redact, redact_text


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
        "import bot.log, sys; import structlog; "
        "print({'rich', 'greenlet'} & sys.modules.keys(), structlog.dev.plain_traceback)"
    )
    said = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True)
    assert said.stdout.startswith("set() <function plain_traceback")
