/**
 * Runs before anything is drawn: names the page's language, and hides its English texts (style.css) if it will be in
 * another, until they are there. The script tag has the languages; words/index.ts loads the one that is named.
 */
{
  const { documentElement: root, currentScript } = document;
  const languages = currentScript.dataset.languages.split(' ');
  // Browsers that keep nothing for a page throw an error.
  let kept = '';
  try {
    kept = localStorage.getItem('deghost-language') ?? '';
  } catch {}
  const wishes = [new URLSearchParams(location.search).get('lang') ?? '', kept, ...navigator.languages];
  const codes = wishes.map((wish) => wish.toLowerCase().replace(/-.*/, ''));
  root.lang = codes.find((code) => languages.includes(code)) ?? 'en';
  if (root.lang !== 'en') {
    root.dataset.words = 'coming';
    // English texts are better than none.
    setTimeout(() => delete root.dataset.words, 5000);
  }
}
