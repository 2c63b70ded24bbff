/** What of the page is too small for a finger or a mouse, leaves the window's width, or ignores the text size. */
import type { Page } from 'playwright-core';

/**
 * What is clicked and is narrower or lower than `least` CSS pixels, as text. What belongs to a label is as large as
 * both; links within sentences are as large as their words.
 */
export function smallTargets(page: Page, least: number): Promise<string[]> {
  return page.evaluate((least) => {
    const controls = document.querySelectorAll<HTMLElement>('button, summary, select, textarea, input, a[href], .grip');
    return [...controls]
      .filter((control) => control.checkVisibility({ visibilityProperty: true }))
      .filter((control) => control.tagName !== 'A' || getComputedStyle(control).display !== 'inline')
      .map((control) => {
        const labels = 'labels' in control ? [...(control as HTMLInputElement).labels!] : [];
        // What is beside a label is no part of a checkbox's own target; what wraps it is.
        const all = [control, ...labels.filter((label) => label.contains(control))].map((e) =>
          e.getBoundingClientRect(),
        );
        const width = Math.max(...all.map(({ right }) => right)) - Math.min(...all.map(({ left }) => left));
        const height = Math.max(...all.map(({ bottom }) => bottom)) - Math.min(...all.map(({ top }) => top));
        const name = control.getAttribute('aria-label') ?? control.innerText;
        return { width, height, text: `${control.tagName}#${control.id} ${name}: ${width}x${height}` };
      })
      .filter(({ width, height }) => Math.min(width, height) < least - 0.01)
      .map(({ text }) => text);
  }, least);
}

/** What reaches beyond the window's left or right edge and cannot be scrolled to within an element, as text. */
export function outsideOfWindow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth } = document.documentElement;
    const found = scrollWidth > innerWidth ? [`the page is ${scrollWidth} wide, the window ${innerWidth}`] : [];
    for (const element of document.querySelectorAll<HTMLElement>('body *')) {
      const { left, right, width } = element.getBoundingClientRect();
      if (width <= 1 || (left >= -0.5 && right <= innerWidth + 0.5) || !element.checkVisibility()) continue;
      let around = element.parentElement;
      while (around && getComputedStyle(around).overflowX === 'visible') around = around.parentElement;
      if (!around) found.push(`${element.tagName}#${element.id}.${element.className}: ${left} to ${right}`);
    }
    return found;
  });
}

/** Sizes of all text that is shown, in pixels, by element. */
export function textSizes(page: Page): Promise<{ text: string; size: number }[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('body *')]
      .filter((element) => element.checkVisibility())
      .filter(({ childNodes }) => [...childNodes].some((node) => node.nodeType === 3 && node.textContent!.trim()))
      .map((element) => ({
        text: [
          `${(element.closest('h1') ?? element).tagName}#${element.id}.${element.className}`,
          element.innerText.slice(0, 30),
        ].join(' '),
        size: parseFloat(getComputedStyle(element).fontSize),
      })),
  );
}
