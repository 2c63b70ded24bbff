/** The controls of a result: how it looks, what moved, and saving. */
import type { Edits, FromWorker, ResultInfo, SaveFormat, ToWorker } from '../messages.ts';
import { bytes, number, say, words } from '../words/index.ts';
import { announce, byId, make } from './dom.ts';
import { download } from './download.ts';
import { CropTool } from './cropTool.ts';
import './finish.css';
import { FinishPanel } from './finishPanel.ts';
import type { BrushMode, Stage } from './stage.ts';

export class ResultPanel {
  readonly #stage: Stage;
  readonly #send: (message: ToWorker) => void;
  readonly #stem: () => string;
  readonly finish: FinishPanel;
  readonly crop: CropTool;
  readonly #compare = byId('compare', HTMLInputElement);
  readonly #dividerAt = byId('divider-at', HTMLInputElement);
  readonly #overlay = byId('overlay', HTMLInputElement);
  readonly #opacity = byId('opacity', HTMLInputElement);
  readonly #motionOf = byId('motion-of', HTMLSelectElement);
  readonly #brushSize = byId('brush-size', HTMLInputElement);
  readonly #hardness = byId('brush-hardness', HTMLInputElement);
  readonly #undo = byId('undo', HTMLButtonElement);
  readonly #redo = byId('redo', HTMLButtonElement);
  /** What is being saved, as long as nothing about its looks was changed since. */
  readonly #saving = new Set<SaveFormat>();
  #shown = false;
  #result: ResultInfo | undefined;
  #edits: Edits = { undoable: 0, redoable: 0, differs: false, isBusy: false, canChange: true };
  #busy = false;

  /** @param stem names saved files. @param onChange after the person changed how the picture looks. */
  constructor(stage: Stage, send: (message: ToWorker) => void, stem: () => string, onChange: () => void) {
    const changed = (): void => {
      this.#saving.clear();
      onChange();
    };
    this.finish = new FinishPanel(send, changed);
    this.crop = new CropTool(stage, changed, () => this.#putBrushAway());
    this.#stage = stage;
    this.#send = send;
    this.#stem = stem;
    this.#compare.onchange = () => this.#divide();
    this.#dividerAt.oninput = () => this.#divide();
    this.#overlay.onchange = () => this.#look();
    this.#opacity.oninput = () => this.#look();
    this.#motionOf.onchange = () => this.#look();
    this.#brushSize.oninput = () => this.#size(this.#brushSize.valueAsNumber);
    this.#hardness.oninput = () => this.#hard();
    this.#hard();
    this.#undo.onclick = stage.onUndo = () => this.#send({ type: 'undo' });
    this.#redo.onclick = stage.onRedo = () => this.#send({ type: 'redo' });
    for (const radio of this.#brushes()) radio.onchange = () => this.#brush();
    for (const button of this.#saveButtons()) button.onclick = () => this.#save(button);
    stage.onDivider = (fraction) => {
      this.#dividerAt.value = String(100 * fraction);
      this.#divide();
    };
    // What keys change on the picture is told: the controls that show it have not the focus.
    stage.onBrushSize = (size) => {
      this.#size(size);
      announce(this.#brushSize.getAttribute('aria-valuetext')!);
    };
    stage.onBrushAway = () => {
      this.#putBrushAway();
      announce(words.motion.brushOff);
    };
    this.#size(this.#brushSize.valueAsNumber);
  }

  /** @param names of the frames, in exposure order. */
  show(result: ResultInfo, names: readonly string[]): void {
    this.#setShown(true);
    const chosen = this.#motionOf.value;
    this.#motionOf.replaceChildren(say(make('option', { value: 'all' }), () => words.motion.all));
    names.forEach(
      (name, k) =>
        k === result.reference || this.#motionOf.append(make('option', { value: String(k), textContent: name })),
    );
    this.#motionOf.value = [...this.#motionOf.options].some(({ value }) => value === chosen) ? chosen : 'all';
    this.#compare.disabled = true;
    say(byId('compare-note', HTMLParagraphElement), () => words.look.computing);
    this.#result = result;
    this.#note();
    this.#stage.setPicture(result.width, result.height);
    this.crop.setPicture(result);
    this.#look();
    this.#divide();
  }

  hide(): void {
    this.#setShown(false);
    this.#compare.checked = this.#overlay.checked = false;
    this.finish.clear();
    this.crop.setPicture(undefined);
    this.#look();
    this.#divide();
  }

  #setShown(isShown: boolean): void {
    for (const id of ['look', 'motion', 'save']) byId(id, HTMLElement).hidden = !isShown;
    this.#shown = isShown;
  }

  setBusy(busy: boolean): void {
    this.#busy = busy;
    if (busy) this.#putBrushAway();
    for (const control of [...this.#brushes(), ...this.#saveButtons()]) control.disabled = busy;
    this.showEdits(this.#edits);
  }

  allowCompare(): void {
    this.#compare.disabled = false;
    // One line, as before, so that nothing moves under the pointer.
    say(byId('compare-note', HTMLParagraphElement), () => words.look.averaged);
  }

  refuseCompare(why: () => string): void {
    say(byId('compare-note', HTMLParagraphElement), () => words.look.noPlain(why()));
  }

  showEdits(edits: Edits): void {
    // Once a stroke, not at each of its movements.
    const { undoable } = this.#edits;
    const { painted, erased, undone } = words.motion;
    const { brush } = this.#stage;
    if (edits.undoable > undoable && brush !== 'off') announce(brush === 'erase' ? erased : painted);
    else if (edits.undoable < undoable && !this.#busy) announce(undone(edits.undoable));
    this.#edits = edits;
    for (const brush of this.#brushes()) brush.disabled = this.#busy || !edits.canChange;
    byId('brush-note', HTMLParagraphElement).hidden = edits.canChange;
    this.#undo.disabled = this.#busy || edits.undoable === 0;
    this.#redo.disabled = this.#busy || edits.redoable === 0;
    byId('view', HTMLDivElement).setAttribute('aria-busy', String(edits.isBusy));
    if (this.#result) this.#note();
  }

  #note(): void {
    const { width, height, frames, seconds, peakBytes } = this.#result!;
    const { differs } = this.#edits;
    say(byId('result-note', HTMLParagraphElement), () =>
      words.result(`${width} × ${height}`, frames, differs, number(seconds, 1), bytes(peakBytes)),
    );
  }

  /** @returns whether the picture still looks as in the file. */
  saved({ format, name, file }: Extract<FromWorker, { type: 'saved' }>): boolean {
    const isAsSaved = this.#saving.delete(format);
    this.saveEnded(format);
    download(name, file);
    announce(words.save.saved(name, bytes(file.size)));
    return isAsSaved;
  }

  saveEnded(format: SaveFormat): void {
    document.querySelector(`[data-save=${format}]`)!.removeAttribute('aria-busy');
  }

  #save(button: HTMLButtonElement): void {
    if (button.hasAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true');
    const format = button.dataset.save as SaveFormat;
    this.#saving.add(format);
    this.#send({ type: 'save', format, finish: this.finish.finish, crop: this.crop.crop, stem: this.#stem() });
  }

  #look(): void {
    const isShown = this.#overlay.checked;
    this.#opacity.setAttribute('aria-valuetext', `${this.#opacity.value} %`);
    byId('motion-tools', HTMLDivElement).hidden = !isShown;
    if (!isShown) this.#putBrushAway();
    const motionOf =
      this.#motionOf.value === 'all' || this.#motionOf.value === '' ? 'all' : Number(this.#motionOf.value);
    this.#stage.setLook({
      overlay: isShown ? this.#opacity.valueAsNumber / 100 : 0,
      motionOf,
    });
  }

  #divide(): void {
    const isOn = this.#shown && this.#compare.checked;
    byId('divider-field', HTMLDivElement).hidden = !isOn;
    const percent = Math.round(this.#dividerAt.valueAsNumber);
    say(this.#dividerAt, () => words.look.dividerAt(percent), 'aria-valuetext');
    this.#stage.setDivider(isOn ? this.#dividerAt.valueAsNumber / 100 : undefined);
  }

  #brush(): void {
    const mode = (this.#brushes().find(({ checked }) => checked)?.value ?? 'off') as BrushMode;
    this.#stage.setBrush(mode);
  }

  #putBrushAway(): void {
    for (const radio of this.#brushes()) radio.checked = radio.value === 'off';
    this.#brush();
  }

  #hard(): void {
    this.#hardness.setAttribute('aria-valuetext', `${this.#hardness.value} %`);
    this.#stage.setHardness(this.#hardness.valueAsNumber / 100);
  }

  #size(size: number): void {
    this.#brushSize.value = String(size);
    const text = `${this.#brushSize.value} px`;
    byId('brush-size-value', HTMLOutputElement).textContent = text;
    this.#brushSize.setAttribute('aria-valuetext', text);
    this.#stage.setBrushSize(this.#brushSize.valueAsNumber);
  }

  #brushes(): HTMLInputElement[] {
    return [...document.querySelectorAll<HTMLInputElement>('input[name=brush]')];
  }

  #saveButtons(): HTMLButtonElement[] {
    return [...document.querySelectorAll<HTMLButtonElement>('[data-save]')];
  }
}
