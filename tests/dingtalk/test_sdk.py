from __future__ import annotations

import dingtalk_stream.chatbot
import requests


def test_handlers_of_the_sdk_still_call_with_it() -> None:
    assert dingtalk_stream.chatbot.requests.post is requests.post
