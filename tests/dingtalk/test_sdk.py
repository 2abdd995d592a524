from __future__ import annotations

import sys
from subprocess import run

import dingtalk_stream.chatbot
import requests

SHOWS_LOADED = "import sys, bot.app; print('requests' in sys.modules, 'dingtalk_stream' in sys.modules)"


def test_the_bot_does_not_load_what_only_handlers_of_the_sdk_call_with() -> None:
    shown = run([sys.executable, "-c", SHOWS_LOADED], check=True, capture_output=True, text=True)
    assert shown.stdout.split() == ["False", "True"]


def test_handlers_of_the_sdk_still_call_with_it() -> None:
    assert dingtalk_stream.chatbot.requests.post is requests.post
