/** Files from the picker, dropped anywhere on the page, or pasted. */
import { byId } from './dom.ts';

export function acceptFiles(take: (files: File[]) => void): void {
  const input = byId('files', HTMLInputElement);
  const veil = byId('drop-veil', HTMLDivElement);
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-action=pick]'))
    button.onclick = () => input.click();
  input.onchange = () => {
    take([...(input.files ?? [])]);
    input.value = ''; // the same file may be picked again
  };
  // Entering a child leaves its parent, so the overlay hides only when every entered element has been left.
  let depth = 0;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth++;
    veil.hidden = false;
  });
  addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    veil.hidden = depth === 0;
  });
  addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    take([...(event.dataTransfer?.files ?? [])]);
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
  });
}
