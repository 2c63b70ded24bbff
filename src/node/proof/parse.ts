/** Reads the WGSL that kernels generate. What they do not use is not known here, and is an error. */
import type {
  Argument,
  Block,
  Declaration,
  Expression,
  FunctionDeclaration,
  Module,
  Statement,
  TypeName,
  Variable,
} from './syntax.ts';
import { UnknownSyntaxError, numberOf, tokens } from './tokens.ts';
import type { Token } from './tokens.ts';

/** Names that a list of types follows in `<...>`. */
const TEMPLATES =
  /^(array|vec[234]|mat[234]x[234]|bitcast|ptr|atomic|var|texture_\w+|subgroup_matrix_\w+|subgroupMatrix(Load|Store))$/;

const PRECEDENCE = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

const ASSIGNS = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=']);

class Parser {
  readonly #tokens: Token[];
  #at = 0;
  /** Whether a `>` ends a list of types and is no comparison. */
  #inTypes = false;

  constructor(source: string) {
    this.#tokens = tokens(source);
  }

  module(): Module {
    const constants: Declaration[] = [];
    const variables: Variable[] = [];
    const aliases = new Map<string, TypeName>();
    const structs = new Map<string, readonly Argument[]>();
    const functions = new Map<string, FunctionDeclaration>();
    while (this.#at < this.#tokens.length) {
      const attributes = this.#attributes();
      const word = this.#peek();
      if (word === 'enable' || word === 'diagnostic') this.#skipPast(';');
      else if (word === 'const') constants.push(this.#declaration());
      else if (word === 'var') variables.push(this.#variable());
      else if (word === 'alias') {
        this.#next();
        const name = this.#name();
        this.#expect('=');
        aliases.set(name, this.#type());
        this.#expect(';');
      } else if (word === 'struct') {
        this.#next();
        const name = this.#name();
        structs.set(name, this.#arguments('{', '}'));
        this.#take(';');
      } else if (word === 'fn') {
        const found = this.#function(attributes.get('workgroup_size'));
        functions.set(found.name, found);
      } else throw this.#unknown();
    }
    return { constants, variables, aliases, structs, functions };
  }

  #peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.text ?? '';
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (!token) throw new UnknownSyntaxError('the end of the program');
    return token;
  }

  #take(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    // `>>` may end two lists of types.
    const token = this.#tokens[this.#at];
    if (text === '>' && token?.text === '>>') {
      this.#tokens.splice(this.#at, 1, { ...token, text: '>', end: token.start + 1 });
      this.#tokens.splice(this.#at + 1, 0, { ...token, text: '>', start: token.start + 1 });
    }
    if (!this.#take(text)) throw this.#unknown(`${text} expected`);
  }

  #unknown(what = ''): UnknownSyntaxError {
    const near = this.#tokens
      .slice(Math.max(0, this.#at - 3), this.#at + 4)
      .map(({ text }) => text)
      .join(' ');
    return new UnknownSyntaxError(`${what ? `${what} ` : ''}at "${near}"`);
  }

  #skipPast(text: string): void {
    while (this.#next().text !== text);
  }

  #name(): string {
    const token = this.#next();
    if (token.kind !== 'name') {
      this.#at--;
      throw this.#unknown('a name expected');
    }
    return token.text;
  }

  #attributes(): Map<string, Expression[]> {
    const found = new Map<string, Expression[]>();
    while (this.#take('@')) {
      const name = this.#name();
      found.set(name, this.#peek() === '(' ? this.#list('(', ')') : []);
    }
    return found;
  }

  #list(open: string, close: string): Expression[] {
    const found: Expression[] = [];
    this.#expect(open);
    const outer = this.#inTypes;
    this.#inTypes = false;
    while (!this.#take(close)) {
      found.push(this.#expression());
      if (this.#peek() !== close) this.#expect(',');
    }
    this.#inTypes = outer;
    return found;
  }

  #type(): TypeName {
    const name = this.#name();
    return { name, args: this.#peek() === '<' ? this.#typeArguments() : [] };
  }

  #typeArguments(): (TypeName | Expression)[] {
    const args: (TypeName | Expression)[] = [];
    this.#expect('<');
    const outer = this.#inTypes;
    this.#inTypes = true;
    while (this.#peek() !== '>' && this.#peek() !== '>>') {
      const follows = this.#peek(1);
      const isType = this.#tokens[this.#at].kind === 'name' && [',', '>', '>>', '<'].includes(follows);
      args.push(isType ? this.#type() : this.#expression());
      if (!this.#take(',')) break;
    }
    this.#inTypes = outer;
    this.#expect('>');
    return args;
  }

  #arguments(open: string, close: string): Argument[] {
    const found: Argument[] = [];
    this.#expect(open);
    while (!this.#take(close)) {
      const [builtin] = this.#attributes().get('builtin') ?? [];
      const name = this.#name();
      this.#expect(':');
      found.push({ name, type: this.#type(), ...(builtin?.kind === 'name' && { builtin: builtin.name }) });
      if (this.#peek() !== close) this.#expect(',');
    }
    return found;
  }

  #variable(): Variable {
    this.#expect('var');
    const space = this.#peek() === '<' ? this.#typeArguments().map((arg) => ('name' in arg ? arg.name : '')) : [''];
    const name = this.#name();
    this.#expect(':');
    const type = this.#type();
    if (this.#peek() !== ';') throw this.#unknown('a variable of the module with a value');
    this.#expect(';');
    return { name, space: space[0], type };
  }

  #function(workgroup: readonly Expression[] | undefined): FunctionDeclaration {
    this.#expect('fn');
    const name = this.#name();
    const args = this.#arguments('(', ')');
    const result = this.#take('->') ? this.#type() : undefined;
    return { name, args, ...(result && { result }), body: this.#block(), ...(workgroup && { workgroup }) };
  }

  #block(): Block {
    const { start } = this.#tokens[this.#at];
    const statements: Statement[] = [];
    this.#expect('{');
    while (this.#peek() !== '}') if (!this.#take(';')) statements.push(this.#statement());
    return { kind: 'block', statements, start, end: this.#next().end };
  }

  #declaration(): Declaration {
    const { start, text } = this.#next();
    const name = this.#name();
    const type = this.#take(':') ? this.#type() : undefined;
    const value = this.#take('=') ? this.#expression() : undefined;
    this.#expect(';');
    return {
      kind: text as Declaration['kind'],
      name,
      ...(type && { type }),
      ...(value && { value }),
      start,
      end: this.#end(),
    };
  }

  #end(): number {
    return this.#tokens[this.#at - 1].end;
  }

  #statement(): Statement {
    const { start } = this.#tokens[this.#at];
    switch (this.#peek()) {
      case '{':
        return this.#block();
      case 'let':
      case 'const':
      case 'var':
        return this.#declaration();
      case 'if':
        return this.#if();
      case 'for':
        return this.#for();
      case 'return': {
        this.#next();
        const value = this.#peek() === ';' ? undefined : this.#expression();
        this.#expect(';');
        return { kind: 'return', ...(value && { value }), start, end: this.#end() };
      }
      case 'continue':
        this.#next();
        this.#expect(';');
        return { kind: 'continue', start, end: this.#end() };
      case 'break':
      case 'loop':
      case 'while':
      case 'switch':
        throw this.#unknown('a statement that kernels do not use');
      default: {
        const statement = this.#simple();
        this.#expect(';');
        return statement;
      }
    }
  }

  /** An assignment, an increment or a call. */
  #simple(): Statement {
    const { start } = this.#tokens[this.#at];
    const target = this.#expression();
    const span = (): { start: number; end: number } => ({ start, end: this.#end() });
    const op = this.#peek();
    if (op === '++' || op === '--') {
      this.#next();
      const one: Expression = { kind: 'number', value: 1, type: 'abstract', ...span() };
      return { kind: 'assign', target, op: op === '++' ? '+' : '-', value: one, ...span() };
    }
    if (ASSIGNS.has(op)) {
      this.#next();
      const value = this.#expression();
      return { kind: 'assign', target, op: op.slice(0, -1), value, ...span() };
    }
    if (target.kind !== 'call') throw this.#unknown('a statement without effect');
    return { kind: 'call', call: target, ...span() };
  }

  #if(): Statement {
    const { start } = this.#next();
    const condition = this.#expression();
    const then = this.#block();
    let otherwise: Statement | undefined;
    if (this.#take('else')) otherwise = this.#peek() === 'if' ? this.#if() : this.#block();
    return { kind: 'if', condition, then, ...(otherwise && { otherwise }), start, end: this.#end() };
  }

  #for(): Statement {
    const { start } = this.#next();
    this.#expect('(');
    let begin: Statement | undefined;
    if (this.#peek() === 'var' || this.#peek() === 'let') begin = this.#declaration();
    else if (!this.#take(';')) {
      begin = this.#simple();
      this.#expect(';');
    }
    const condition = this.#peek() === ';' ? undefined : this.#expression();
    this.#expect(';');
    const step = this.#peek() === ')' ? undefined : this.#simple();
    this.#expect(')');
    const body = this.#block();
    return {
      kind: 'for',
      ...(begin && { begin }),
      ...(condition && { condition }),
      ...(step && { step }),
      body,
      start,
      end: this.#end(),
    };
  }

  #expression(level = 0): Expression {
    if (level === PRECEDENCE.length) return this.#unary();
    let left = this.#expression(level + 1);
    while (PRECEDENCE[level].includes(this.#peek()) && !(this.#inTypes && this.#peek().startsWith('>'))) {
      const op = this.#next().text;
      const right = this.#expression(level + 1);
      left = { kind: 'binary', op, left, right, start: left.start, end: right.end };
    }
    return left;
  }

  #unary(): Expression {
    const { start } = this.#tokens[this.#at] ?? { start: 0 };
    if (['-', '!', '~', '&'].includes(this.#peek())) {
      const op = this.#next().text;
      const of = this.#unary();
      return { kind: 'unary', op, of, start, end: of.end };
    }
    let value = this.#primary();
    for (;;) {
      if (this.#take('.')) value = { kind: 'member', of: value, name: this.#name(), start, end: this.#end() };
      else if (this.#peek() === '[') {
        const [index] = this.#list('[', ']');
        value = { kind: 'index', of: value, index, start, end: this.#end() };
      } else return value;
    }
  }

  #primary(): Expression {
    const token = this.#next();
    const { start, text } = token;
    if (text === '(') {
      const outer = this.#inTypes;
      this.#inTypes = false;
      const value = this.#expression();
      this.#inTypes = outer;
      this.#expect(')');
      return { ...value, start, end: this.#end() };
    }
    if (token.kind === 'number') return { ...numberOf(text), start, end: token.end };
    if (token.kind !== 'name') {
      this.#at--;
      throw this.#unknown();
    }
    if (text === 'true' || text === 'false') return { kind: 'bool', value: text === 'true', start, end: token.end };
    const args = this.#peek() === '<' && TEMPLATES.test(text) ? this.#typeArguments() : [];
    if (this.#peek() !== '(') return { kind: 'name', name: text, start, end: token.end };
    return { kind: 'call', type: { name: text, args }, args: this.#list('(', ')'), start, end: this.#end() };
  }
}

/** Parses a program. @throws UnknownSyntaxError at what is not known here. */
export function parse(source: string): Module {
  return new Parser(source).module();
}
