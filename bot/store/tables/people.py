"""Tables of the organisation's people."""

from __future__ import annotations

from sqlalchemy import BigInteger, Text
from sqlmodel import Field

from bot.store.sealed_columns import Sealed
from bot.store.tables.base import StoreTable, core_table


class OrganisationRow(StoreTable, table=True):
    """The organisation of each app that used this database."""

    __tablename__ = "organisation"

    client_id: str = Field(primary_key=True)
    corp_id: str


class PersonRow(StoreTable, table=True):
    """The known facts about a person (see `bot.access.membership.PersonRecord`)."""

    __tablename__ = "person"

    user_id: str = Field(primary_key=True)
    name: str
    roles: str = Field(sa_type=Text)
    """A JSON list of names."""
    departments: str = Field(sa_type=Text)
    """A JSON list of ids."""
    is_admin: bool
    checked_us: int | None = Field(sa_type=BigInteger)
    changed_us: int | None = Field(sa_type=BigInteger)
    left_us: int | None = Field(sa_type=BigInteger)
    wrote_us: int | None = Field(sa_type=BigInteger)
    written_us: int = Field(sa_type=BigInteger, index=True)
    """When the row was last written, by the writing process's clock: others look for news by it."""
    manager: str | None
    """The userId, empty for nobody; None if unknown."""


class DepartmentRow(StoreTable, table=True):
    """A department of the organisation (see `bot.access.directory_sync.ListedDepartment`)."""

    __tablename__ = "department"

    id: str = Field(primary_key=True)
    name: str
    parent_id: str


class DirectoryWalkRow(StoreTable, table=True):
    """The last walk through the directory; there is one row."""

    __tablename__ = "directory_walk"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    began_us: int = Field(sa_type=BigInteger)
    ended_us: int | None = Field(sa_type=BigInteger)
    """None while in progress, or when interrupted."""


class ErpAccountRow(StoreTable, table=True):
    """A person's account in an ERP, bound or requested in chat (see `bot.chat.accounts.binding.ErpAccount`)."""

    __tablename__ = "erp_account"

    user_id: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    name: str
    account: str
    wanted: str
    state: str
    decided_by: str
    revision: int


class ErpKeyRow(StoreTable, table=True):
    """A person's own key for an ERP, entered by themselves (see `bot.chat.accounts.keys`)."""

    __tablename__ = "erp_key"

    user_id: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    account: str
    """The account it belongs to."""
    secret: str = Field(sa_type=Sealed("erp_key.secret"))
    entered_ms: int = Field(sa_type=BigInteger)


class ErpKeyLinkRow(StoreTable, table=True):
    """A single-use link for entering a key."""

    __tablename__ = "erp_key_link"

    digest: str = Field(primary_key=True)
    """SHA-256 of the link's last part, known only to its owner."""
    user_id: str = Field(index=True)
    source: str
    account: str
    expires_ms: int = Field(sa_type=BigInteger)
    tries: int


class PageSessionRow(StoreTable, table=True):
    """Somebody's login to the pages (see `bot.access.page_sessions`)."""

    __tablename__ = "page_session"

    digest: str = Field(primary_key=True)
    """SHA-256 of the token, which the person's browser alone has."""
    user_id: str = Field(index=True)
    corp_id: str
    began_ms: int = Field(sa_type=BigInteger)
    seen_ms: int = Field(sa_type=BigInteger)
    device: str
    """What the browser said of itself."""


class ApiKeyRow(StoreTable, table=True):
    """The key of a program (see `bot.access.api_keys`)."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    digest: str
    """SHA-256 of the token, which the program alone has."""
    user_id: str = Field(index=True)
    scopes: str = Field(sa_type=Text)
    """Names, with commas between them."""
    made_ms: int = Field(sa_type=BigInteger)
    expires_ms: int = Field(sa_type=BigInteger)
    seen_ms: int | None = Field(sa_type=BigInteger)


class AgentGrantRow(StoreTable, table=True):
    """What somebody lets an agent ask in their name (see `bot.access.agent_grants`)."""

    __tablename__ = "agent_grant"

    id: str = Field(primary_key=True)
    """That of its key."""
    user_id: str = Field(index=True)
    client_id: str = Field(sa_type=Text)
    client: str
    redirect_uri: str = Field(sa_type=Text)
    resource: str = Field(sa_type=Text)
    scopes: str = Field(sa_type=Text)
    """Names of tools, with spaces between them."""
    commands: str = Field(sa_type=Text)
    """What its key opens, with spaces between the names."""
    challenge: str
    code: str
    """SHA-256 of the code; so are the two that follow, of what refresh tokens have in common and of the last one."""
    family: str
    refresh: str
    code_ends_ms: int = Field(sa_type=BigInteger)
    made_ms: int = Field(sa_type=BigInteger)
    ends_ms: int = Field(sa_type=BigInteger, index=True)


class PageConfirmationRow(StoreTable, table=True):
    """What somebody was asked to confirm in their own chat (see `bot.chat.confirmations`)."""

    __tablename__ = "page_confirmation"

    id: str = Field(primary_key=True)
    user_id: str = Field(index=True)
    session: str
    """The digest of the session that asked."""
    about: str
    state: str
    asked_ms: int = Field(sa_type=BigInteger)
    words: str = Field(sa_type=Sealed("page_confirmation.words"))
    """What they confirm, and the device that asks, packed as words."""


AGENT_GRANT = core_table(AgentGrantRow)
API_KEY = core_table(ApiKeyRow)
DEPARTMENT = core_table(DepartmentRow)
DIRECTORY_WALK = core_table(DirectoryWalkRow)
ERP_ACCOUNT = core_table(ErpAccountRow)
ERP_KEY = core_table(ErpKeyRow)
ERP_KEY_LINK = core_table(ErpKeyLinkRow)
ORGANISATION = core_table(OrganisationRow)
PAGE_CONFIRMATION = core_table(PageConfirmationRow)
PAGE_SESSION = core_table(PageSessionRow)
PERSON = core_table(PersonRow)
