/** The syntax of the WGSL that kernels generate, as a tree. */

/** Where something stands in the source: characters from `start` to `end`. */
export interface Span {
  start: number;
  end: number;
}

/** A type as it is written: `vec4f`, `array<vec4f, 4>`. Arguments are types or expressions. */
export interface TypeName {
  name: string;
  args: readonly (TypeName | Expression)[];
}

export type Expression = Span &
  (
    | { kind: 'number'; value: number; type: 'u32' | 'i32' | 'abstract' | 'float' }
    | { kind: 'bool'; value: boolean }
    | { kind: 'name'; name: string }
    | { kind: 'member'; of: Expression; name: string }
    | { kind: 'index'; of: Expression; index: Expression }
    | { kind: 'call'; type: TypeName; args: readonly Expression[] }
    | { kind: 'unary'; op: string; of: Expression }
    | { kind: 'binary'; op: string; left: Expression; right: Expression }
  );

/** A declaration of a value or a variable. */
export interface Declaration extends Span {
  kind: 'let' | 'const' | 'var';
  name: string;
  type?: TypeName;
  value?: Expression;
}

export type Statement =
  | Declaration
  | (Span &
      (
        | { kind: 'assign'; target: Expression; op: string; value: Expression }
        | { kind: 'if'; condition: Expression; then: Block; otherwise?: Statement }
        | { kind: 'for'; begin?: Statement; condition?: Expression; step?: Statement; body: Block }
        | { kind: 'return'; value?: Expression }
        | { kind: 'continue' }
        | { kind: 'call'; call: Expression }
        | Block
      ));

export interface Block extends Span {
  kind: 'block';
  statements: readonly Statement[];
}

export interface Argument {
  name: string;
  type: TypeName;
  builtin?: string;
}

export interface FunctionDeclaration {
  name: string;
  args: readonly Argument[];
  result?: TypeName;
  body: Block;
  /** Invocations of a workgroup, as they are written; absent if the function is no entry point. */
  workgroup?: readonly Expression[];
}

/** A variable of the module: `space` is `uniform`, `storage`, `workgroup`, `private`, or empty for textures. */
export interface Variable {
  name: string;
  space: string;
  type: TypeName;
}

export interface Module {
  constants: readonly Declaration[];
  variables: readonly Variable[];
  aliases: ReadonlyMap<string, TypeName>;
  structs: ReadonlyMap<string, readonly Argument[]>;
  functions: ReadonlyMap<string, FunctionDeclaration>;
}
