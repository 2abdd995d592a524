// A program with a client that openapi-fetch makes of the types that openapi-typescript generates: it prints as JSON what
// it is told. The key and the address are in the environment.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Amount = components["schemas"]["Money"] | components["schemas"]["Hidden"] | null;

const bot = createClient<paths>({
  baseUrl: process.env.BOT_URL!,
  headers: { Authorization: `Bearer ${process.env.BOT_KEY}` },
});

function told(amount: Amount): string {
  if (amount === null) return "";
  return "hidden" in amount ? `hidden: ${amount.hidden}` : `${amount.amount} ${amount.currency}`;
}

async function lateOrders(): Promise<string[]> {
  const numbers: string[] = [];
  let cursor: string | undefined;
  do {
    const { data } = await bot.GET("/api/v1/order", { params: { query: { list: "late", limit: 3, cursor } } });
    if (data === undefined || !Array.isArray(data.view.rows)) throw new Error("no list");
    numbers.push(...data.view.rows.map((order) => order.number));
    cursor = data.next ?? undefined;
  } while (cursor !== undefined);
  return numbers;
}

const order = await bot.GET("/api/v1/order/{number}", { params: { path: { number: "SO-1001" } } });
const question = await bot.POST("/api/v1/questions", { body: { line: "stock SKU123", offset: 0, language: "en" } });
const wrong = await bot.GET("/api/v1/order", { params: { query: { days: "someday" } } });
const leave = await bot.POST("/api/v1/gate/requests", {
  params: { header: { "Idempotency-Key": "asked-1" } },
  body: { class: "refund", action: "Refund an order", facts: { amount: "10.00" }, expires_in: 600 },
});
if (order.data === undefined || question.data === undefined) throw new Error("no answer");

console.log(
  JSON.stringify({
    late: await lateOrders(),
    total: told(order.data.view.document.total),
    asked: question.data.asked,
    problem: [wrong.error?.status, wrong.error?.errors?.map((part) => part.parameter)],
    state: leave.data?.state,
  }),
);
