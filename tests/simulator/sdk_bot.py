"""A bot on DingTalk's own Python SDK, unmodified: it echoes, sends a card with a button, and answers the click.

Run as a program with DINGTALK_OPENAPI_ENDPOINT set.
"""

from __future__ import annotations

import dingtalk_stream
from dingtalk_stream import AckMessage
from dingtalk_stream.card_callback import Card_Callback_Router_Topic

BUTTON = {"text": "同意", "color": "blue", "id": "yes", "request": True, "params": {"id": "yes"}}


class Echo(dingtalk_stream.ChatbotHandler):
    async def process(self, callback):
        message = dingtalk_stream.ChatbotMessage.from_dict(callback.data)
        text = message.text.content.strip()
        if text == "card":
            self.reply_markdown_button(message, "**12**", [BUTTON], tips="刚刚", title="库存")
        else:
            self.reply_text(f"echo {text}", message)
        return AckMessage.STATUS_OK, "OK"


class Click(dingtalk_stream.CallbackHandler):
    async def process(self, callback):
        message = dingtalk_stream.CardCallbackMessage.from_dict(callback.data)
        pressed = message.content["cardPrivateData"]["params"]["id"]
        options = {"updateCardDataByKey": True}
        answer = {"cardUpdateOptions": options, "cardData": {"cardParamMap": {"tips": f"pressed {pressed}"}}}
        return AckMessage.STATUS_OK, answer


client = dingtalk_stream.DingTalkStreamClient(dingtalk_stream.Credential("dingdemoappkey", "dingdemosecret"))
client.register_callback_handler(dingtalk_stream.ChatbotMessage.TOPIC, Echo())
client.register_callback_handler(Card_Callback_Router_Topic, Click())
client.start_forever()
