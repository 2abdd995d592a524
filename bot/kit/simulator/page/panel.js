/**
 * The frame of the side panel: connection, quota, tabs.
 * @module
 */

import { byId } from './dom.js';
import { recall, remember } from './memory.js';
import { currentLanguage, say } from './words.js';

const WARN_AT = 0.8;
const BAD_AT = 0.95;

/** @param {import('./session.js').Session} session */
export function mountPanel(session) {
  const tabs = /** @type {HTMLElement[]} */ ([byId('tab-timeline'), byId('tab-todos'), byId('tab-tables'), byId('tab-faults')]);

  /** @param {HTMLElement} chosen */
  const choose = (chosen) => {
    for (const tab of tabs) {
      const selected = tab === chosen;
      tab.setAttribute('aria-selected', String(selected));
      tab.tabIndex = selected ? 0 : -1;
      byId(tab.getAttribute('aria-controls') ?? '').hidden = !selected;
    }
    remember('tab', chosen.id);
    if (chosen.id === 'tab-timeline') byId('timeline-scroll').scrollTop = byId('timeline-scroll').scrollHeight;
  };
  for (const tab of tabs) {
    tab.addEventListener('click', () => choose(tab));
    tab.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
      const step = event.key === 'ArrowLeft' ? tabs.length - 1 : 1;
      const other = tabs[(tabs.indexOf(tab) + step) % tabs.length];
      choose(other);
      other.focus();
    });
  }

  const drawQuota = () => {
    const { used, limit, month } = session.quota;
    const part = limit ? used / limit : 0;
    const number = new Intl.NumberFormat(currentLanguage() === 'en' ? 'en' : 'zh-CN');
    const words = say(limit ? 'quota.of' : 'quota.unlimited',
      { used: number.format(used), limit: number.format(limit ?? 0) });
    byId('quota-numbers').textContent = words;
    byId('quota-month').textContent = month;
    const meter = byId('quota');
    meter.dataset.used = String(used);
    meter.setAttribute('aria-valuemax', String(limit ?? used));
    meter.setAttribute('aria-valuenow', String(used));
    meter.setAttribute('aria-valuetext', words);
    const bar = byId('quota-bar');
    bar.style.width = used ? `max(3px, ${Math.min(100, part * 100)}%)` : '0';
    bar.className = part >= BAD_AT ? 'bad' : part >= WARN_AT ? 'warn' : '';
  };

  const drawConnections = () => {
    const { connections } = session;
    const state = byId('connection');
    state.classList.toggle('off', connections === 0);
    state.dataset.connections = String(connections);
    const words = connections === 0 ? 'bot.offline' : connections === 1 ? 'bot.online' : 'bot.online.many';
    byId('connection-text').textContent = say(words, { n: connections });
  };

  const draw = () => {
    drawQuota();
    drawConnections();
  };
  session.listen('quota', drawQuota);
  session.listen('connections', drawConnections);
  choose(tabs.find(({ id }) => id === recall('tab', '')) ?? tabs[0]);
  return { redraw: draw };
}
