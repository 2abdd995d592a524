"""The bot's tables as SQLModel models, by area, and the Core tables behind them, which statements are made of."""

from __future__ import annotations

from bot.store.tables.alerts import ALERT, ALERT_CARD, ALERT_CARD_MEMBER, ALERT_NOTE, EVENT, MUTE, WATCH
from bot.store.tables.approvals import (
    APPROVAL_AUDIT,
    APPROVAL_CARD,
    APPROVAL_CASE,
    APPROVAL_DECISION,
    APPROVAL_NATIVE,
    APPROVAL_PERSON,
    APPROVAL_SOURCE,
    APPROVAL_VOTE,
)
from bot.store.tables.audit import AUDIT, AUDIT_DOCUMENT, AUDIT_HEAD
from bot.store.tables.base import METADATA, StoreTable
from bot.store.tables.documents import FOLLOWED_AREA, KEPT_DOCUMENT, KEPT_LINE
from bot.store.tables.erp import (
    ERP_COPY,
    ERP_REJECTED,
    INDEXED_PRODUCT,
    INDEXED_SOURCE,
    PINYIN,
    POLL_POSITION,
    POLL_SUBJECT,
    POLL_UNSENT,
)
from bot.store.tables.keys import DATA_KEY
from bot.store.tables.outbox import DELIVERY, DELIVERY_SPEND, DELIVERY_STEP
from bot.store.tables.people import DEPARTMENT, DIRECTORY_WALK, ERP_ACCOUNT, ORGANISATION, PERSON
from bot.store.tables.questions import (
    DIALOGUE,
    INBOX,
    LANGUAGE,
    OUTSIDER_GROUP,
    QUOTA_DAY,
    QUOTA_MONTH,
    QUOTA_WARNING,
    STANDING_ANSWER,
    STANDING_DOCUMENT,
)
from bot.store.tables.upkeep import HEARTBEAT

__all__ = [
    "ALERT",
    "ALERT_CARD",
    "ALERT_CARD_MEMBER",
    "ALERT_NOTE",
    "APPROVAL_AUDIT",
    "APPROVAL_CARD",
    "APPROVAL_CASE",
    "APPROVAL_DECISION",
    "APPROVAL_NATIVE",
    "APPROVAL_PERSON",
    "APPROVAL_SOURCE",
    "APPROVAL_VOTE",
    "AUDIT",
    "AUDIT_DOCUMENT",
    "AUDIT_HEAD",
    "DATA_KEY",
    "DELIVERY",
    "DELIVERY_SPEND",
    "DELIVERY_STEP",
    "DEPARTMENT",
    "DIALOGUE",
    "DIRECTORY_WALK",
    "ERP_ACCOUNT",
    "ERP_COPY",
    "ERP_REJECTED",
    "EVENT",
    "FOLLOWED_AREA",
    "HEARTBEAT",
    "INBOX",
    "INDEXED_PRODUCT",
    "INDEXED_SOURCE",
    "KEPT_DOCUMENT",
    "KEPT_LINE",
    "LANGUAGE",
    "METADATA",
    "MUTE",
    "ORGANISATION",
    "OUTSIDER_GROUP",
    "PERSON",
    "PINYIN",
    "POLL_POSITION",
    "POLL_SUBJECT",
    "POLL_UNSENT",
    "QUOTA_DAY",
    "QUOTA_MONTH",
    "QUOTA_WARNING",
    "STANDING_ANSWER",
    "STANDING_DOCUMENT",
    "WATCH",
    "StoreTable",
]
