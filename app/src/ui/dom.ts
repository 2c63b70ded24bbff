/**
 * Helpers for a page's elements. Its HTML has all of them; code shows, fills and hides them.
 */

/** The element of an id, of the class that the caller expects. */
export function byId<E extends HTMLElement>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} of id "${id}"`);
  return element;
}

/** Makes an element. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

let announced: ReturnType<typeof setTimeout> | undefined;

/** Tells screen readers what happened; the last of several in a row counts. Without a text, what was said is gone. */
export function announce(text: string): void {
  clearTimeout(announced);
  const status = byId('status', HTMLParagraphElement);
  if (text === '') status.textContent = '';
  else announced = setTimeout(() => (status.textContent = text), 50);
}
