"""Products behind codes: with few questions, and exactly those that are there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.erp import listing
from bot.erp.index.product_reader import read_products
from bot.erp.model import Product
from tests.erp.index.catalogue import screw
from tests.rows import each_row


class ProductSearch:
    """Finds like an ERP and counts the questions."""

    def __init__(self, *products: Product) -> None:
        self.products = products
        self.asked: list[str] = []

    async def search(self, text: str, limit: int) -> tuple[Product, ...]:
        self.asked.append(text)
        return listing.find_products(self.products, text, limit=limit)


def codes(*skus: str) -> ProductSearch:
    return ProductSearch(*map(screw, skus))


@each_row(
    ("shelf", "wanted", "most", "asked"),
    [
        (codes("A-1"), ["A-1"], 200, ["A-1"]),
        (codes("A-1", "A-2"), ["A-1", "A-2"], 200, ["A-1", "A-2"]),
        (codes("SKU1", "SKU2", "SKU3"), ["SKU1", "sku2", "SKU3"], 200, ["sku"]),
        (codes("SKU1", "SKU2"), ["SKU1", "SKU2", "SKU3"], 200, ["sku", "SKU3"]),
        (codes(*(f"SKU{n:02}" for n in range(40))), [f"SKU{n:02}" for n in range(4, 8)], 10, ["sku0"]),
        (codes("X", "Y", "Z"), ["X", "Y", "Z"], 200, ["X", "Y", "Z"]),
        (codes(), [], 200, []),
    ],
)
async def test_questions(shelf: ProductSearch, wanted: list[str], most: int, asked: list[str]) -> None:
    found = await read_products(wanted, shelf.search, most=most)
    assert sorted(shelf.asked) == sorted(asked)
    known = {product.sku.casefold(): product for product in shelf.products}
    assert found == {sku.casefold(): known.get(sku.casefold()) for sku in wanted}


async def test_a_code_that_is_another_products_barcode() -> None:
    shelf = ProductSearch(screw("X", "短", barcode="4711"), screw("4711", "a long name"))
    found = await read_products(["4711"], shelf.search, most=200)
    assert found == {"4711": shelf.products[1]}


@given(
    skus=st.sets(st.text("AB1-", min_size=1, max_size=5), max_size=40),
    gone=st.sets(st.text("AB1-", min_size=1, max_size=5), max_size=10),
    most=st.integers(1, 20),
)
async def test_exactly_what_is_there_whatever_the_codes(skus: set[str], gone: set[str], most: int) -> None:
    shelf = codes(*skus)
    found = await read_products([*skus, *gone], shelf.search, most=most)
    assert {key for key, product in found.items() if product} == {sku.casefold() for sku in skus}
    assert all(product is None or product.sku.casefold() == key for key, product in found.items())
    assert len(shelf.asked) <= 2 * len(skus | gone)
