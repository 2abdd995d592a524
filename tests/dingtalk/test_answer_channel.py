from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from bot.chat.answers.ports import AnswerCards, AnswerChannel, AnswerVia, SentAnswer
from bot.chat.answers.probe_results import ProbeResults
from bot.chat.message import Sender, SessionWebhook
from bot.dingtalk.answer_channel import DingTalkAnswerChannel
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.card_wire import TemplateChoice, own_template
from bot.dingtalk.errors import (
    DingTalkCardUnconfirmed,
    DingTalkDeliveryFailed,
    DingTalkNotReachable,
    DingTalkOutcomeUnknown,
    DingTalkRefused,
    DingTalkScopeMissing,
    DingTalkSessionExpired,
    DingTalkUnavailable,
)
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.robot import Robot
from tests.dingtalk.conftest import (
    CREATE_URL,
    DIRECT,
    DIRECT_URL,
    GROUP_URL,
    KEYS,
    NOW,
    TOKEN_URL,
    UPDATE_URL,
    WEBHOOK_URL,
    FakeDingTalk,
    question,
    stock_card,
)

SHOWN = {"success": True, "result": {"deliverResults": [{"success": True}]}}
NOT_SHOWN = {"success": True, "result": {"deliverResults": [{"success": False, "errorMsg": "not in group"}]}}
SCOPE = {
    "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied",
    "requestid": "r",
    "accessdenieddetail": {"requiredScopes": ["Card.Instance.Write"]},
}
QUOTA = {"code": "Forbidden.AccessDenied.ApiCountLimitForOrg", "requestid": "r"}
OUTSIDER = Sender(staff_id=None, nick="外部客户")


@dataclass
class ChannelFixture:
    """The channel under test, and whether it announced a fallback."""

    channel: AnswerChannel
    announced: list[str] = field(default_factory=list)

    async def answer(self, **changes: Any) -> SentAnswer:
        async def announce() -> None:
            self.announced.append("text")

        cards = changes.pop("cards", None) or AnswerCards(stock_card())
        return await self.channel.answer(question(**changes), cards, track_id="t1", before_fallback=announce)


@pytest.fixture
def channel(api: OpenApi, dingtalk: FakeDingTalk) -> ChannelFixture:
    dingtalk.token()
    return ChannelFixture(DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, now=lambda: NOW))


async def test_in_the_normal_case_one_card_and_one_call(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await channel.answer() == SentAnswer(AnswerVia.CARD)
    assert channel.announced == []
    body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
    assert body["outTrackId"] == "t1"
    assert body["imGroupOpenDeliverModel"] == {"robotCode": "dingrobot"}
    assert body["imGroupOpenSpaceModel"]["lastMessageI18n"]["ZH_CN"] == "库存 SKU123"
    assert sum(len(calls) for calls in dingtalk.requests.values()) == 2  # the token and the card


NAMED = "<a atId=manager4220>@王小明</a>\n\n"


@pytest.mark.parametrize(
    ("changes", "card", "called", "prefix"),
    [
        ({}, {}, {"manager4220": "王小明"}, NAMED),
        ({"sender": Sender(staff_id="u 1>", nick="x")}, {}, {}, ""),
        ({"sender": Sender(staff_id=None, nick="外部客户")}, {}, {}, ""),
        ({"sender": Sender(staff_id="u1", nick="<b>*x*")}, {}, {"u1": "<b>*x*"}, "<a atId=u1>@"),
        ({}, {"body": "合" * 335}, {"manager4220": "王小明"}, "合"),
        ({"conversation": DIRECT}, {}, {}, ""),
    ],
    ids=["named", "a strange id", "an outsider", "markup", "no room", "a chat of two"],
)
async def test_who_asked_in_a_group_is_named_and_called(
    api: OpenApi,
    dingtalk: FakeDingTalk,
    changes: dict[str, Any],
    card: dict[str, Any],
    called: dict[str, str],
    prefix: str,
) -> None:
    dingtalk.token()
    dingtalk.post(CREATE_URL, payload=SHOWN)
    channel = ChannelFixture(DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, now=lambda: NOW, name_asker=True))
    if changes.get("conversation") is DIRECT:
        changes = {**changes, "sender": Sender(staff_id="manager4220", nick="王小明")}
    await channel.answer(**changes, cards=AnswerCards(stock_card(**card)))
    body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
    assert body.get("cardAtUserIds", []) == [*called]
    assert body.get("imGroupOpenDeliverModel", {}).get("atUserIds", {}) == called
    shown = body["cardData"]["cardParamMap"]["markdown"]
    assert shown.startswith(prefix)
    assert ("<a atId=" in shown) is prefix.startswith("<a")
    assert "<b>" not in shown


async def test_a_card_that_names_who_asked_writes_no_text_that_is_not_sent(
    api: OpenApi, dingtalk: FakeDingTalk
) -> None:
    def write() -> str:
        raise AssertionError("nobody reads it")

    dingtalk.token()
    dingtalk.post(CREATE_URL, payload=SHOWN)
    channel = ChannelFixture(DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, now=lambda: NOW, name_asker=True))
    await channel.answer(cards=AnswerCards(stock_card(twin=write)))
    body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
    assert body["cardData"]["cardParamMap"]["markdown"].startswith(NAMED)


@pytest.mark.parametrize("announced", ["normal", ""])
async def test_a_robot_code_that_is_none_is_replaced(
    channel: ChannelFixture, dingtalk: FakeDingTalk, announced: str
) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    await channel.answer(robot_code=announced, conversation=DIRECT)
    body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
    assert body["imRobotOpenDeliverModel"]["robotCode"] == "dingappkey0001"
    assert body["openSpaceId"] == "dtv1.card//IM_ROBOT.manager4220"


async def test_the_kind_of_card_chooses_the_template(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.token()
    dingtalk.post(CREATE_URL, payload=SHOWN)
    templates = TemplateChoice(by_card={"stock": own_template("mine.schema")})
    await ChannelFixture(
        DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, templates=templates, now=lambda: NOW)
    ).answer()
    body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
    assert body["cardTemplateId"] == "mine.schema"
    assert "btns" in body["cardData"]["cardParamMap"]


@pytest.mark.parametrize(
    "refusal",
    [
        {"payload": NOT_SHOWN},
        {"status": 403, "payload": SCOPE},
        {"status": 400, "payload": {"code": "param.templateUnpublished", "requestid": "r"}},
        {"status": 500, "payload": {"code": "system.busy", "requestid": "r"}, "repeat": True},
    ],
    ids=repr,
)
async def test_without_a_card_a_text(channel: ChannelFixture, dingtalk: FakeDingTalk, refusal: dict[str, Any]) -> None:
    dingtalk.post(CREATE_URL, **refusal)
    dingtalk.post(GROUP_URL, payload={"processQueryKey": "k"})
    with capture_logs() as logs:
        assert await channel.answer() == SentAnswer(AnswerVia.MARKDOWN)
    assert channel.announced == ["text"]
    param = orjson.loads(orjson.loads(dingtalk.asked(GROUP_URL)[0]["data"])["msgParam"])
    assert param == {"title": "库存 SKU123", "text": "库存 SKU123  \n  可用 12"}
    [line] = [line for line in logs if line["event"] == "answer_way_failed"]
    assert (line["via"], line["card"]) == ("card", "stock")
    assert "可用" not in str(logs)


async def test_the_operators_line_names_scope_and_page(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, status=403, payload=SCOPE)
    dingtalk.post(GROUP_URL, payload={})
    with capture_logs() as logs:
        await channel.answer()
    [line] = logs
    assert line["error"] == "DingTalkScopeMissing"
    assert "appscope/apply?content=dingappkey0001%23Card.Instance.Write" in line["detail"]


async def test_a_text_for_one_person(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(DIRECT_URL, payload={"processQueryKey": "k"})
    assert await channel.answer(conversation=DIRECT) == SentAnswer(AnswerVia.MARKDOWN)
    assert orjson.loads(dingtalk.asked(DIRECT_URL)[0]["data"])["userIds"] == ["manager4220"]


async def test_without_a_text_the_webhook(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(GROUP_URL, status=400, payload={"code": "chatbotNotInstall", "requestid": "r"})
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    assert await channel.answer() == SentAnswer(AnswerVia.WEBHOOK)
    assert channel.announced == ["text"]


async def test_a_month_without_calls_leaves_the_webhook(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, status=403, payload=QUOTA)
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    assert await channel.answer() == SentAnswer(AnswerVia.WEBHOOK)
    assert not dingtalk.asked(GROUP_URL)


async def test_wrong_keys_leave_the_webhook(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(TOKEN_URL, status=400, payload={"code": "invalidClientIdOrSecret"}, repeat=True)
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    answers = DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, now=lambda: NOW)
    assert await ChannelFixture(answers).answer() == SentAnswer(AnswerVia.WEBHOOK)
    assert len(dingtalk.asked(TOKEN_URL)) == 1


async def test_without_a_token_the_webhook_is_left(api: OpenApi, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(TOKEN_URL, exception=TimeoutError(), repeat=True)
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    answers = DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, now=lambda: NOW)
    assert await ChannelFixture(answers).answer() == SentAnswer(AnswerVia.WEBHOOK)
    assert len(dingtalk.asked(TOKEN_URL)) == 3


async def test_outsiders_get_cards_in_groups(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=SHOWN)
    assert await channel.answer(sender=OUTSIDER) == SentAnswer(AnswerVia.CARD)


async def test_outsiders_get_texts_in_groups(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(GROUP_URL, payload={})
    assert await channel.answer(sender=OUTSIDER) == SentAnswer(AnswerVia.MARKDOWN)


async def test_outsiders_get_only_the_webhook_in_direct_chats(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 0})
    assert await channel.answer(sender=OUTSIDER, conversation=DIRECT) == SentAnswer(AnswerVia.WEBHOOK)
    assert channel.announced == ["text"]
    assert not dingtalk.asked(TOKEN_URL)


async def test_a_card_that_may_stand_is_not_doubled_by_a_text(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, exception=TimeoutError(), repeat=True)
    with pytest.raises(DingTalkCardUnconfirmed) as caught:
        await channel.answer()
    assert caught.value.retry
    assert channel.announced == []
    assert not dingtalk.asked(GROUP_URL)


async def test_a_text_that_may_stand_is_not_doubled(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(GROUP_URL, exception=TimeoutError(), repeat=True)
    with pytest.raises(DingTalkOutcomeUnknown):
        await channel.answer()
    assert len(dingtalk.asked(GROUP_URL)) == 1
    assert not dingtalk.asked(WEBHOOK_URL)


@pytest.mark.parametrize("webhook", [None, SessionWebhook(WEBHOOK_URL, NOW)])
async def test_without_a_webhook_the_first_refusal_is_told(
    channel: ChannelFixture, dingtalk: FakeDingTalk, webhook: SessionWebhook | None
) -> None:
    dingtalk.post(CREATE_URL, status=403, payload=SCOPE)
    dingtalk.post(GROUP_URL, status=400, payload={"code": "group.disbanded", "requestid": "r"})
    with pytest.raises(DingTalkScopeMissing):
        await channel.answer(webhook=webhook)
    with pytest.raises(DingTalkNotReachable):
        await channel.answer(webhook=webhook, sender=OUTSIDER, conversation=DIRECT)


async def test_the_last_way_may_fail_too(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(GROUP_URL, status=400, payload={"code": "group.disbanded", "requestid": "r"})
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 300001})
    with pytest.raises(DingTalkSessionExpired):
        await channel.answer()


async def test_what_may_work_later_is_told_first(channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
    dingtalk.post(CREATE_URL, status=503, payload={"code": "ServiceUnavailable", "requestid": "r"}, repeat=True)
    dingtalk.post(GROUP_URL, status=400, payload={"code": "group.disbanded", "requestid": "r"})
    dingtalk.post(WEBHOOK_URL, payload={"errcode": 300001})
    with pytest.raises(DingTalkUnavailable) as caught:
        await channel.answer()
    assert caught.value.retry


async def test_a_card_can_be_tried_again_where_a_text_was_announced_but_refused(
    channel: ChannelFixture, dingtalk: FakeDingTalk
) -> None:
    dingtalk.post(CREATE_URL, payload=NOT_SHOWN)
    dingtalk.post(GROUP_URL, status=400, payload={"code": "group.disbanded", "requestid": "r"})
    with pytest.raises(DingTalkDeliveryFailed) as caught:
        await channel.answer(webhook=None)
    assert isinstance(caught.value, DingTalkRefused)


INTERIM_TRACK = "w1"


class TestInterimCard:
    """The card that says that an answer takes longer, and becomes it."""

    async def replace(self, channel: ChannelFixture, cards: AnswerCards | None = None, **changes: Any) -> SentAnswer:
        async def announce() -> None:
            channel.announced.append("text")

        made = cards or AnswerCards(stock_card())
        return await channel.channel.replace_interim(
            question(**changes), made, track_id=INTERIM_TRACK, own_track_id="own-1", before_fallback=announce
        )

    async def test_it_is_for_everybody_in_the_group(self, channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
        dingtalk.post(CREATE_URL, payload=SHOWN)
        assert await channel.channel.show_interim(question(), stock_card(), track_id=INTERIM_TRACK)
        body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
        assert body["outTrackId"] == INTERIM_TRACK
        assert "recipients" not in body["imGroupOpenDeliverModel"]

    @pytest.mark.parametrize(
        ("text", "summary"),
        [
            ("/stock SKU123", "Answer to: /stock SKU123"),
            ("库存\n" + "螺丝 " * 40, "Answer to: 库存" + " 螺丝" * 12 + "…"),
            ("", "The answer to your question"),
        ],
        ids=["short", "long", "a picture"],
    )
    async def test_the_list_of_conversations_says_what_stays_true(
        self, channel: ChannelFixture, dingtalk: FakeDingTalk, text: str, summary: str
    ) -> None:
        dingtalk.post(CREATE_URL, payload=SHOWN)
        await channel.channel.show_interim(question(text=text), stock_card(), track_id=INTERIM_TRACK)
        body = orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])
        shown = body["imGroupOpenSpaceModel"]
        assert shown["lastMessageI18n"] == {"ZH_CN": summary, "EN_US": summary}
        assert shown["notification"]["alertContent"] == stock_card().title
        assert body["imGroupOpenDeliverModel"]["extension"] == {"dynamicSummary": "true"}

    async def test_none_is_shown_to_whom_no_card_reaches_and_while_calls_are_spared(
        self, api: OpenApi, channel: ChannelFixture
    ) -> None:
        stranger = question(conversation=DIRECT, sender=OUTSIDER)
        assert not await channel.channel.show_interim(stranger, stock_card(), track_id=INTERIM_TRACK)
        sparing = DingTalkAnswerChannel(CardApi(api), Robot(api), KEYS, now=lambda: NOW, sparing=lambda _: "spared")
        assert not await sparing.show_interim(question(), stock_card(), track_id=INTERIM_TRACK)

    async def test_nobody_knows_whether_it_arrived(self, channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
        dingtalk.post(CREATE_URL, exception=TimeoutError(), repeat=True)
        with pytest.raises(DingTalkCardUnconfirmed):
            await channel.channel.show_interim(question(), stock_card(), track_id=INTERIM_TRACK)

    async def test_it_becomes_the_answer_by_one_update(self, channel: ChannelFixture, dingtalk: FakeDingTalk) -> None:
        dingtalk.put(UPDATE_URL, payload={"success": True})
        assert await self.replace(channel) == SentAnswer(AnswerVia.CARD)
        body = orjson.loads(dingtalk.asked(UPDATE_URL)[0]["data"])
        assert body["outTrackId"] == INTERIM_TRACK
        assert body["cardData"]["cardParamMap"]["title"] == stock_card().title
        assert "privateData" not in body

    async def test_what_the_asker_alone_may_see_comes_on_a_card_of_their_own(
        self, channel: ChannelFixture, dingtalk: FakeDingTalk
    ) -> None:
        dingtalk.put(UPDATE_URL, payload={"success": True})
        dingtalk.post(CREATE_URL, payload=SHOWN)
        cards = AnswerCards(stock_card(body="¥9"), lambda: stock_card(body="🔒"))
        assert await self.replace(channel, cards) == SentAnswer(AnswerVia.OWN_CARD)
        changed, own = (orjson.loads(dingtalk.asked(url)[0]["data"]) for url in (UPDATE_URL, CREATE_URL))
        assert changed["cardData"]["cardParamMap"]["markdown"] == "🔒"
        assert "privateData" not in changed
        assert own["outTrackId"] == "own-1"
        assert own["imGroupOpenDeliverModel"]["recipients"] == ["manager4220"]
        assert own["cardData"]["cardParamMap"]["markdown"] == "¥9"

    async def test_where_values_arrive_what_the_asker_alone_may_see_is_theirs(
        self, channel: ChannelFixture, dingtalk: FakeDingTalk
    ) -> None:
        dingtalk.put(UPDATE_URL, payload={"success": True})
        channel.channel._confirmed = lambda: ProbeResults(private_values=True)
        cards = AnswerCards(stock_card(body="¥9"), lambda: stock_card(body="🔒"))
        assert await self.replace(channel, cards) == SentAnswer(AnswerVia.OWN_CARD)
        body = orjson.loads(dingtalk.asked(UPDATE_URL)[0]["data"])
        assert body["cardData"]["cardParamMap"]["markdown"] == "🔒"
        ((_, private),) = body["privateData"].items()
        assert private["cardParamMap"] == {"markdown": "¥9"}

    async def test_one_that_never_arrived_is_made_as_the_answer(
        self, channel: ChannelFixture, dingtalk: FakeDingTalk
    ) -> None:
        dingtalk.put(UPDATE_URL, status=400, payload={"code": "param.cardNotExist", "requestid": "r"})
        dingtalk.post(CREATE_URL, payload=SHOWN)
        assert await self.replace(channel) == SentAnswer(AnswerVia.CARD)
        assert orjson.loads(dingtalk.asked(CREATE_URL)[0]["data"])["outTrackId"] == INTERIM_TRACK
        assert channel.announced == []

    async def test_while_dingtalk_is_away_it_is_kept_for_a_later_attempt(
        self, channel: ChannelFixture, dingtalk: FakeDingTalk
    ) -> None:
        dingtalk.put(UPDATE_URL, exception=TimeoutError(), repeat=True)
        with pytest.raises(DingTalkCardUnconfirmed):
            await self.replace(channel)
        assert channel.announced == []

    async def test_what_cannot_become_a_card_is_said_in_words(
        self, channel: ChannelFixture, dingtalk: FakeDingTalk
    ) -> None:
        dingtalk.put(UPDATE_URL, status=403, payload=SCOPE, repeat=True)
        dingtalk.post(GROUP_URL, payload={"processQueryKey": "k"})
        assert await self.replace(channel) == SentAnswer(AnswerVia.MARKDOWN)
        assert channel.announced == ["text"]
