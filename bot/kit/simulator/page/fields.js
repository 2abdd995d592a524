/**
 * The fields of a card: texts, numbers, days and times, choices, yes or no.
 * @module
 */

import { el } from './dom.js';

/**
 * @typedef {{name: string, label: string, type: string, placeholder: string, defaultValue: string,
 *            required: boolean, hidden?: boolean, readOnly?: boolean, options: {value: string, text: string}[]}} Field
 */

/**
 * A field with its label.
 * @param {Field} field
 * @returns {HTMLElement}
 */
export function drawField(field) {
  const common = { class: 'card-input', name: field.name, data: { testid: 'card-field', type: field.type } };
  if (field.hidden) return el('span', {});
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
    case 'SELECT': case 'CHECKBOX_GROUP': return drawSelect(field, common);
    case 'MULTI_SELECT': case 'MULTI_CHECKBOX_GROUP': return drawSelect(field, { ...common, multiple: true });
    case 'CHECKBOX': case 'SWITCH': return el('input', { ...common, type: 'checkbox', checked: defaultValue === 'true' });
    case 'TEXT_ARRAY': return el('textarea', { ...common, placeholder, rows: 3 }, defaultValue ? JSON.parse(defaultValue).join('\n') : '');
    case 'NUMBER': return el('input', { ...line, type: 'number', step: 'any' });
    case 'TIME': return el('input', { ...line, type: 'time' });
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
  return Object.fromEntries([...nodes].map((node) => [node.name, written(node)]));
}

/**
 * What stands in one field, as the control API takes it.
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} node
 */
function written(node) {
  if (node instanceof HTMLInputElement && node.type === 'checkbox') return String(node.checked);
  if (node instanceof HTMLSelectElement && node.multiple) return JSON.stringify([...node.selectedOptions].map(({ value }) => value).filter(Boolean));
  if (node.dataset.type === 'TEXT_ARRAY') return JSON.stringify(node.value.split('\n').filter(Boolean));
  return node.value;
}
