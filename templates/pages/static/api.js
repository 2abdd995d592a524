/**
 * Sends requests of the API's page with the key that is typed there, and shows what comes back as text.
 * @module
 */

const key = /** @type {HTMLInputElement} */ (document.getElementById('key'));

/**
 * What a form asks for: the address relative to the page, and the options of the request.
 * @param {HTMLFormElement} form
 */
function requestOf(form) {
  const fields = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([...form.querySelectorAll('input, select')]);
  const body = form.querySelector('textarea')?.value;
  let path = form.dataset.path ?? '';
  const query = new URLSearchParams();
  for (const field of fields) {
    if (field.dataset.in === 'path') path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.value) query.set(field.name, field.value);
  }
  /** @type {Record<string, string>} */
  const headers = {};
  for (const name of (form.dataset.headers ?? '').split(' ').filter(Boolean)) headers[name] = crypto.randomUUID();
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const asked = query.size ? `${path}?${query}` : path;
  return { address: new URL(asked, document.baseURI), method: form.dataset.method ?? 'GET', headers, body };
}

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** @param {ReturnType<typeof requestOf>} request */
function shellLine({ address, method, headers, body }) {
  const more = Object.entries(headers).map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`);
  const sent = body === undefined ? '' : ` -d ${quoted(body)}`;
  const verb = method === 'GET' ? '' : ` -X ${method}`;
  return `curl${verb} ${quoted(address.href)} -H "Authorization: Bearer $BOT_KEY"${more.join('')}${sent}`;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} part
 */
const partOf = (form, part) => /** @type {HTMLElement} */ (form.querySelector(`[data-part="${part}"]`));

/** @param {HTMLFormElement} form */
async function send(form) {
  const request = requestOf(form);
  const told = partOf(form, 'answer');
  partOf(form, 'shell').textContent = shellLine(request);
  const status = partOf(form, 'status');
  status.textContent = '…';
  try {
    const { address, method, headers, body } = request;
    const bearer = { ...headers, Authorization: `Bearer ${key.value.trim()}` };
    const answer = await fetch(address, { method, headers: bearer, body, credentials: 'omit', cache: 'no-store' });
    const text = await answer.text();
    status.className = answer.ok ? 'good' : 'bad';
    status.textContent = `${answer.status} ${answer.statusText}`;
    told.textContent = text ? JSON.stringify(JSON.parse(text), null, 2) : '';
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    status.className = 'bad';
    status.textContent = String(error.message);
    told.textContent = '';
  }
  told.hidden = !told.textContent;
}

document.getElementById('unscripted')?.remove();
document.addEventListener('submit', (event) => {
  event.preventDefault();
  if (event.target instanceof HTMLFormElement) send(event.target);
});
