/**
 * The program `deghost`: runs the command, turns errors into one line and an exit code, and Ctrl-C into an abort.
 *
 * stdout carries results only (reports, or one JSON object with `--json`); messages and progress go to stderr.
 */
import { existsSync } from 'node:fs';
import { CancelledError, DeghostError, UsageError, messageWith, reasonOf } from '../errors.ts';
import type { DeghostErrorCode } from '../errors.ts';
import {
  ALIGN_OPTIONS,
  BATCH_OPTIONS,
  CONVERT_OPTIONS,
  EVALUATE_OPTIONS,
  INFO_OPTIONS,
  MERGE_OPTIONS,
  PLAN_OPTIONS,
  TUNE_OPTIONS,
  parseCommand,
  suggestion,
} from './cli/args.ts';
import type { OptionSpecs, ParsedArgs } from './cli/args.ts';
import {
  ALIGN_HELP,
  BATCH_HELP,
  CONVERT_HELP,
  EVALUATE_HELP,
  GENERAL_HELP,
  INFO_HELP,
  MERGE_HELP,
  PLAN_HELP,
  TUNE_HELP,
} from './cli/help.ts';
import { guarded, json, say } from './cli/io.ts';
import type { CommandIo } from './cli/io.ts';
import { Output } from './cli/output.ts';
import { CONVERT_REMEDIES, EVALUATE_REMEDIES, MERGE_REMEDIES } from './cli/remedies.ts';
import type { Remedies } from './cli/remedies.ts';
import { SignalWatch } from './cli/signals.ts';
import { CommandFiles, withFiles } from './files.ts';
import { shown } from '../shown.ts';
import { packageVersion } from './package.ts';
import { systemProblem } from './problems.ts';

interface Command {
  options: OptionSpecs;
  help: string;
  /** Each command's remedies for problems that the engine names; those of `deghost merge` by default. */
  remedies?: Remedies;
  /** Whether its result is the text on stdout. Where it is a file, lost text is no failure. */
  text: boolean | ((rest: readonly string[]) => boolean);
  /** Commands are loaded on demand: `--help` should not wait for the engine. */
  load: () => Promise<(args: ParsedArgs, io: CommandIo) => Promise<void>>;
}

const isDryRun = (rest: readonly string[]): boolean => rest.includes('--dry-run');

const COMMANDS: Record<string, Command> = {
  merge: {
    options: MERGE_OPTIONS,
    help: MERGE_HELP,
    text: false,
    load: async () => (await import('./cli/merge.ts')).mergeCommand,
  },
  batch: {
    options: BATCH_OPTIONS,
    help: BATCH_HELP,
    text: isDryRun,
    load: async () => (await import('./cli/batch.ts')).batchCommand,
  },
  align: {
    options: ALIGN_OPTIONS,
    help: ALIGN_HELP,
    text: false,
    load: async () => (await import('./cli/align.ts')).alignCommand,
  },
  plan: {
    options: PLAN_OPTIONS,
    help: PLAN_HELP,
    text: true,
    load: async () => (await import('./cli/plan.ts')).planCommand,
  },
  tune: {
    options: TUNE_OPTIONS,
    help: TUNE_HELP,
    text: false,
    load: async () => (await import('./cli/tune.ts')).tuneCommand,
  },
  evaluate: {
    options: EVALUATE_OPTIONS,
    help: EVALUATE_HELP,
    text: (rest) => !rest.some((arg) => /^--json(=|$)/.test(arg)),
    remedies: EVALUATE_REMEDIES,
    load: async () => (await import('./cli/evaluate.ts')).evaluateCommand,
  },
  convert: {
    options: CONVERT_OPTIONS,
    help: CONVERT_HELP,
    text: isDryRun,
    remedies: CONVERT_REMEDIES,
    load: async () => (await import('./cli/convert.ts')).convertCommand,
  },
  info: {
    options: INFO_OPTIONS,
    help: INFO_HELP,
    text: true,
    load: async () => (await import('./cli/info.ts')).infoCommand,
  },
};

/** Exit codes by error code; 1 for all others. */
const EXIT_CODES: Partial<Record<DeghostErrorCode, number>> = { usage: 2, 'no-adapter': 3, cancelled: 130 };

/**
 * Runs one command line (without `node` and the script) and returns the exit code. Never throws.
 */
export async function main(args: readonly string[], streams: CommandIo): Promise<number> {
  const io = guarded(streams);
  try {
    await withFiles(new CommandFiles(io.signal), () => dispatch(args, io));
    return 0;
  } catch (error) {
    const { code, message } = explain(error, io.signal, commandOf(args[0])?.remedies);
    io.stderr.write(
      code === 'cancelled'
        ? `${message === 'cancelled' ? 'cancelled: nothing was written' : message}\n`
        : `deghost: ${message}\n`,
    );
    // If `--json` names a file, stdout is not for JSON.
    if (isJsonGiven(args) && commandOf(args[0])?.options.json.type !== 'string')
      io.stdout.write(json({ error: { code, message } }));
    if (process.env.DEGHOST_DEBUG && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    return EXIT_CODES[code as DeghostErrorCode] ?? 1;
  }
}

/** Whether `--json` is given in any form, also in one that is a mistake: `--json=1`. */
function isJsonGiven(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--json' || arg.startsWith('--json='));
}

function commandOf(word: string | undefined): Command | undefined {
  return word !== undefined && Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
}

async function dispatch(args: readonly string[], io: CommandIo): Promise<void> {
  const [word, ...rest] = args;
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    const topic = word === 'help' ? rest[0] : undefined;
    if (topic !== undefined && !commandOf(topic)) throw unknownCommand(topic);
    const text = commandOf(topic)?.help ?? GENERAL_HELP;
    if (word === undefined)
      throw new UsageError('no command given: try `deghost merge IMG... -o OUT`, or `deghost --help`');
    io.stdout.write(text);
    return;
  }
  if (word === '--version' || word === '-V') {
    io.stdout.write(`${packageVersion()}\n`);
    return;
  }
  const command = commandOf(word);
  if (!command) throw unknownCommand(word);
  if (rest.includes('--help') || rest.includes('-h')) {
    io.stdout.write(command.help);
    return;
  }
  const parsed = parseCommand(rest, command.options, word);
  const run = await command.load();
  await run(parsed, io);
}

function unknownCommand(word: string): UsageError {
  if (word.startsWith('-'))
    return new UsageError(
      `unknown option ${word}: the command comes first, merge, batch, align, plan, tune, evaluate, convert or info; ` +
        'see `deghost --help`',
    );
  if (existsSync(word))
    return new UsageError(
      `unknown command "${word}", but a file has this name: to merge pictures, \`deghost merge IMG... -o OUT\``,
    );
  return new UsageError(
    `unknown command "${word}"${suggestion(word, Object.keys(COMMANDS))}: the commands are merge, batch, align, ` +
      'plan, tune, evaluate, convert and info',
  );
}

/** The code and one-line message for anything that was thrown. */
function explain(
  error: unknown,
  signal: AbortSignal,
  remedies: Remedies = MERGE_REMEDIES,
): { code: DeghostErrorCode | 'internal'; message: string } {
  if (signal.aborted && (error instanceof CancelledError || (error as Error)?.name === 'AbortError'))
    return { code: 'cancelled', message: error instanceof CancelledError ? error.message : 'cancelled' };
  if (error instanceof DeghostError) return { code: error.code, message: messageWith(remedies, error) };
  // Not thrown on purpose: a bug in deghost or in a package. The line still says what happened.
  const text =
    error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error);
  return { code: 'internal', message: `unexpected error: ${shown(oneLine(text))} (set DEGHOST_DEBUG=1 for where)` };
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').trim();
}

/** Whether what a command prints on stdout is its result, and not only tells of files. */
function isTextResult([word, ...rest]: readonly string[]): boolean {
  const command = commandOf(word);
  if (!command || rest.includes('--help') || rest.includes('-h')) return true;
  return typeof command.text === 'function' ? command.text(rest) : command.text;
}

/**
 * Runs this process's command line. The first Ctrl-C (or SIGTERM, SIGHUP, SIGQUIT) stops the work and lets it clean up;
 * the second ends the process at once.
 * @returns the exit code.
 */
export async function run(): Promise<number> {
  const args = process.argv.slice(2);
  const watch = new SignalWatch();
  const stdout = new Output(process.stdout);
  const stderr = new Output(process.stderr);
  try {
    const code = await main(args, { stdout, stderr, signal: watch.signal });
    watch.done();
    await stdout.flushed();
    if (code !== 0) return watch.code ?? code;
    // A reader that went away (`deghost info | head`) has what it wanted.
    if (!stdout.failure || stdout.failure.code === 'EPIPE') return 0;
    say({ stderr }, `deghost: ${reasonOf(systemProblem(stdout.failure, 'write', 'the output'))}`);
    return isTextResult(args) ? 1 : 0;
  } finally {
    await stderr.flushed();
    watch.close();
  }
}
