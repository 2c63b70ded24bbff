/** The panel's controls as values by id, so that whatever is added there is kept too. */

/** What shows or hides, but changes nothing of the picture; and what is not of this picture. */
const LEFT_OUT = ['compare', 'divider-at', 'overlay', 'bright', 'keep'];

type Control = HTMLInputElement | HTMLSelectElement;

/** Exposures, the finish and the crop are kept by themselves. */
function controls(): Control[] {
  return [...document.querySelectorAll<Control>('#panel :is(input, select)[id]')].filter(
    ({ id }) => !LEFT_OUT.includes(id) && !/^(ev|finish|crop)-/.test(id),
  );
}

const isBox = (control: Control): control is HTMLInputElement =>
  control instanceof HTMLInputElement && /^(checkbox|radio)$/.test(control.type);

export function readControls(): Record<string, string | boolean> {
  return Object.fromEntries(
    controls().map((control) => [control.id, isBox(control) ? control.checked : control.value]),
  );
}

/** Sets those that are still there, as if the person had. */
export function writeControls(values: Record<string, string | boolean>): void {
  for (const control of controls()) {
    const value = values[control.id];
    if (value === undefined || value === (isBox(control) ? control.checked : control.value)) continue;
    if (isBox(control)) control.checked = value === true;
    else control.value = String(value);
    for (const type of ['input', 'change']) control.dispatchEvent(new Event(type, { bubbles: true }));
  }
}
