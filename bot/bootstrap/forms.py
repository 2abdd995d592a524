"""Builds what asks people by forms."""

from __future__ import annotations

from bot.bootstrap.infrastructure import Infrastructure
from bot.chat.answers.forms import PersonalForms
from bot.dingtalk.answer_channel import PrivateWay
from bot.dingtalk.card_api import CardApi
from bot.dingtalk.form_channel import DingTalkFormChannel


def build_forms(base: Infrastructure) -> PersonalForms:
    """Return the forms; without a template no form is shown."""
    cards = base.settings.cards
    if not cards.form_template:
        return PersonalForms(base.tracks, None, now=base.now)
    channel = DingTalkFormChannel(
        CardApi(base.api),
        base.api.keys,
        template_id=cards.form_template,
        say=base.say_in,
        now=base.now,
        spared=base.month.sparing,
        in_own_chat=PrivateWay(cards.private_way) is PrivateWay.DIRECT,
    )
    return PersonalForms(base.tracks, channel, now=base.now)
