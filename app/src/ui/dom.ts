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

/** Tells screen readers what happened. The last of several in a row counts. */
export function announce(text: string): void {
  clearTimeout(announced);
  announced = setTimeout(() => (byId('status', HTMLParagraphElement).textContent = text), 50);
}
