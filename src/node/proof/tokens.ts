/** The words, numbers and signs of WGSL. */

/** Something of WGSL that is not known here. */
export class UnknownSyntaxError extends Error {}

export interface Token {
  text: string;
  kind: 'name' | 'number' | 'sign';
  start: number;
  end: number;
}

const NAME = /([A-Za-z_]\w*)/;
const NUMBER = /(0[xX][\da-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[iufh]?)/;
const SIGN = /(>>=|<<=|&&|\|\||==|!=|<=|>=|<<|>>|\+\+|--|[-+*/%&|^]=|->|[-+*/%&|^!~<>=(){}[\].,;:@])/;
/** White space, comments, and these. */
const TOKEN = new RegExp(`\\s+|//[^\\n]*|${NAME.source}|${NUMBER.source}|${SIGN.source}`, 'y');

export function tokens(source: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (!match) throw new UnknownSyntaxError(`character ${source[start]}`);
    const [text, name, number, sign] = match;
    if (name ?? number ?? sign)
      found.push({ text, kind: name ? 'name' : number ? 'number' : 'sign', start, end: start + text.length });
  }
  return found;
}

/** A number as it is written, with its type. */
export function numberOf(text: string): { kind: 'number'; value: number; type: 'u32' | 'i32' | 'abstract' | 'float' } {
  const isHex = /^0x/i.test(text);
  const suffix = isHex ? /[iu]$/.exec(text)?.[0] : /[iufh]$/.exec(text)?.[0];
  const value = Number(suffix ? text.slice(0, -1) : text);
  if (suffix === 'u' || suffix === 'i') return { kind: 'number', value, type: suffix === 'u' ? 'u32' : 'i32' };
  const isFloat = !isHex && (suffix !== undefined || /[.eE]/.test(text));
  return { kind: 'number', value, type: isFloat ? 'float' : 'abstract' };
}
