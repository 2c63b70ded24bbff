/** The bench's page: starts the worker at a click, shows its progress and what it found, saves and copies the JSON. */
import type { Part } from '../../../bench/measure.ts';
import type { Report } from '../../../bench/report.ts';
import { startWorker } from '../startWorker.ts';
import { announce, byId } from '../ui/dom.ts';
import { download } from '../ui/download.ts';
import { dismiss, notify } from '../ui/notices.ts';
import { keepAwake } from '../ui/wakeLock.ts';
import type { ExtentChoice, FromWorker, ToWorker } from './messages.ts';
import { showReport } from './view.ts';
import { PART_SHARES, PART_TITLES, benchFailure } from './words.ts';
import workerUrl from './worker.ts?worker&url';

const form = byId('start-form', HTMLFormElement);
const start = byId('start', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const progress = byId('progress', HTMLDivElement);
const stage = byId('progress-stage', HTMLSpanElement);
const left = byId('progress-left', HTMLSpanElement);
const bar = byId('progress-bar', HTMLProgressElement);
const gpuName = byId('gpu-name', HTMLInputElement);
const saved = byId('saved', HTMLParagraphElement);

let report: Report | undefined;
let remark: string | undefined;
let announced: Part | undefined;

const worker = startWorker<ToWorker, FromWorker>(workerUrl, receive, (failure, message) => {
  const ways = { program: 'the program could not be loaded', message: 'a message of it could not be read' };
  const why = failure === 'ended' ? 'the browser has ended it' : message || ways[failure];
  const text = `Its worker failed: ${why}. Load the page again.`;
  notify('failed', () => ({ title: 'The bench could not run', text }));
  finish();
  start.disabled = true;
});

if (!('gpu' in navigator)) {
  notify('failed', () => benchFailure({ kind: 'no-webgpu', message: '' }), 'error', false);
  start.disabled = true;
}

form.onsubmit = (event) => {
  event.preventDefault();
  report = remark = announced = undefined;
  dismiss('failed');
  dismiss('cancelled');
  saved.textContent = '';
  byId('results', HTMLElement).hidden = true;
  byId('save', HTMLDivElement).hidden = true;
  form.hidden = true;
  progress.hidden = false;
  cancel.disabled = false;
  cancel.textContent = 'Cancel';
  stage.textContent = 'Starting';
  left.textContent = '';
  bar.removeAttribute('value');
  cancel.focus();
  keepAwake(true);
  const extent = byId('extent', HTMLSelectElement).value as ExtentChoice;
  worker.send({ type: 'start', extent, base: location.href });
};

cancel.onclick = () => {
  cancel.disabled = true;
  cancel.textContent = 'Cancelling…';
  worker.send({ type: 'cancel' });
};

function receive(message: FromWorker): void {
  if (message.type === 'progress') showProgress(message);
  else if (message.type === 'found') {
    report = message.report;
    showReport(report);
  } else {
    if (message.cancelled) {
      remark = 'It was cancelled before its end.';
      notify('cancelled', () => ({ title: 'Cancelled', text: 'What was measured until then is below.' }), 'info');
    } else if (message.failure) {
      const { failure } = message;
      remark = `It failed before its end: ${failure.message}.`;
      notify('failed', () => benchFailure(failure));
    } else announce('The bench has finished.');
    finish();
  }
}

function showProgress({ part, done, total, text }: Extract<FromWorker, { type: 'progress' }>): void {
  stage.textContent = PART_TITLES[part];
  left.textContent = text;
  const parts = Object.keys(PART_SHARES) as Part[];
  const before = parts.slice(0, parts.indexOf(part)).reduce((sum, name) => sum + PART_SHARES[name], 0);
  bar.value = 100 * (before + (PART_SHARES[part] * done) / total);
  if (part !== announced) announce(PART_TITLES[part]);
  announced = part;
}

function finish(): void {
  progress.hidden = true;
  form.hidden = false;
  start.textContent = 'Start again';
  keepAwake(false);
  byId('save', HTMLDivElement).hidden = !report?.validated.length;
  byId('results-title', HTMLHeadingElement).tabIndex = -1;
  if (report?.validated.length) byId('results-title', HTMLHeadingElement).focus();
}

/** The report with what the person said of the GPU. */
function named(): Report {
  const { adapter, remarks = [], ...rest } = report!;
  const said = gpuName.value.trim().replace(/\s+/g, ' ');
  const name = said ? `${said} (${adapter.name})` : adapter.name;
  return { ...rest, adapter: { ...adapter, name }, remarks: [...remarks, ...(remark ? [remark] : [])] };
}

const json = (): string => `${JSON.stringify(named(), null, 2)}\n`;

byId('save-json', HTMLButtonElement).onclick = () => {
  const { adapter, runtime } = named();
  const stem = `${gpuName.value.trim() || adapter.name} ${runtime}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const name = `${stem.replace(/^-|-$/g, '')}.json`;
  download(name, new Blob([json()], { type: 'application/json' }));
  saved.textContent = `Saved as ${name}.`;
};

byId('copy-json', HTMLButtonElement).onclick = async () => {
  try {
    await navigator.clipboard.writeText(json());
    saved.textContent = 'Copied.';
  } catch {
    saved.textContent = 'This browser does not let the page copy: save the figures instead.';
  }
};
