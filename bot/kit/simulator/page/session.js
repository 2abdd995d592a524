/**
 * One person at the page: what they see, what is news to them, what they do. No elements here; the parts of the page
 * listen to its events (`listen`) and call its methods.
 * @module
 */

import { api } from './api.js';
import { Live } from './live.js';
import { recall, remember } from './memory.js';

/**
 * @typedef {{userId: string, name: string, english: string, title: string, department: string, roles: string[],
 *            external: boolean, language: string}} Person
 * @typedef {{id: string, kind: 'group' | 'direct', title: string, members: string[], lastSeq: number}} Conversation
 * @typedef {{seq: number, kind: 'message' | 'card', conversationId: string, at: number, fromBot: boolean,
 *            sender: {userId: string, name: string}, msgtype?: string, text?: string, title?: string,
 *            pictureUrl?: string, fileName?: string, atUserIds?: string[], url?: string,
 *            buttons?: import('./card.js').Button[], card?: import('./card.js').Card, top?: boolean, preview?: string,
 *            recalled?: boolean}} Item
 * @typedef {{on: boolean, rate: number, count: number | null, delayMs: number,
 *            label: Record<'zh' | 'en', string>, help: Record<'zh' | 'en', string>}} Fault
 * @typedef {{used: number, limit: number | null, month: string}} Quota
 * @typedef {{seq: number, at: number, direction: 'push' | 'ack' | 'call' | 'note', name: string, status: number,
 *            ms: number, summary: string, detail: unknown}} TimelineItem
 * @typedef {'ready' | 'person' | 'items' | 'item' | 'unread' | 'open' | 'timeline' | 'timeline-reset' | 'quota'
 *   | 'connections' | 'faults' | 'todos' | 'tables' | 'link'} Topic
 */

const TIMELINE_START = 300;

export class Session {
  /** @type {Person[]} */ people = [];
  /** @type {Person | null} */ person = null;
  /** @type {Conversation[]} conversations of everybody */ #conversations = [];
  /** @type {Map<string, Item[]>} by conversation, ordered by seq */ #items = new Map();
  /** @type {Map<string, number>} last seq that this person has seen, by conversation */ #seen = new Map();
  robot = { name: '', robotCode: '', clientId: '', homePage: '' };
  /** @type {import('./completion.js').Command[]} */ commands = [];
  /** @type {Record<string, Fault>} */ faults = {};
  /** @type {Quota} */ quota = { used: 0, limit: null, month: '' };
  connections = 0;
  /** @type {import('./live.js').Link} */ link = { phase: 'trying' };
  opened = '';
  /** Whether the open conversation is in sight; what comes meanwhile counts as unread if not. */ #looking = true;
  /** @type {Live | null} */ #live = null;
  #lastTimeline = 0;
  /** Guards against answers that arrive after the person changed. */
  #visit = 0;
  #listeners = new EventTarget();

  /**
   * @param {Topic} topic
   * @param {(detail: any) => void} listener
   */
  listen(topic, listener) {
    this.#listeners.addEventListener(topic, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  }

  /**
   * @param {Topic} topic
   * @param {unknown} [detail]
   */
  #tell(topic, detail) {
    this.#listeners.dispatchEvent(new CustomEvent(topic, { detail }));
  }

  /** This person's conversations, latest activity first. */
  get conversations() {
    const mine = this.#conversations.filter((conversation) => conversation.members.includes(this.person?.userId ?? ''));
    /** @param {Conversation} conversation */
    const latest = (conversation) => this.items(conversation.id).at(-1)?.at ?? 0;
    return mine.sort((one, other) => latest(other) - latest(one));
  }

  /** @param {string} id */
  conversation(id) {
    return this.#conversations.find((conversation) => conversation.id === id);
  }

  /** @param {string} id */
  items(id) {
    return this.#items.get(id) ?? [];
  }

  /** @param {string} id */
  unread(id) {
    const seen = this.#seen.get(id) ?? 0;
    return this.items(id).filter((item) => item.seq > seen && item.sender.userId !== this.person?.userId).length;
  }

  /**
   * Load everything and take the wished person, else the last one of this tab or browser.
   * @param {string} [wished]
   */
  async start(wished) {
    this.#adopt(await api.state());
    this.#tell('ready');
    const last = wished || recall('person', '', 'tab') || recall('person', '');
    const person = this.people.find(({ userId }) => userId === last) ?? this.#firstPerson();
    if (person) this.become(person.userId);
  }

  /** A person who has most to see: in a group, not external. */
  #firstPerson() {
    const groups = this.#conversations.filter(({ kind }) => kind === 'group');
    return this.people.find(({ userId, external }) => !external && groups.some(({ members }) => members.includes(userId)))
      ?? this.people[0];
  }

  /** @param {any} state */
  #adopt(state) {
    this.people = state.people;
    this.#conversations = state.conversations;
    this.robot = state.robot;
    this.commands = state.commands ?? [];
    this.#setStatus(state);
  }

  /** @param {any} state */
  #setStatus({ faults, quota, connections }) {
    Object.assign(this, { faults, quota, connections });
    this.#tell('faults');
    this.#tell('quota');
    this.#tell('connections');
  }

  /**
   * See the chats through the eyes of another person.
   * @param {string} userId
   */
  become(userId) {
    const person = this.people.find((one) => one.userId === userId);
    if (!person) return;
    this.#live?.close();
    this.person = person;
    this.opened = '';
    this.#items.clear();
    this.#seen = new Map(Object.entries(recall(`seen.${userId}`, {})));
    remember('person', userId);
    remember('person', userId, 'tab');
    this.#visit += 1;
    const visit = this.#visit;
    this.#tell('person');
    this.#live = new Live(userId,
      (event, data) => { if (visit === this.#visit) this.#onNews(event, data); },
      (link) => { if (visit === this.#visit) void this.#onLink(link); });
  }

  /** @param {import('./live.js').Link} link */
  async #onLink(link) {
    this.link = link;
    this.#tell('link');
    if (link.phase !== 'open') return;
    const live = this.#live;
    try {
      this.#adopt(await api.state());
      await this.#loadItems();
      await this.#loadTimeline();
      live?.settled();
    } catch {
      live?.fail();
    }
  }

  async #loadItems() {
    const visit = this.#visit;
    const viewer = this.person?.userId ?? '';
    /** @type {Set<string>} */
    const restarted = new Set();
    await Promise.all(this.conversations.map(async ({ id }) => {
      const known = this.items(id).length;
      const items = await api.messages(id, viewer);
      if (visit === this.#visit && this.#merge(id, items, known)) restarted.add(id);
    }));
    if (visit === this.#visit) this.#tell('items', { restarted });
  }

  /**
   * Take loaded items, keeping what came live in the meantime.
   * @param {string} id
   * @param {Item[]} items
   * @param {number} known how many we had when we asked
   * @returns {boolean} the simulator started over, so that nothing we had is true any more
   */
  #merge(id, items, known) {
    const old = this.items(id);
    const last = items.at(-1)?.seq ?? 0;
    const first = items[0];
    const restarted = known > 0
      && (last < old[known - 1].seq || old.some(({ seq, at }) => seq === first?.seq && at !== first.at));
    const live = restarted ? old.slice(known) : old;
    this.#items.set(id, items);
    live.forEach((item) => this.#put(item));
    if ((this.#seen.get(id) ?? 0) > (this.items(id).at(-1)?.seq ?? 0)) this.#seen.delete(id);
    return restarted;
  }

  /**
   * Store an item at its place; false when we already have it as new as that.
   * @param {Item} item
   */
  #put(item) {
    const items = this.#items.get(item.conversationId) ?? [];
    this.#items.set(item.conversationId, items);
    let place = items.length;
    while (place > 0 && items[place - 1].seq > item.seq) place -= 1;
    const same = items[place - 1];
    if (same?.seq !== item.seq) {
      items.splice(place, 0, item);
      return true;
    }
    const changed = item.kind === 'card' ? (item.card?.version ?? 0) >= (same.card?.version ?? 0) : item.recalled !== same.recalled;
    if (!changed) return false;
    items[place - 1] = item;
    return true;
  }

  async #loadTimeline() {
    const items = await api.timeline(TIMELINE_START);
    const last = items.at(-1)?.seq ?? 0;
    if (last < this.#lastTimeline) {
      this.#lastTimeline = 0;
      this.#tell('timeline-reset');
    }
    items.forEach((/** @type {TimelineItem} */ item) => this.#onTimeline(item));
  }

  /** @param {TimelineItem} item */
  #onTimeline(item) {
    if (item.seq <= this.#lastTimeline) return;
    this.#lastTimeline = item.seq;
    this.#tell('timeline', item);
  }

  /**
   * @param {string} event
   * @param {any} data
   */
  #onNews(event, data) {
    if (event === 'message' || event === 'card') this.#onItem(data);
    else if (event === 'timeline') this.#onTimeline(data);
    else if (event === 'reset') this.#reload();
    else if (event === 'todos' || event === 'tables') this.#tell(event);
    else if (event === 'faults' || event === 'quota' || event === 'connections') {
      Object.assign(this, { [event]: data });
      this.#tell(event);
    }
  }

  /** @param {Item} item */
  #onItem(item) {
    const isNew = item.seq > (this.items(item.conversationId).at(-1)?.seq ?? 0);
    if (!this.#put(item)) return;
    this.#tell('item', { item, isNew });
    this.#markSeen();
  }

  /**
   * Show a conversation.
   * @param {string} id
   */
  open(id) {
    this.opened = id;
    this.#markSeen();
    this.#tell('open');
  }

  /** @param {boolean} looking the open conversation is in sight */
  look(looking) {
    this.#looking = looking;
    this.#markSeen();
  }

  /** All of the open conversation counts as read, if it is in sight. */
  #markSeen() {
    const last = this.items(this.opened).at(-1)?.seq ?? 0;
    if (this.opened && this.#looking && last > (this.#seen.get(this.opened) ?? 0)) {
      this.#seen.set(this.opened, last);
      remember(`seen.${this.person?.userId}`, Object.fromEntries(this.#seen));
    }
    this.#tell('unread');
  }

  /**
   * @param {string} text
   * @param {{atBot: boolean, atUserIds: string[]}} to
   */
  send(text, { atBot, atUserIds }) {
    return api.send({ conversationId: this.opened, senderId: this.person?.userId ?? '', text, atBot, atUserIds });
  }

  /** @param {File} file */
  upload(file) {
    return api.upload(this.opened, this.person?.userId ?? '', file);
  }

  /**
   * @param {Item} item the place where the card was clicked
   * @param {import('./card.js').Button} button
   * @param {Record<string, string>} fields what stands in the card's fields
   * @returns {Promise<{ok: boolean, toast: string | null, elapsedMs: number}>}
   */
  click(item, button, fields) {
    return api.click({ outTrackId: item.card?.outTrackId ?? '', conversationId: item.conversationId,
      userId: this.person?.userId ?? '', buttonId: button.id || button.text, fields });
  }

  /** Try the lost link again now. */
  retry() {
    this.#live?.retry();
  }

  /** Start over after a reset, which everybody at a page is told of. */
  #reload() {
    const opened = this.opened;
    this.#seen.clear();
    remember(`seen.${this.person?.userId}`, {});
    this.#lastTimeline = 0;
    this.#tell('timeline-reset');
    this.become(this.person?.userId ?? '');
    if (opened) this.open(opened);
  }
}
