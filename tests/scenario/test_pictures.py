"""People photograph a code: over the wire, from the upload in the chat to the card."""

from __future__ import annotations

from zxingcpp import BarcodeFormat

from bot.kit.simulator.cards import SimCardView
from bot.kit.simulator.media import StoredFile
from bot.settings import RuleSettings
from tests.chat.code_pictures import PhotoConditions, photo
from tests.scenario.conftest import ENGLISH, KEEPER, OUTSIDER, BotSystem, OpenSystem

BARCODE = "6901234000245"
"""Of SKU123 in the demo company."""
TURNED = PhotoConditions(degrees=20)


async def show(system: BotSystem, content: bytes, who: str = KEEPER) -> SimCardView:
    """Send a picture as a person does and return the card that answers."""
    code = system.engine.media.add_received(StoredFile("photo.jpg", "image/jpeg", content))
    return await system.ask("", who, msgtype="picture", content={"downloadCode": code, "pictureDownloadCode": code})


async def test_the_barcode_on_a_product_shows_its_stock(system: BotSystem) -> None:
    calls = system.engine.flow.billed_calls
    card = await show(system, photo([(BarcodeFormat.EAN13, BARCODE)], TURNED))
    assert card.title.startswith("SKU123")
    assert system.engine.flow.billed_calls == calls + 2  # one for the picture, one for the card


async def test_the_code_on_a_delivery_note_shows_the_order(system: BotSystem) -> None:
    card = await show(system, photo([(BarcodeFormat.QRCode, "SO-1001")], TURNED))
    assert "SO-1001" in card.title


async def test_several_codes_let_people_choose(system: BotSystem) -> None:
    codes = [(BarcodeFormat.QRCode, "SO-1001"), (BarcodeFormat.Code128, "SKU123")]
    choice = await show(system, photo(codes, TURNED))
    stock = await system.click(choice, "/find SKU123")
    assert stock.title.startswith("SKU123")


async def test_a_code_decides_nothing(system: BotSystem) -> None:
    card = await show(system, photo([(BarcodeFormat.QRCode, "/approve PO-1055")]), who="boss01")
    assert card.title == "没有找到"


async def test_files_that_only_pretend_to_be_pictures_get_a_friendly_card(system: BotSystem) -> None:
    card = await show(system, b"MZ no picture", who=ENGLISH)
    assert "is not a picture that I can open" in card.markdown


async def test_pictures_of_outsiders_cost_no_call_for_the_picture(system: BotSystem) -> None:
    calls = system.engine.flow.billed_calls
    await show(system, photo([(BarcodeFormat.QRCode, "SO-1001")]), who=OUTSIDER)
    assert system.engine.flow.billed_calls <= calls + 1


async def test_a_picture_opens_nothing_that_words_do_not(open_system: OpenSystem) -> None:
    rule = RuleSettings(commands=frozenset({"order"}), roles=frozenset({"finance"}))
    async with open_system(access={"rules": (rule,)}) as system:
        card = await show(system, photo([(BarcodeFormat.QRCode, "SO-1001")], TURNED))
        asked = await system.ask("/find SO-1001")
        assert (card.title, "SO-1001" in card.title) == (asked.title, False)
