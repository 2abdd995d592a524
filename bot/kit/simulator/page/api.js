/**
 * The simulator's control API (`bot/kit/simulator/README.md`), one function a call.
 * @module
 */

const TIMEOUT_MS = 15_000;

/** A call that failed; `kind` says why in a way that `words.js` can put into words (`error.<kind>`). */
export class ApiError extends Error {
  /**
   * @param {'offline' | 'timeout' | 'refused'} kind
   * @param {string} [detail]
   */
  constructor(kind, detail = '') {
    super(detail || kind);
    this.kind = kind;
    this.detail = detail;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{query?: Record<string, string | number>, body?: unknown}} [options]
 * @returns {Promise<any>} the decoded answer
 * @throws {ApiError}
 */
async function call(method, path, { query, body } = {}) {
  const form = body instanceof FormData;
  const search = query ? `?${new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]))}` : '';
  let response;
  let text;
  try {
    response = await fetch(`/sim/${path}${search}`, {
      method,
      headers: body && !form ? { 'Content-Type': 'application/json' } : {},
      body: form ? body : body && JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    throw new ApiError(/** @type {Error} */ (error).name === 'TimeoutError' ? 'timeout' : 'offline');
  }
  const answer = decode(text);
  if (!response.ok) throw new ApiError('refused', answer?.error ?? `HTTP ${response.status}`);
  return answer;
}

/** @param {string} text */
function decode(text) {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError('refused', text.slice(0, 80));
  }
}

export const api = {
  state: () => call('GET', 'state'),

  /** @param {string} conversation @param {string} viewer @param {number} [after] */
  messages: (conversation, viewer, after = 0) =>
    call('GET', 'messages', { query: { conversation, viewer, after } }).then((answer) => answer.items),

  /** @param {{conversationId: string, senderId: string, text: string, atBot: boolean, atUserIds: string[]}} message */
  send: (message) => call('POST', 'messages', { body: { msgtype: 'text', ...message } }),

  /** @param {string} conversationId @param {string} senderId @param {File} file */
  upload: (conversationId, senderId, file) => {
    const form = new FormData();
    form.append('conversationId', conversationId);
    form.append('senderId', senderId);
    form.append('file', file, file.name || 'picture.png');
    return call('POST', 'uploads', { body: form });
  },

  /** @param {string} viewer */
  todos: (viewer) => call('GET', 'todos', { query: { viewer } }).then((answer) => answer.todos),

  /** @param {string} id @param {string} userId @param {boolean} done */
  tickTodo: (id, userId, done) => call('POST', 'todos', { body: { id, userId, done } }),

  tables: () => call('GET', 'tables').then((answer) => answer.tables),

  /** @param {string} base @param {string} sheet @param {string} id @param {Record<string, string>} fields */
  editTable: (base, sheet, id, fields) => call('POST', 'tables', { body: { base, sheet, id, fields } }),

  /** @param {{outTrackId: string, conversationId: string, userId: string, buttonId: string, fields: Record<string, string>}} click */
  click: (click) => call('POST', 'clicks', { body: click }),

  /** @param {number} limit */
  timeline: (limit) => call('GET', 'timeline', { query: { after: 0, limit } }).then((answer) => answer.items),

  /** @param {Record<string, Record<string, unknown>>} part */
  setFaults: (part) => call('PUT', 'faults', { body: part }),

  expireTokens: () => call('POST', 'tokens/expire', { body: {} }),
  dropConnections: () => call('POST', 'connections/drop', { body: {} }),
  reset: () => call('POST', 'reset', { body: {} }),
};
