/**
 * Building of elements. Text always goes through text nodes: data can never turn into markup.
 * @module
 */

/**
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {{class?: string, data?: Record<string, string>, on?: Record<string, (event: any) => void>,
 *            [attribute: string]: unknown}} Props
 */

/**
 * Make an element. `data` fills `dataset`, `on` adds listeners, everything else is an attribute: `null` and `undefined`
 * give none; a boolean gives `"true"` or `"false"` for `aria-…`, else an empty attribute or none.
 * @param {string} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === 'data') Object.assign(node.dataset, value);
    else if (name === 'on') {
      for (const [event, listener] of Object.entries(props.on ?? {})) node.addEventListener(event, listener);
    } else if (typeof value === 'boolean' && !name.startsWith('aria-')) node.toggleAttribute(name, value);
    else if (isGiven(value)) node.setAttribute(name, String(value));
  }
  node.append(...children.filter(isChild));
  return node;
}

/** @param {unknown} value */
function isGiven(value) {
  return value !== null && value !== undefined;
}

/**
 * @param {Child} child
 * @returns {child is Node | string}
 */
function isChild(child) {
  return isGiven(child) && child !== false;
}

/**
 * The element with this id; a missing one is a mistake in the page itself.
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`no element #${id}`);
  return node;
}
