"""The bot of the SDK's README with an ERP look-up: what people start from.

It follows the README's samples: a handler on the unmodified client that works before it acknowledges, with the blocking
calls that the SDK itself uses. ``ERP_WAY=await`` gives it an ERP call that leaves the loop free, so that both variants
can be measured.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time

# Imported by name, because the SDK's loop refers to it before anything else has imported it.
import websockets.exceptions  # noqa: F401
from dingtalk_stream import (
    AckMessage,
    CallbackMessage,
    ChatbotHandler,
    ChatbotMessage,
    Credential,
    DingTalkStreamClient,
)

ERP_SECONDS = float(os.environ["ERP_SECONDS"])
ERP_AWAITED = os.environ.get("ERP_WAY") == "await"


class Lookup(ChatbotHandler):
    async def process(self, callback: CallbackMessage) -> tuple[int, str]:
        message = ChatbotMessage.from_dict(callback.data)
        if ERP_AWAITED:
            await asyncio.sleep(ERP_SECONDS)
        else:
            time.sleep(ERP_SECONDS)  # noqa: ASYNC251 - a blocking call, as in the README's samples
        self.reply_text(f"库存 {message.text.content.strip()}: 12", message)
        return AckMessage.STATUS_OK, "OK"


logging.disable(logging.INFO)
client = DingTalkStreamClient(
    Credential(os.environ["DINGTALK_CLIENT_ID"], os.environ["DINGTALK_CLIENT_SECRET"]), logging.getLogger("readme")
)
client.register_callback_handler(ChatbotMessage.TOPIC, Lookup())
client.start_forever()
