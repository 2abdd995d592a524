/**
 * Checks rules while they are typed, by the same form that the button sends. The page is complete without it.
 * @module
 */

const QUIET_MS = 600;
const form = /** @type {HTMLFormElement | null} */ (document.getElementById('editor'));
const text = /** @type {HTMLTextAreaElement | null} */ (document.getElementById('text'));
let timer = 0;
let asking = new AbortController();

text?.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(check, QUIET_MS);
});

// A tap on what was found leads to its line.
document.addEventListener('click', (event) => {
  const found = /** @type {HTMLElement} */ (event.target).closest('[data-line]');
  if (!text || !(found instanceof HTMLElement)) return;
  const lines = text.value.split('\n');
  const line = Number(found.dataset.line);
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? '').length);
});

async function check() {
  if (!form) return;
  asking.abort();
  asking = new AbortController();
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === 'string') fields.append(name, value);
  fields.set('do', 'check');
  try {
    const answer = await fetch(form.action, { method: 'POST', body: fields, signal: asking.signal });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const found = page.getElementById('findings');
    if (answer.ok && found) document.getElementById('findings')?.replaceWith(document.adoptNode(found));
  } catch (error) {
    // Typed on meanwhile, or no connection: the button says so.
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
  }
}
