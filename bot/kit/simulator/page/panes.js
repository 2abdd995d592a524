/**
 * Which part of the page is in sight. On a phone it is one of `list`, `chat` and `panel`, and the phone's own back
 * gesture works; on a desk list and chat are always there and the panel can be folded away.
 * @module
 */

import { byId } from './dom.js';
import { recall, remember } from './memory.js';

const PHONE = matchMedia('(max-width: 760px)');

/** Whether the open conversation is before the reader's eyes. */
export function chatInSight() {
  return !document.hidden && (!PHONE.matches || byId('app').dataset.pane === 'chat');
}

/** @param {() => void} onChange another part came into sight */
export function mountPanes(onChange) {
  const app = byId('app');
  const toggle = byId('panel-toggle');

  /** @param {string} pane */
  const apply = (pane) => {
    app.dataset.pane = pane;
    onChange();
  };
  /** @param {'chat' | 'panel'} pane */
  const go = (pane) => {
    if (!PHONE.matches || app.dataset.pane === pane) return;
    history.pushState({ pane }, '');
    apply(pane);
  };
  const back = () => {
    if (history.state?.pane) history.back();
    else apply('list');
  };
  /** @param {boolean} open */
  const setPanel = (open) => {
    app.dataset.panel = open ? 'open' : 'folded';
    toggle.setAttribute('aria-expanded', String(open));
  };

  toggle.addEventListener('click', () => {
    if (PHONE.matches) {
      go('panel');
      return;
    }
    const open = app.dataset.panel !== 'open';
    setPanel(open);
    remember('panel', open);
  });
  byId('panel-close').addEventListener('click', () => (PHONE.matches ? back() : toggle.click()));
  byId('chat-back').addEventListener('click', back);
  window.addEventListener('popstate', (event) => apply(event.state?.pane ?? 'list'));
  setPanel(recall('panel', window.innerWidth > 1080));
  PHONE.addEventListener('change', onChange);
  apply(history.state?.pane ?? 'list');
  return { showChat: () => go('chat'), isPhone: () => PHONE.matches };
}
