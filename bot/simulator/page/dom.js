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
 * Make an element. `data` fills `dataset`, `on` adds listeners, `true` gives an empty attribute and `false`, `null`
 * and `undefined` give none; everything else is an attribute.
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
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  node.append(...children.filter(isChild));
  return node;
}

/**
 * @param {Child} child
 * @returns {child is Node | string}
 */
function isChild(child) {
  return child !== null && child !== undefined && child !== false;
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
