/** The line about deghost: version, licence, and links into the repository where its address is known. */
import './about.css';
import { byId } from './dom.ts';

/** Fills in what the build knows (app/build/about.ts). */
export function showAbout(): void {
  byId('version', HTMLSpanElement).textContent = `deghost ${DEGHOST_ABOUT.version}`;
  if (DEGHOST_ABOUT.repository === '') return;
  for (const link of document.querySelectorAll<HTMLAnchorElement>('#about [data-repository]')) {
    link.href = DEGHOST_ABOUT.repository + link.dataset.repository;
    link.hidden = false;
  }
}
