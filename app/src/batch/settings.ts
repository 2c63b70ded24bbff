/** The settings of a merge, which are the same for one bracket and for many: shown where they are needed. */

/** Where each setting belongs while it is elsewhere. */
const places = new Map<Element, Comment>();

/** Moves the settings into an element. @param into undefined puts them back. */
export function moveSettings(into: Element | undefined): void {
  for (const setting of document.querySelectorAll('[data-setting]')) {
    if (into && !places.has(setting)) {
      const place = document.createComment('setting');
      setting.replaceWith(place);
      places.set(setting, place);
      into.append(setting);
    } else if (!into) {
      places.get(setting)?.replaceWith(setting);
      places.delete(setting);
    }
  }
}
