/**
 * This person's to-dos, which they tick off here as in DingTalk's own list.
 * @module
 */

import { api } from './api.js';
import { byId, el } from './dom.js';
import { attempt } from './toast.js';
import { say } from './words.js';

/** @typedef {{id: string, subject: string, done: boolean, dueTime: number | null, detailUrl: {pcUrl: string}}} Todo */

/** @param {import('./session.js').Session} session */
export function mountTodos(session) {
  const list = byId('todos');
  const count = byId('todos-count');

  /** @param {Todo} todo */
  const row = (todo) => {
    const box = /** @type {HTMLInputElement} */ (el('input', { type: 'checkbox', on: { change: () => tick(todo, box.checked) } }));
    box.checked = todo.done;
    return el('li', { class: 'todo', data: { testid: 'todo', done: String(todo.done) } },
      el('label', { class: 'todo-label' }, box, el('span', {}, todo.subject)),
      todo.dueTime !== null && el('p', { class: 'fault-help' }, say('todos.due', { time: new Date(todo.dueTime).toLocaleString() })),
      el('p', { class: 'fault-help' }, todo.detailUrl.pcUrl));
  };

  const draw = async () => {
    const viewer = session.person?.userId ?? '';
    if (!viewer) return;
    /** @type {Todo[]} */
    const todos = await api.todos(viewer);
    if (viewer !== session.person?.userId) return;
    list.replaceChildren(...todos.map(row));
    byId('todos-empty').hidden = todos.length > 0;
    const open = todos.filter(({ done }) => !done).length;
    count.hidden = open === 0;
    count.textContent = open ? String(open) : '';
    count.setAttribute('aria-label', say('todos.open', { n: open }));
  };

  /**
   * @param {Todo} todo
   * @param {boolean} done
   */
  const tick = async (todo, done) => {
    if (!(await attempt(() => api.tickTodo(todo.id, session.person?.userId ?? '', done)))) await draw();
  };

  for (const topic of /** @type {const} */ (['items', 'todos'])) session.listen(topic, draw);
  return { redraw: draw };
}
