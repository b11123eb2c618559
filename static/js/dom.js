import { drawings } from './icons.js';

/**
 * Makes an element. Text is always set as text, never parsed: what people type
 * cannot become markup.
 *
 * props: `on` holds listeners, `data` and `aria` hold dataset and aria
 * attributes, names of DOM properties are set as such, the rest are attributes;
 * null and false set nothing.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, data = {}, aria = {}, ...rest } = props;
  Object.entries(on).forEach(([event, listener]) => element.addEventListener(event, listener));
  Object.entries(data).forEach(([name, value]) => { element.dataset[name] = value; });
  Object.entries(aria).forEach(([name, value]) => setAttribute(element, `aria-${name}`, value));
  Object.entries(rest).forEach(([name, value]) => set(element, name, value));
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const properties = new Set(['value', 'checked', 'disabled', 'hidden', 'noValidate', 'open', 'required', 'tabIndex', 'type']);

function set(element, name, value) {
  if (properties.has(name)) {
    element[name] = value;
  } else {
    setAttribute(element, name, value);
  }
}

/** Sets an attribute, or removes it when value is nothing. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false || value === '') {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value);
  }
}

/** Makes an SVG element; attributes without a value are left out. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  Object.entries(attributes).forEach(([name, value]) => setAttribute(element, name, value));
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets numeric attributes of an SVG element, rounded to 1/100 pixel. */
export function place(element, coordinates) {
  Object.entries(coordinates).forEach(([name, number]) => element.setAttribute(name, Math.round(number * 100) / 100));
}

const icons = new Map();

/** An icon of icons.js, hidden from screen readers; an empty one if there is none of that name. */
export function icon(name) {
  if (!icons.has(name)) {
    const paths = Object.hasOwn(drawings, name) ? drawings[name] : [];
    icons.set(name, svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, paths.map((path) => svg('path', path))));
  }
  return icons.get(name).cloneNode(true);
}

/** A button with an icon, and a label for screen readers. */
export function iconButton(name, label, press, props = {}) {
  return h('button', { type: 'button', class: 'icon-button', title: label, aria: { label }, on: { click: press }, ...props }, icon(name));
}

/** Sets the text of an element if it differs, so that screen readers do not repeat it. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/**
 * Makes nodes the children of parent, in this order. Nodes that are in place are
 * not moved, since moving a node takes the focus from it.
 */
export function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  [...parent.children].filter((child) => !wanted.has(child)).forEach((child) => child.remove());
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) {
      parent.insertBefore(node, parent.children[i] ?? null);
    }
  });
}

/** Throttles work: the returned function runs it once, ms after the first of any number of calls. */
export function soon(work, ms = 16) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      work();
    }, ms);
  };
}

/** Listens to a target until an element that was shown is taken out of the document. */
export function listenWhile(element, target, event, listener) {
  const run = () => {
    if (element.isConnected) {
      listener();
    } else {
      target.removeEventListener(event, run);
    }
  };
  target.addEventListener(event, run, { passive: true });
}
