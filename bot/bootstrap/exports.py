"""Builds exports and charts, and selects the commands that can be run on behalf of others."""

from __future__ import annotations

from bot.access.audit import AuditLog, RequiredAudit
from bot.access.shared_limits import OwnFileLimits, SharedFileLimits
from bot.alerts.subscriptions import Subscriptions
from bot.bootstrap.infrastructure import Infrastructure
from bot.charts.fonts import PLACES
from bot.charts.painter import ChartPainter
from bot.chat.charts import ChartPictures
from bot.chat.exports import Exports
from bot.chat.present_rights import PresentRights
from bot.chat.question_handler import QuestionHandler
from bot.chat.registry import Commands, installed_commands
from bot.dingtalk.files import DingTalkFileCourier, DingTalkPictureHost
from bot.dingtalk.robot import Robot
from bot.store.reading_uses import StoredUses

_ASKING = frozenset({Exports, Subscriptions})


def build_exports(
    base: Infrastructure,
    handler: QuestionHandler,
    rights: PresentRights,
    audit: AuditLog,
    required: RequiredAudit | None,
) -> Exports:
    """Return this bot's exports; ``handler`` answers the lines of `exportable` commands."""
    limits = base.settings.limits
    return Exports(
        handler=handler,
        commands=installed_commands(),
        rights=rights,
        courier=DingTalkFileCourier(Robot(base.api), base.api.keys),
        renderer=base.renderer,
        languages=base.languages,
        audit=audit,
        required=required,
        limits=(
            OwnFileLimits(limits.exports_day)
            if base.settings.replicas == 1
            else SharedFileLimits(StoredUses(base.database), limits.exports_day)
        ),
        metrics=base.metrics,
        rows=limits.export_rows,
    )


def exportable(commands: Commands) -> Commands:
    """Return the commands available for files and subscriptions: read-only, and not running others themselves."""
    return Commands(
        command
        for command in commands.values()
        if command.only_asks and not _ASKING & {*command.signature.collaborators.values()}
    )


def askable(commands: Commands) -> Commands:
    """Return the commands whose answer is all there is: none sends a file to somebody's chat or uploads a picture."""
    return Commands(
        command
        for command in commands.values()
        if not {Exports, ChartPictures} & {*command.signature.collaborators.values()}
    )


def build_charts(base: Infrastructure) -> ChartPictures:
    """Return this bot's charts; those in progress end with it."""
    wanted = base.settings.cards.chart_font
    pictures = ChartPictures(
        painter=ChartPainter((wanted,) if wanted else PLACES),
        host=DingTalkPictureHost(Robot(base.api)),
        languages=base.languages,
        metrics=base.metrics,
        sparing=base.month.sparing,
    )
    base.stack.push_async_callback(pictures.close)
    return pictures
