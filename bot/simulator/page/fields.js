/**
 * The fields of a card: a line of text, several lines, a day, or a choice.
 * @module
 */

import { el } from './dom.js';

/**
 * @typedef {{name: string, label: string, type: 'TEXT' | 'TEXT_AREA' | 'DATE' | 'SELECT', placeholder: string, defaultValue: string,
 *            required: boolean, options: {value: string, text: string}[]}} Field
 */

/**
 * A field with its label.
 * @param {Field} field
 * @returns {HTMLElement}
 */
export function drawField(field) {
  const common = { class: 'card-input', name: field.name, data: { testid: 'card-field', type: field.type } };
  return el('label', { class: 'card-field' }, el('span', {}, field.required ? `${field.label} *` : field.label),
    drawInput(field, common));
}

/**
 * @param {Field} field
 * @param {import('./dom.js').Props} common
 */
function drawInput(field, common) {
  const { placeholder, defaultValue } = field;
  const line = { ...common, placeholder, value: defaultValue, autocomplete: 'off' };
  switch (field.type) {
    case 'SELECT': return drawSelect(field, common);
    case 'TEXT_AREA': return el('textarea', { ...common, placeholder, rows: 3 }, defaultValue);
    case 'DATE': return el('input', { ...line, type: 'date' });
    default: return el('input', { ...line, type: 'text' });
  }
}

/**
 * @param {Field} field
 * @param {import('./dom.js').Props} common
 */
function drawSelect({ placeholder, options, defaultValue }, common) {
  return el('select', common, el('option', { value: '' }, placeholder || '–'),
    ...options.map(({ value, text }) => el('option', { value, selected: value === defaultValue }, text)));
}

/**
 * What stands in the fields now, by name.
 * @param {HTMLElement} fields
 * @returns {Record<string, string>}
 */
export function entered(fields) {
  const nodes = /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>} */ (fields.querySelectorAll('.card-input'));
  return Object.fromEntries([...nodes].map(({ name, value }) => [name, value]));
}
