/** Whether the person wants pictures to be kept: remembered by the browser. */

const SWITCH = 'deghost-keep';

export function isSwitchedOn(): boolean {
  try {
    return localStorage.getItem(SWITCH) !== 'off';
  } catch {
    return true;
  }
}

export function rememberSwitch(isOn: boolean): void {
  try {
    if (isOn) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, 'off');
  } catch {
    // It holds for this page.
  }
}
