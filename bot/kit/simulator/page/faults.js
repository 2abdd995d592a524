/**
 * Switches that make the simulated DingTalk misbehave, and the administrator's buttons.
 * @module
 */

import { api } from './api.js';
import { byId, el } from './dom.js';
import { attempt, toast } from './toast.js';
import { currentLanguage, say } from './words.js';

/** Settings that every fault has, in the order shown; others follow under their own names. */
const COMMON = ['rate', 'delayMs', 'count', 'api'];
const NOT_SETTINGS = new Set(['on', 'label', 'help']);

/** @typedef {import('./session.js').Fault & Record<string, unknown>} Fault */

/** @param {import('./session.js').Session} session */
export function mountFaults(session) {
  const list = byId('faults');
  const count = byId('faults-count');
  /** @type {Map<string, {element: HTMLElement, update: (fault: any) => void}>} */
  let rows = new Map();

  const draw = () => {
    const names = Object.keys(session.faults);
    if (names.join() !== [...rows.keys()].join()) {
      rows = new Map(names.map((name) => [name, drawFault(name, /** @type {any} */ (session.faults[name]))]));
      list.replaceChildren(...[...rows.values()].map(({ element }) => element));
    }
    for (const [name, row] of rows) row.update(session.faults[name]);
    const on = Object.values(session.faults).filter((fault) => fault.on).length;
    count.hidden = on === 0;
    count.textContent = on ? String(on) : '';
    count.setAttribute('aria-label', say('faults.active', { n: on }));
  };

  /**
   * @param {string} name
   * @param {Record<string, unknown>} part
   */
  const change = async (name, part) => {
    // The new state comes as news, to this page as to all others; only a failure must be undone here.
    if (!(await attempt(() => api.setFaults({ [name]: part })))) draw();
  };

  /**
   * @param {string} name
   * @param {Fault} fault
   */
  const drawFault = (name, fault) => {
    const toggle = el('button', {
      class: 'switch', type: 'button', role: 'switch', id: `fault-${name}`, 'aria-describedby': `fault-help-${name}`,
      data: { testid: 'fault-switch' },
      on: { click: () => change(name, { on: toggle.getAttribute('aria-checked') !== 'true' }) },
    });
    const keys = [...COMMON.filter((key) => key in fault), ...Object.keys(fault).filter((key) => isSetting(key, fault[key]))];
    const fields = keys.map((key) => drawField(name, key, fault[key], (value) => change(name, { [key]: value })));
    const settings = el('details', { class: 'fault-settings' }, el('summary', {}, say('faults.settings')),
      ...fields.map(({ element }) => element));
    const element = el('li', { class: 'fault', data: { testid: 'fault', name } },
      el('div', { class: 'fault-head' },
        el('label', { class: 'fault-label', for: `fault-${name}` }, inLanguage(fault.label) || name), toggle),
      el('p', { class: 'fault-help', id: `fault-help-${name}` }, inLanguage(fault.help)),
      fields.length > 0 && settings);
    /** @param {Fault} now */
    const update = (now) => {
      if (now.on && toggle.getAttribute('aria-checked') === 'false') settings.setAttribute('open', '');
      toggle.setAttribute('aria-checked', String(Boolean(now.on)));
      element.classList.toggle('on', Boolean(now.on));
      fields.forEach(({ set }, index) => set(now[keys[index]]));
    };
    return { element, update };
  };

  mountAdministration();
  session.listen('faults', draw);
  return { redraw: () => { rows = new Map(); draw(); } };
}

/** @param {Record<'zh' | 'en', string>} words */
function inLanguage(words) {
  return words[currentLanguage()] ?? '';
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function isSetting(key, value) {
  return !COMMON.includes(key) && !NOT_SETTINGS.has(key) && ['number', 'string', 'boolean'].includes(typeof value);
}

/**
 * @param {string} name
 * @param {string} key
 * @param {unknown} value
 * @param {(value: unknown) => void} onChange
 */
function drawField(name, key, value, onChange) {
  const id = `fault-${name}-${key}`;
  const number = typeof value === 'number' || key === 'count';
  const kind = typeof value === 'boolean' ? 'checkbox' : number ? 'number' : 'text';
  const limits = key === 'rate' ? { min: 0, max: 1, step: 0.05 } : number ? { min: 0, step: 1 } : {};
  const input = /** @type {HTMLInputElement} */ (el('input', { id, type: kind, ...limits, data: { testid: `fault-${key}` } }));
  input.addEventListener('change', () => {
    if (!input.reportValidity()) return;
    if (kind === 'checkbox') onChange(input.checked);
    else if (number) onChange(input.value === '' ? null : Number(input.value));
    else onChange(input.value);
  });
  const words = say(`faults.${key}`);
  return {
    element: el('div', { class: 'field' }, el('label', { for: id }, words === `faults.${key}` ? key : words), input),
    /** @param {unknown} now */
    set: (now) => {
      if (document.activeElement === input) return;
      if (kind === 'checkbox') input.checked = Boolean(now);
      else input.value = now === null || now === undefined ? '' : String(now);
    },
  };
}

function mountAdministration() {
  const dialog = /** @type {HTMLDialogElement} */ (byId('reset-dialog'));
  byId('expire').addEventListener('click', async () => {
    if (await attempt(api.expireTokens)) toast(say('admin.expired'), 'good');
  });
  byId('drop').addEventListener('click', async () => {
    if (await attempt(api.dropConnections)) toast(say('admin.dropped'), 'good');
  });
  byId('reset').addEventListener('click', () => dialog.showModal());
  dialog.addEventListener('close', async () => {
    if (dialog.returnValue !== 'yes') return;
    dialog.returnValue = '';
    if (await attempt(api.reset)) toast(say('admin.reset.done'), 'good');
  });
}
