"""The ERP behind the bot's port: stock, and purchase orders that can be approved and rejected."""

from typing import Any
from urllib.parse import quote

from bot.api import erps

from . import mapping
from .options import ExampleOptions


class ExampleErp(erps.DocumentErp):  # which refuses what is not among the capabilities
    capabilities = frozenset(erps.Capability(name) for name in (
        "stock", "stock_per_warehouse", "purchase_orders", "approve", "reject", "version_check"
    ))  # fmt: skip

    def __init__(self, context: erps.AdapterContext, options: ExampleOptions) -> None:
        super().__init__(context.name)
        self._now, self._options = context.now, options
        self._http = erps.Http(options, now=context.now, source=self.name)
        self._relogin = erps.Relogin(self._login)

    async def find_products(self, text: str, *, limit: int) -> tuple[erps.Product, ...]:
        return erps.find_products(map(mapping.product, await self._all("products")), text, limit=limit)

    async def stock(self, sku: str) -> erps.StockLevel:
        return mapping.stock(await self._one("stock", sku), self.name)

    async def read_document(self, kind: erps.Kind[Any], number: str) -> Any:
        return mapping.purchase_order(await self._one("purchases", number), self.name)

    async def list_documents(self, kind: erps.Kind[Any], query: erps.ListQuery) -> erps.Slice[Any]:
        orders = (mapping.purchase_order(item | {"lines": ()}, self.name) for item in await self._all("purchases"))
        return kind.pick(orders, query, self._now().date())

    async def write_decision(self, kind: erps.Kind[Any], decision: erps.Decision) -> erps.DecisionResult:
        return await erps.decide(decision, read=self.purchase_order, write=self._write)

    async def _write(self, order: erps.PurchaseOrder, decision: erps.Decision) -> None:
        word = {key: getattr(decision, key) for key in ("verdict", "version", "by", "reason")}
        await self._ask(self._http.write, "POST", f"purchases/{quote(order.number, safe='')}/decision", json=word)

    async def check(self) -> None:
        await self._ask(self._http.read, "GET", "products", params={"limit": 1})

    async def close(self) -> None:
        await self._http.close()

    async def _one(self, kind: str, key: str) -> Any:
        return await self._ask(self._http.read, "GET", f"{kind}/{quote(key, safe='')}", what=key)

    async def _all(self, kind: str) -> list[Any]:
        found: list[Any] = []  # page by page: the server decides how long a page is
        while True:
            page = await self._ask(self._http.read, "GET", kind, params={"offset": len(found), "limit": 100})
            found += page["items"]
            if len(found) >= page["total"] or not page["items"]:
                return found

    async def _ask(self, send: Any, *request: str, what: str = "", **how: Any) -> Any:
        async def ask(token: str) -> Any:
            answer = await send(*request, headers={"Authorization": f"Bearer {token}"}, **how)
            return answer.checked(what=what, source=self.name)

        return await self._relogin.run(ask)

    async def _login(self) -> str:
        account = {"user": self._options.user, "password": self._options.password.get_secret_value()}
        answer = await self._http.read("POST", "login", json=account)
        return str(answer.checked(source=self.name)["token"])
