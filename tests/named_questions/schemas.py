"""Small parts of two ERPs' own databases, with made-up rows, and what a company asks of them."""

from __future__ import annotations

ODOO = """
CREATE TABLE res_partner (id int, name text);
CREATE TABLE res_users (id int, login text);
CREATE TABLE res_currency (id int, name text);
CREATE TABLE sale_order
    (id int, name text, partner_id int, user_id int, currency_id int, state text, date_order timestamp);
CREATE TABLE sale_order_line
    (order_id int, product_id int, qty_delivered numeric, qty_invoiced numeric, price_unit numeric);
CREATE TABLE product_template (id int, name jsonb);
CREATE TABLE product_product (id int, product_tmpl_id int, default_code text);
CREATE TABLE stock_quant (product_id int, quantity numeric, location_id int);
CREATE TABLE stock_location (id int, usage text, complete_name text);
INSERT INTO res_partner VALUES (1, '华东机械'), (2, '宏达五金');
INSERT INTO res_users VALUES (7, 'li01'), (8, 'wang02');
INSERT INTO res_currency VALUES (3, 'CNY');
INSERT INTO sale_order VALUES
    (1, 'S00001', 1, 7, 3, 'sale', '2026-11-01 22:00'), (2, 'S00002', 2, 8, 3, 'sale', '2026-11-03 08:00'),
    (3, 'S00003', 2, 8, 3, 'cancel', '2026-11-03 08:00');
INSERT INTO sale_order_line VALUES (1, 11, 10, 4, 1.10), (2, 12, 3, 3, 9), (2, 11, 2, 0, 0.333), (3, 11, 5, 0, 1);
INSERT INTO product_template VALUES (21, '{"en_US": "Screw", "zh_CN": "螺丝"}'), (22, '{"en_US": "Nut"}');
INSERT INTO product_product VALUES (11, 21, 'SKU-1'), (12, 22, 'SKU-2');
INSERT INTO stock_location VALUES (31, 'internal', 'WH/Stock'), (32, 'customer', 'Customers');
INSERT INTO stock_quant VALUES (11, 5.5, 31), (11, 7, 32), (12, 0, 31);
"""

ODOO_QUESTIONS = """
[[questions]]
name = "not_invoiced"
title = "Delivered, not invoiced"
title_zh = "已发货未开票"
source = "main"
shows = ["order"]
roles = ["*"]
sql = '''
SELECT o.name AS no, p.name AS customer, u.login AS seller, c.name AS currency, o.date_order::date AS day,
       sum((l.qty_delivered - l.qty_invoiced) * l.price_unit) AS amount
FROM sale_order o
JOIN sale_order_line l ON l.order_id = o.id
JOIN res_partner p ON p.id = o.partner_id
JOIN res_users u ON u.id = o.user_id
JOIN res_currency c ON c.id = o.currency_id
WHERE o.state IN ('sale', 'done') AND l.qty_delivered > l.qty_invoiced
  AND o.date_order >= :days_from AND o.date_order < CAST(:days_to AS date) + INTERVAL '1 day'
GROUP BY o.name, p.name, u.login, c.name, o.date_order
ORDER BY o.date_order, o.name
'''
[questions.scope]
partner = "customer"
owner = ["seller"]
[[questions.arguments]]
name = "days"
title = "days"
type = "days"
default = "this month"
[[questions.columns]]
column = "no"
title = "Order"
type = "document"
of = "order"
class = "open"
[[questions.columns]]
column = "customer"
title = "Customer"
type = "text"
class = "partner"
[[questions.columns]]
column = "amount"
title = "Amount"
type = "money"
currency_from = "currency"
class = "amount"

[[questions]]
name = "in_stock"
title = "Quantities in stock"
title_zh = "在库数量"
source = "main"
shows = ["stock"]
roles = ["*"]
sql = '''
SELECT pp.default_code AS sku, coalesce(t.name->>'zh_CN', t.name->>'en_US') AS name, sum(q.quantity) AS pieces
FROM stock_quant q
JOIN stock_location s ON s.id = q.location_id AND s.usage = 'internal'
JOIN product_product pp ON pp.id = q.product_id
JOIN product_template t ON t.id = pp.product_tmpl_id
WHERE pp.default_code ILIKE :product_like ESCAPE '!'
GROUP BY pp.default_code, t.name
ORDER BY pp.default_code
'''
[[questions.arguments]]
name = "product"
title = "product"
type = "product"
default = ""
[[questions.columns]]
column = "sku"
title = "SKU"
type = "text"
class = "open"
[[questions.columns]]
column = "name"
title = "Product"
type = "text"
class = "open"
[[questions.columns]]
column = "pieces"
title = "Pieces"
type = "quantity"
class = "quantity"
"""

TPLUS = """
CREATE TABLE "AA_Partner" (id int, code text, name text);
CREATE TABLE "AA_Inventory" (id int, code text, name text);
CREATE TABLE "AA_Warehouse" (id int, code text, name text);
CREATE TABLE "ST_CurrentStock" ("idinventory" int, "idwarehouse" int, "baseQuantity" numeric, "amount" numeric);
CREATE TABLE "PU_PurchaseOrder" (id int, code text, "idpartner" int, "voucherdate" date, "totalTaxAmount" numeric);
INSERT INTO "AA_Partner" VALUES (1, 'V1', '永年紧固件');
INSERT INTO "AA_Inventory" VALUES (1, 'M4', '螺丝 M4'), (2, 'M5', '螺丝 M5');
INSERT INTO "AA_Warehouse" VALUES (1, 'W1', '上海仓'), (2, 'W2', '成都仓');
INSERT INTO "ST_CurrentStock" VALUES (1, 1, 100, 12.34), (1, 2, 5, 0.66), (2, 2, 7, 70);
INSERT INTO "PU_PurchaseOrder" VALUES (1, 'PO-1', 1, '2026-11-02', 1130.00);
"""

TPLUS_QUESTIONS = """
[[questions]]
name = "stock_value"
title = "Stock value"
title_zh = "库存金额"
source = "main"
shows = ["stock"]
roles = ["*"]
sql = '''
SELECT i.code AS sku, i.name AS name, w.code AS warehouse, s."baseQuantity" AS pieces, s.amount AS amount
FROM "ST_CurrentStock" s
JOIN "AA_Inventory" i ON i.id = s."idinventory"
JOIN "AA_Warehouse" w ON w.id = s."idwarehouse"
ORDER BY i.code, w.code
'''
[questions.scope]
warehouse = ["warehouse"]
[[questions.columns]]
column = "sku"
title = "SKU"
type = "text"
class = "open"
[[questions.columns]]
column = "warehouse"
title = "Warehouse"
type = "text"
class = "open"
[[questions.columns]]
column = "pieces"
title = "Pieces"
type = "quantity"
class = "quantity"
[[questions.columns]]
column = "amount"
title = "Amount"
type = "money"
currency = "CNY"
class = "cost"
"""
