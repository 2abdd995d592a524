/**
 * The message box: who is addressed, completion, history, pictures.
 * @module
 */

import { commandsFor, learn, peopleFor } from './completion.js';
import { byId, el } from './dom.js';
import { icon } from './icons.js';
import { recall, remember } from './memory.js';
import { attempt, toast } from './toast.js';
import { say } from './words.js';

const MOST_LINES = 50;
const MOST_BYTES = 20 * 1024 * 1024;
const PHONE = '(max-width: 760px)';

/** @param {import('./session.js').Session} session */
export function mountComposer(session) {
  const form = byId('composer');
  const input = /** @type {HTMLTextAreaElement} */ (byId('input'));
  const chip = byId('at-bot');
  const menu = byId('completions');
  const files = /** @type {HTMLInputElement} */ (byId('file'));
  const tray = byId('tray');
  /** @type {Map<string, string>} text begun in each conversation */
  const drafts = new Map();
  let openedBefore = '';
  /** @type {{file: File, address: string}[]} */
  let pictures = [];
  /** @type {import('./completion.js').Choice[]} */
  let choices = [];
  let begun = '';
  let chosen = 0;
  let back = 0;
  let atBot = true;

  const members = () => {
    const conversation = session.conversation(session.opened);
    const inside = session.people.filter(({ userId }) => conversation?.members.includes(userId));
    return inside.filter((person) => person !== session.person);
  };
  const isGroup = () => session.conversation(session.opened)?.kind === 'group';

  const fit = () => {
    input.style.height = 'auto';
    if (input.scrollHeight) input.style.height = `${Math.min(input.scrollHeight, 160)}px`; // 0: not in sight
    byId('send').disabled = !input.value.trim() && pictures.length === 0;
  };

  const drawChip = () => {
    chip.hidden = !isGroup();
    chip.textContent = `@${session.robot.name}`;
    chip.setAttribute('aria-pressed', String(atBot));
    const label = say('composer.at', { name: session.robot.name });
    chip.title = label;
  };

  const drawHint = () => {
    input.placeholder = say(matchMedia(PHONE).matches ? 'composer.hint.short' : 'composer.hint');
    drawChip();
  };

  /** @param {string} value */
  const setText = (value) => {
    input.value = value;
    input.setSelectionRange(value.length, value.length);
    fit();
  };

  // Completion

  const closeMenu = () => {
    choices = [];
    menu.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };

  const drawMenu = () => {
    menu.hidden = choices.length === 0;
    input.setAttribute('aria-expanded', String(choices.length > 0));
    menu.replaceChildren(...choices.map((choice, index) => el('li', {
      id: `choice-${index}`, role: 'option', 'aria-selected': index === chosen, data: { testid: 'completion' },
      on: { mousedown: (event) => event.preventDefault(), click: () => accept(choice) },
    }, el('strong', {}, choice.title), el('span', {}, choice.note))));
    if (!choices.length) return;
    input.setAttribute('aria-activedescendant', `choice-${chosen}`);
    menu.children[chosen].scrollIntoView({ block: 'nearest' });
  };

  const complete = () => {
    const before = input.value.slice(0, input.selectionStart);
    choices = before === input.value ? commandsFor(before, session.commands) : [];
    begun = before;
    if (!choices.length && isGroup()) ({ begun, choices } = peopleFor(before, members()));
    chosen = 0;
    drawMenu();
  };

  /** @param {import('./completion.js').Choice} choice */
  const accept = (choice) => {
    const caret = input.selectionStart;
    input.setRangeText(choice.insert, caret - begun.length, caret, 'end');
    closeMenu();
    fit();
    input.focus();
  };

  /** @param {KeyboardEvent} event */
  const menuKey = (event) => {
    if (!choices.length) return false;
    const choice = choices[chosen];
    if (event.key === 'ArrowDown') chosen = (chosen + 1) % choices.length;
    else if (event.key === 'ArrowUp') chosen = (chosen - 1 + choices.length) % choices.length;
    else if (event.key === 'Escape') choices = [];
    else if (event.key === 'Tab' || (event.key === 'Enter' && choice.title.toLowerCase() !== begun.toLowerCase())) {
      accept(choice);
      return true;
    } else return false;
    drawMenu();
    return true;
  };

  // History

  const historyKey = () => `history.${session.person?.userId}`;
  /** @returns {string[]} newest first */
  const history = () => recall(historyKey(), []);

  /** @param {number} step */
  const recallLine = (step) => {
    const lines = history();
    const to = Math.min(lines.length, Math.max(0, back + step));
    if (to === back) return false;
    back = to;
    setText(back === 0 ? '' : lines[back - 1]);
    closeMenu();
    return true;
  };

  /** @param {KeyboardEvent} event */
  const historyMove = (event) => {
    if (event.key === 'ArrowUp' && (input.value === '' || back > 0)) return recallLine(1);
    if (event.key === 'ArrowDown' && back > 0) return recallLine(-1);
    return false;
  };

  // Pictures

  /** @param {Iterable<File>} chosenFiles */
  const addFiles = (chosenFiles) => {
    for (const file of chosenFiles) {
      if (file.size > MOST_BYTES) toast(say('composer.big'), 'bad');
      else pictures.push({ file, address: URL.createObjectURL(file) });
    }
    drawTray();
    input.focus();
  };

  const drawTray = () => {
    tray.hidden = pictures.length === 0;
    tray.replaceChildren(...pictures.map((picture) => el('li', { data: { testid: 'attachment' } },
      picture.file.type.startsWith('image/') ? el('img', { src: picture.address, alt: picture.file.name })
        : el('span', { class: 'tray-file' }, icon('file'), picture.file.name),
      el('button', { type: 'button', 'aria-label': say('composer.remove', { name: picture.file.name }),
        on: { click: () => removePicture(picture) } }, icon('close')))));
    fit();
  };

  /** @param {{file: File, address: string}} picture */
  const removePicture = (picture) => {
    URL.revokeObjectURL(picture.address);
    pictures = pictures.filter((one) => one !== picture);
    drawTray();
  };

  // Sending

  const send = async () => {
    const text = input.value.trim();
    const sending = pictures;
    if (!session.opened || (!text && !sending.length)) return;
    const conversation = session.opened;
    setText('');
    pictures = [];
    drawTray();
    closeMenu();
    back = 0;
    for (const picture of sending) await sendPicture(picture);
    if (!text) return;
    learn(text, session.commands);
    remember(historyKey(), [text, ...history().filter((line) => line !== text)].slice(0, MOST_LINES));
    const atUserIds = members().filter(({ name }) => text.includes(`@${name}`)).map(({ userId }) => userId);
    const sent = await attempt(() => session.send(text, { atBot: !isGroup() || atBot, atUserIds }));
    if (!sent && session.opened === conversation && !input.value) setText(text);
  };

  /** @param {{file: File, address: string}} picture */
  const sendPicture = async (picture) => {
    const sent = await attempt(() => session.upload(picture.file));
    if (sent) URL.revokeObjectURL(picture.address);
    else {
      pictures.push(picture);
      drawTray();
    }
  };

  input.addEventListener('input', () => { back = 0; fit(); complete(); });
  input.addEventListener('blur', closeMenu);
  input.addEventListener('keydown', (event) => {
    // While an input method composes, Enter and the arrows belong to it (229 is how some browsers say so).
    if (event.isComposing || event.keyCode === 229) return;
    if (menuKey(event) || historyMove(event)) event.preventDefault();
    else if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      void send();
    }
  });
  input.addEventListener('paste', (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length) return;
    event.preventDefault();
    addFiles(pasted);
  });
  form.addEventListener('submit', (/** @type {Event} */ event) => { event.preventDefault(); void send(); input.focus(); });
  chip.addEventListener('click', () => { atBot = !atBot; drawChip(); input.focus(); });
  byId('picture').addEventListener('click', () => files.click());
  files.addEventListener('change', () => { addFiles(files.files ?? []); files.value = ''; });
  mountDrop(byId('chat'), addFiles);

  session.listen('open', () => {
    if (openedBefore) drafts.set(openedBefore, input.value);
    openedBefore = session.opened;
    setText(drafts.get(session.opened) ?? '');
    closeMenu();
    back = 0;
    drawChip();
  });
  session.listen('person', () => { drafts.clear(); openedBefore = ''; setText(''); drawChip(); });
  drawHint();
  return { redraw: drawHint, focus: () => input.focus() };
}

/**
 * Files dropped anywhere on the chat.
 * @param {HTMLElement} area
 * @param {(files: Iterable<File>) => void} onFiles
 */
function mountDrop(area, onFiles) {
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;
  area.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    area.classList.add('dropping');
  });
  area.addEventListener('dragleave', (event) => {
    if (!area.contains(/** @type {Node | null} */ (event.relatedTarget))) area.classList.remove('dropping');
  });
  area.addEventListener('drop', (event) => {
    area.classList.remove('dropping');
    if (!hasFiles(event)) return;
    event.preventDefault();
    onFiles(event.dataTransfer?.files ?? []);
  });
}
