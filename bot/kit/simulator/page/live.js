/**
 * The stream of news from the simulator, with reconnection.
 * @module
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const EVENTS = ['message', 'card', 'timeline', 'quota', 'connections', 'faults', 'todos', 'tables', 'reset'];

/**
 * @typedef {{phase: 'open'} | {phase: 'trying'} | {phase: 'waiting', until: number}} Link
 */

/** One open (or re-opening) stream for one viewer. */
export class Live {
  #viewer;
  #onNews;
  #onLink;
  #tries = 0;
  /** @type {EventSource | null} */ #source = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #online = () => this.retry();

  /**
   * @param {string} viewer
   * @param {(event: string, data: any) => void} onNews
   * @param {(link: Link) => void} onLink told of every change; `open` also after the first connect
   */
  constructor(viewer, onNews, onLink) {
    this.#viewer = viewer;
    this.#onNews = onNews;
    this.#onLink = onLink;
    window.addEventListener('online', this.#online);
    this.#connect();
  }

  /** Try at once instead of waiting out the back-off. */
  retry() {
    if (this.#source?.readyState === EventSource.OPEN) return;
    this.#onLink({ phase: 'trying' });
    this.#connect();
  }

  /** What was loaded over the new link is complete: the next loss starts with a short wait again. */
  settled() {
    this.#tries = 0;
  }

  /** The stream opened but is of no use: treat it as lost. */
  fail() {
    this.#source?.close();
    this.#wait();
  }

  close() {
    clearTimeout(this.#timer);
    window.removeEventListener('online', this.#online);
    this.#source?.close();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(`/sim/live?${new URLSearchParams({ viewer: this.#viewer })}`);
    this.#source = source;
    source.onopen = () => this.#onLink({ phase: 'open' });
    source.onerror = () => {
      // The browser's own retry has no back-off and gives up on some errors.
      source.close();
      if (source === this.#source) this.#wait();
    };
    for (const event of EVENTS) {
      source.addEventListener(event, (message) => this.#onNews(event, JSON.parse(message.data)));
    }
  }

  #wait() {
    clearTimeout(this.#timer);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries) * (0.75 + Math.random() / 2);
    this.#tries += 1;
    this.#onLink({ phase: 'waiting', until: Date.now() + wait });
    this.#timer = setTimeout(() => this.retry(), wait);
  }
}
