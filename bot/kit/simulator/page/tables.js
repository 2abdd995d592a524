/**
 * The AI tables that people share, which they edit here as in DingTalk's own page.
 * @module
 */

import { api } from './api.js';
import { byId, el } from './dom.js';
import { attempt } from './toast.js';

const MOST_ROWS = 60;

/** @typedef {{id: string, fields: Record<string, string>}} TableRow */
/** @typedef {{base: string, sheet: string, columns: string[], records: TableRow[]}} SharedTable */

/** @param {import('./session.js').Session} session */
export function mountTables(session) {
  const list = byId('tables');
  let isLate = false;

  /**
   * @param {SharedTable} table
   * @param {TableRow} row
   * @param {string} column
   */
  const cell = (table, row, column) => {
    const value = String(row.fields[column] ?? '');
    const box = /** @type {HTMLInputElement} */ (el('input', {
      value, 'aria-label': column, data: { column }, on: { change: () => edit(table, row, column, box.value) },
    }));
    return el('td', {}, box);
  };

  /** @param {SharedTable} table */
  const sheet = (table) => el('li', { class: 'sheet', data: { testid: 'table' } },
    el('h3', { class: 'admin-title' }, table.sheet),
    el('div', { class: 'sheet-scroll', tabindex: '0' },
      el('table', {},
        el('thead', {}, el('tr', {}, ...table.columns.map((column) => el('th', {}, column)))),
        el('tbody', {}, ...table.records.slice(0, MOST_ROWS).map((row) =>
          el('tr', { data: { testid: 'table-row' } }, ...table.columns.map((column) => cell(table, row, column))))))));

  const draw = async () => {
    // What somebody types stays until they leave the cell.
    isLate = list.contains(document.activeElement) && document.activeElement instanceof HTMLInputElement;
    if (isLate) return;
    /** @type {SharedTable[]} */
    const tables = await api.tables();
    list.replaceChildren(...tables.map(sheet));
    byId('tables-empty').hidden = tables.length > 0;
  };

  /**
   * @param {SharedTable} table
   * @param {TableRow} row
   * @param {string} column
   * @param {string} value
   */
  const edit = async (table, row, column, value) => {
    await attempt(() => api.editTable(table.base, table.sheet, row.id, { [column]: value }));
  };

  list.addEventListener('focusout', () => {
    if (isLate) setTimeout(draw);
  });
  for (const topic of /** @type {const} */ (['items', 'tables'])) session.listen(topic, draw);
  return { redraw: draw };
}
