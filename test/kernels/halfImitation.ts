/** Programs in packed halves with f32 in the place of halves: what they read and sum can be checked to 1e-5. */
import { Program } from '../../src/kernels/program.ts';

/** The program in f32, but for what it binds. Drivers of software adapters compile that several times faster, too. */
export function inSingles(program: Program): Program {
  const { body } = program.parts;
  const text = typeof body === 'string' ? body : body();
  if (!text.includes('vec4h')) return program;
  const lines = text.split('\n').map((line) =>
    /\b(output|pooled)\[/.test(line)
      ? line
      : line
          .replaceAll('bitcast<vec4h>(select(vec2u(), bitcast<vec2u>(', '(select(vec4f(), (')
          .replaceAll('vec4h', 'vec4f')
          .replace(/\bweights\[t\]\[\d+\]/g, 'vec4f($&)'),
  );
  return new Program({ ...program.parts, body: lines.join('\n') });
}
