/**
 * What makes the pages quicker to use. They are complete without it.
 * @module
 */

// A form that was sent is not sent again by a second tap.
document.addEventListener('submit', (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.method !== 'post') return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = 'yes';
});

// A page that the browser shows again from its memory has forms that may be sent again.
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete (/** @type {HTMLFormElement} */ (form).dataset.sent);
});

// As in the chat, a slash begins a line.
document.addEventListener('keydown', (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key !== '/' || event.ctrlKey || event.metaKey || target.closest('input, select, textarea')) return;
  const line = /** @type {HTMLInputElement | null} */ (document.getElementById('line'));
  if (!line) return;
  event.preventDefault();
  line.focus();
  line.select();
});
