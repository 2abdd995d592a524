/**
 * The switch from one person to another.
 * @module
 */

import { byId, el } from './dom.js';
import { face, nameOf } from './faces.js';
import { say } from './words.js';

/** @param {import('./session.js').Session} session */
export function mountPeople(session) {
  const button = byId('person');
  const menu = byId('people');

  const draw = () => {
    const person = session.person;
    if (!person) return;
    button.dataset.userId = person.userId;
    byId('person-face').replaceChildren(face(person));
    byId('person-name').textContent = nameOf(person);
    byId('person-role').textContent = roleOf(person);
    menu.replaceChildren(...session.people.map((one) => option(one, one === person)));
  };

  /**
   * @param {import('./session.js').Person} person
   * @param {boolean} chosen
   */
  const option = (person, chosen) => el('button', {
    class: 'person', type: 'button', role: 'menuitemradio', 'aria-checked': chosen,
    data: { testid: 'person-option', userId: person.userId },
    on: { click: () => { menu.hidePopover(); button.focus(); session.become(person.userId); } },
  }, face(person), el('span', { class: 'person-text' },
    el('span', { class: 'person-name' }, nameOf(person),
      person.external && el('span', { class: 'badge warn' }, say('people.external'))),
    el('span', { class: 'person-role' }, roleOf(person))));

  menu.addEventListener('toggle', (/** @type {ToggleEvent} */ event) => {
    const open = event.newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    if (open) /** @type {HTMLElement} */ (menu.querySelector('[aria-checked="true"]') ?? menu.firstChild)?.focus();
  });
  menu.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => moveFocus(menu, event));
  session.listen('ready', draw);
  session.listen('person', draw);
  return { draw };
}

/** @param {import('./session.js').Person} person */
function roleOf({ title, department }) {
  return [title, department].filter(Boolean).join(' · ');
}

/**
 * Arrow keys, Home and End walk through the buttons of a menu.
 * @param {HTMLElement} menu
 * @param {KeyboardEvent} event
 */
export function moveFocus(menu, event) {
  const options = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll('button')]);
  const at = options.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
  if (to === undefined || !options.length) return;
  event.preventDefault();
  options[(to + options.length) % options.length].focus();
}
