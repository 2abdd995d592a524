"""The asker's accounts, as the commands about accounts show them."""

from __future__ import annotations

from bot.chat.accounts.binding import ErpAccounts
from bot.chat.accounts.views import AccountList, account_row
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.words.phrase import Phrase, phrase


class AccountPart(Keyword):
    """The part of an account that is meant: the person's own key instead of the account itself."""

    KEY = phrase("key"), "密钥"


async def own_accounts(accounts: ErpAccounts, context: QuestionContext, remark: Phrase | None = None) -> AccountList:
    """Return the asker's accounts."""
    own = await accounts.of(context.person.user_id or "")
    rows = tuple(row for row in map(account_row, own) if row.account or row.wanted or row.reason)
    return AccountList(rows=rows, sources=accounts.sources, remark=remark)
