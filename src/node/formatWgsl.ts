/** Formats generated WGSL for reading: one statement per line, indented by braces. The code stays equivalent. */

const INDENT = '  ';

/** Splits a line after each `;` that ends a statement. A `;` inside parentheses, as in a `for`, does not. */
function statements(line: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < line.length; i++) {
    const char = line[i];
    if (char === '/' && line[i + 1] === '/') break;
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === ';' && depth === 0) {
      parts.push(line.slice(from, i + 1).trim());
      from = i + 1;
    }
  }
  return [...parts, line.slice(from).trim()]
    .flatMap((part) => (part.startsWith('{ ') ? ['{', part.slice(2)] : [part]))
    .filter((part) => part !== '');
}

/** Whether a line is a whole block, short enough to stay on one line: `if (x >= y) { return; }`. */
function isShortBlock(line: string): boolean {
  return /\{.*\}$/.test(line) && line.split(';').length <= 3;
}

/** @param source WGSL whose blocks open at the ends of lines, or close in the line they open in. */
export function formatWgsl(source: string): string {
  const out: string[] = [];
  let depth = 0;
  for (const line of source.split('\n').map((text) => text.trim())) {
    if (line === '') continue;
    for (const text of isShortBlock(line) || line.startsWith('//') ? [line] : statements(line)) {
      const closing = /^[}\]]+/.exec(text)?.[0].length ?? 0;
      const opened = text.split('{').length - text.split('}').length;
      // A line that closes a block is aligned with the line that opened it.
      const indent = Math.max(0, depth - closing);
      if (/^(fn|@compute|struct) ?/.test(text) && depth === 0 && !out.at(-1)?.startsWith('@compute')) out.push('');
      out.push(INDENT.repeat(indent) + text);
      depth = Math.max(0, depth + opened);
    }
  }
  return `${out.join('\n').trim()}\n`;
}
