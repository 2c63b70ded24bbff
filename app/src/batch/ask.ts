/** A question before something is lost. */
import { make } from '../ui/dom.ts';

/** @returns whether the person wants it; not if the dialog is closed. */
export function ask(question: string, yes: string, no: string): Promise<boolean> {
  const close = (value: string) => () => dialog.close(value);
  const dialog = make(
    'dialog',
    {},
    make('p', { id: 'question', textContent: question }),
    make(
      'div',
      { className: 'answers' },
      make('button', { type: 'button', textContent: no, onclick: close('') }),
      make('button', { type: 'button', className: 'primary', textContent: yes, onclick: close('yes') }),
    ),
  );
  dialog.setAttribute('aria-labelledby', 'question');
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    };
  });
}
