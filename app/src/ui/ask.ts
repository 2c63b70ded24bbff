/** A question before something is lost. */
import { make } from './dom.ts';

/** @returns whether the person wants it; undefined if the dialog is closed without an answer. */
export function ask(question: string, yes: string, no: string): Promise<boolean | undefined> {
  const close = (value: string) => () => dialog.close(value);
  const dialog = make(
    'dialog',
    {},
    make('p', { id: 'question', textContent: question }),
    make(
      'div',
      { className: 'answers' },
      make('button', { type: 'button', textContent: no, onclick: close('no') }),
      make('button', { type: 'button', className: 'primary', textContent: yes, onclick: close('yes') }),
    ),
  );
  dialog.setAttribute('aria-labelledby', 'question');
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === '' ? undefined : dialog.returnValue === 'yes');
    };
  });
}
