/**
 * The fields of a card template of one's own: a line of text, or a choice.
 * @module
 */

import { el } from './dom.js';

/**
 * @typedef {{name: string, label: string, type: 'TEXT' | 'SELECT', placeholder: string, defaultValue: string,
 *            required: boolean, options: {value: string, text: string}[]}} Field
 */

/**
 * A field with its label.
 * @param {Field} field
 * @returns {HTMLElement}
 */
export function drawField(field) {
  const common = { class: 'card-input', name: field.name, data: { testid: 'card-field', type: field.type } };
  const node = field.type === 'SELECT' ? drawSelect(field, common)
    : el('input', { ...common, type: 'text', placeholder: field.placeholder, value: field.defaultValue, autocomplete: 'off' });
  return el('label', { class: 'card-field' }, el('span', {}, field.required ? `${field.label} *` : field.label), node);
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
  const nodes = /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */ (fields.querySelectorAll('.card-input'));
  return Object.fromEntries([...nodes].map(({ name, value }) => [name, value]));
}
