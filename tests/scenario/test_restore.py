"""After `dingerp db restore` nothing works that somebody gave up since the backup, until they confirm it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.admin.backups import back_up, list_held, report_restore, restore
from tests.scenario.conftest import KEEPER, BotSystem, OpenSystem

TITLE = "备份恢复后待您确认"


def own_card(system: BotSystem) -> str:
    """Return the newest card that the keeper's own chat has about what waits."""
    views = [card.view_for(KEEPER) for card in system.engine.cards]
    return next((view.out_track_id for view in reversed(views) if view.title == TITLE), "")


async def test_what_was_given_up_waits_for_its_owner(open_system: OpenSystem, tmp_path: Path) -> None:
    backup = tmp_path / "monday.sqlite3"
    async with open_system() as system:
        where = system.engine.direct(KEEPER).id
        for line in ("/subscribe order late 17:00 daily", "/watch SO-1001", "/mute stock.low 1d"):
            await system.ask(line, where=where)
        await system.settle()
        await back_up(system.app.settings, backup)
        await system.ask("/unsubscribe all", where=where)
        await system.ask("/unmute stock.low", where=where)
        settings = system.app.settings
    await restore(settings, backup, datetime.now(UTC))
    said = "\n".join(await report_restore(settings, backup))
    assert "2 rights wait for a confirmation" in said
    assert "/order late 17:00" in said
    assert "dingerp db confirm" in said
    assert "dingerp audit accept" in said

    async with open_system() as system:
        where = system.engine.direct(KEEPER).id
        track = await system.engine.wait_for(lambda: own_card(system), timeout=60)
        assert "/order" not in (await system.ask("/subscriptions", where=where)).markdown
        assert "SO-1001" not in (await system.ask("/watches", where=where)).markdown
        assert "低库存" not in (await system.ask("/mute", where=where)).markdown
        card = system.engine.cards.get(track)
        assert card is not None
        assert "/order late 17:00" in card.view_for(KEEPER).markdown
        kept = await system.click(card.view_for(KEEPER), "全部保留")
        assert "已恢复生效 2 项" in kept.markdown
        assert "/order" in (await system.ask("/subscriptions", where=where)).markdown
        assert "SO-1001" in (await system.ask("/watches", where=where)).markdown
    assert await list_held(settings) == ["no right waits for a confirmation"]
