"""Tables of the documents kept of ERPs (`bot.read_model`), and of each source's progress."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text
from sqlmodel import Field

from bot.store.sealed_columns import Sealed, SealedKey
from bot.store.tables.base import StoreTable, core_table, partial_index


class KeptDocumentRow(StoreTable, table=True):
    """A document as last reported by its ERP, without lines."""

    __tablename__ = "kept_document"
    __table_args__ = (
        Index("ix_kept_document_area_day", "area", "day"),
        Index("ix_kept_document_partner", "partner"),
        partial_index("ix_kept_document_open", "area", "source", where="is_open"),
    )

    source: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    number: str = Field(sa_type=Text, primary_key=True)
    """The number in lower case."""
    day: int | None
    """The day of the document, as the days since the year 1 (`datetime.date.toordinal`)."""
    is_open: bool
    """Whether it is unfinished (`bot.erp.kinds.kind.Kind.is_unfinished`), which includes drafts and waiting
    documents.
    """
    has_lines: bool
    """Whether its lines have been read; production orders and invoices have none."""
    walk: int
    """The last walk through the source that met it."""
    partner: str = Field(sa_type=SealedKey("kept_document.partner", String()))
    """The folded name of the customer or vendor."""
    document: str = Field(sa_type=Sealed("kept_document.document"))
    """The document as JSON."""


class KeptLineRow(StoreTable, table=True):
    """A line of a document; a production order has one, which only names the product."""

    __tablename__ = "kept_line"
    __table_args__ = (Index("ix_kept_line_sku", "sku", "area"),)

    source: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    number: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(primary_key=True)
    sku: str = Field(sa_type=Text)
    """The code in lower case."""
    line: str = Field(sa_type=Sealed("kept_line.line"))
    """The line as JSON, empty for a production order."""


class KeptTallyRow(StoreTable, table=True):
    """The tally of one day's documents (see `bot.read_model.tallies`), so that sums need not read them."""

    __tablename__ = "kept_tally"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    day: int = Field(primary_key=True)
    """Encoded as in ``kept_document``; 0 for documents without a day."""
    tally: str = Field(sa_type=Sealed("kept_tally.tally"))
    """The counts and amounts as JSON."""


class FollowedAreaRow(StoreTable, table=True):
    """The following progress of one kind of document of a source (see `bot.read_model.records.FollowedArea`)."""

    __tablename__ = "followed_area"

    source: str = Field(primary_key=True)
    area: str = Field(primary_key=True)
    cursor: str = Field(sa_type=Text)
    followed: bool
    walk: int
    walking: bool
    place: str
    began_ms: int | None = Field(sa_type=BigInteger)
    walked_ms: int | None = Field(sa_type=BigInteger)
    complete_day: int | None
    """The day from which on all documents are kept, encoded as in ``kept_document``."""
    synced_ms: int | None = Field(sa_type=BigInteger)
    trouble: str
    version: int


class StockDayRow(StoreTable, table=True):
    """The stock in a warehouse from a day on (see `bot.read_model.stock_days`)."""

    __tablename__ = "stock_day"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source: str = Field(primary_key=True)
    sku: str = Field(sa_type=Text, primary_key=True)
    """The code in lower case."""
    warehouse: str = Field(sa_type=Text, primary_key=True)
    """The code, empty if the ERP gives one figure for all."""
    day: int = Field(primary_key=True)
    """Encoded as in ``kept_document``."""
    on_hand: str = Field(sa_type=Sealed("stock_day.on_hand"))


KEPT_DOCUMENT = core_table(KeptDocumentRow)
KEPT_LINE = core_table(KeptLineRow)
KEPT_TALLY = core_table(KeptTallyRow)
FOLLOWED_AREA = core_table(FollowedAreaRow)
STOCK_DAY = core_table(StockDayRow)
