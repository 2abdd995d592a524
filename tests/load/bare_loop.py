"""The least that can answer: a frame comes in, one card call goes out. The baseline of the benchmark.

No deduplication, no inbox, no parsing of commands, no access rules, no templates, no retries, no limits, no metrics.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from typing import Any
from urllib.parse import quote

import aiohttp

API = os.environ["DINGTALK_OPENAPI_ENDPOINT"]
KEYS = {"clientId": os.environ["DINGTALK_CLIENT_ID"], "clientSecret": os.environ["DINGTALK_CLIENT_SECRET"]}
ERP_SECONDS = float(os.environ["ERP_SECONDS"])
TOPIC = "/v1.0/im/bot/messages/get"


async def answer(session: aiohttp.ClientSession, token: str, data: dict[str, Any]) -> None:
    await asyncio.sleep(ERP_SECONDS)
    group = data["conversationType"] == "2"
    space = f"IM_GROUP.{data['conversationId']}" if group else f"IM_ROBOT.{data['senderStaffId']}"
    body = {
        "cardTemplateId": "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema",
        "outTrackId": uuid.uuid4().hex,
        "callbackType": "STREAM",
        "cardData": {"cardParamMap": {"title": "库存", "markdown": data["text"]["content"], "sys_full_json_obj": "{}"}},
        "openSpaceId": f"dtv1.card//{space}",
        "imGroupOpenSpaceModel": {"supportForward": False},
        "imRobotOpenSpaceModel": {"supportForward": False},
        "imGroupOpenDeliverModel": {"robotCode": data["robotCode"]},
        "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": data["robotCode"]},
        "userIdType": 1,
    }
    async with session.post(
        f"{API}/v1.0/card/instances/createAndDeliver",
        json=body,
        headers={"x-acs-dingtalk-access-token": token},
    ) as response:
        response.raise_for_status()
        await response.read()


async def main() -> None:
    """Connect once and answer until killed."""
    running: set[asyncio.Task[None]] = set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session:
        keys = {"appKey": KEYS["clientId"], "appSecret": KEYS["clientSecret"]}
        async with session.post(f"{API}/v1.0/oauth2/accessToken", json=keys) as response:
            token = (await response.json())["accessToken"]
        subscribe = {**KEYS, "subscriptions": [{"type": "CALLBACK", "topic": TOPIC}], "ua": "bare/1.0", "localIp": ""}
        accept = {"Accept": "application/json"}  # otherwise the gateway answers in XML
        async with session.post(f"{API}/v1.0/gateway/connections/open", json=subscribe, headers=accept) as response:
            opened = await response.json()
        async with session.ws_connect(f"{opened['endpoint']}?ticket={quote(opened['ticket'])}") as socket:
            async for frame in socket:
                message = json.loads(frame.data)
                headers = message["headers"]
                ping = headers["topic"] == "ping"
                await socket.send_str(
                    json.dumps(
                        {
                            "code": 200,
                            "headers": {"contentType": "application/json", "messageId": headers["messageId"]},
                            "message": "OK",
                            "data": message["data"] if ping else '{"response":null}',
                        }
                    )
                )
                if not ping:
                    task = asyncio.create_task(answer(session, token, json.loads(message["data"])))
                    running.add(task)
                    task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main())
