/**
 * Cropping and straightening: a frame over the whole picture, which is turned beneath it. What is outside is left out
 * of every file; the picture itself stays whole, so that the frame can be moved again.
 */
import type { Crop } from '../../../src/finish/pictures.ts';
import { boxOf, dragged, frameOf, isWhole, turned, wholeOf, withAspect } from '../cropGeometry.ts';
import type { Handle, Size } from '../cropGeometry.ts';
import { numberWithSign, say, words } from '../words/index.ts';
import './crop.css';
import { byId, make } from './dom.ts';
import type { Stage } from './stage.ts';

const SIDES = [-1, 0, 1] as const;
/** Share of the picture by which a key moves or changes the frame. */
const KEY_STEP = 0.01;

export class CropTool {
  readonly #stage: Stage;
  readonly #onChange: () => void;
  readonly #onOpen: () => void;
  readonly #open = byId('crop-open', HTMLButtonElement);
  readonly #controls = byId('crop-controls', HTMLElement);
  readonly #aspect = byId('crop-aspect', HTMLSelectElement);
  readonly #angle = byId('crop-angle', HTMLInputElement);
  readonly #angleValue = byId('crop-angle-value', HTMLElement);
  readonly #frame = byId('crop-frame', HTMLElement);
  #picture: Size | undefined;
  /** Undefined as long as nothing is cut. */
  #crop: Crop | undefined;
  /** How large the person made it: what it grows back to when it is turned back. */
  #wanted: Size = { width: 1, height: 1 };

  /** @param onChange after the person changed the crop. @param onOpen before the frame is shown. */
  constructor(stage: Stage, onChange: () => void, onOpen: () => void) {
    this.#stage = stage;
    this.#onChange = onChange;
    this.#onOpen = onOpen;
    this.#open.onclick = () => this.#begin();
    byId('crop-done', HTMLButtonElement).onclick = () => this.#end();
    byId('crop-whole', HTMLButtonElement).onclick = () => {
      this.#aspect.value = 'free';
      if (this.#picture) this.#set(wholeOf(this.#picture), this.#picture);
    };
    this.#aspect.onchange = () => this.#reshape();
    this.#angle.oninput = () => {
      const { picture, now } = this.#state();
      this.#set(turned(now, this.#angle.valueAsNumber, this.#wanted, picture), this.#wanted);
    };
    this.#sayAngle(0);
    this.#makeFrame();
    stage.onMove = () => this.#place();
  }

  /** What is cut; undefined for the whole picture. */
  get crop(): Crop | undefined {
    return this.#crop;
  }

  /** Begins with a crop that was kept. */
  set crop(crop: Crop | undefined) {
    this.#crop = crop;
    if (crop) this.#wanted = { width: crop.width, height: crop.height };
    if (!this.#isOpen) this.#stage.setCrop(crop);
  }

  /** Another picture; one of the same size keeps its crop. */
  setPicture(picture: Size | undefined): void {
    const isSame = picture?.width === this.#picture?.width && picture?.height === this.#picture?.height;
    this.#picture = picture && { width: picture.width, height: picture.height };
    if (isSame) return;
    this.#close();
    this.#crop = undefined;
    this.#aspect.value = 'free';
    if (picture) this.#wanted = this.#picture as Size;
  }

  get #isOpen(): boolean {
    return !this.#controls.hidden;
  }

  #state(): { picture: Size; now: Crop } {
    const picture = this.#picture ?? { width: 1, height: 1 };
    return { picture, now: this.#crop ?? wholeOf(picture) };
  }

  /** The aspect that stays while the frame is dragged. */
  #kept(): number | undefined {
    const { picture } = this.#state();
    if (this.#aspect.value === 'free') return undefined;
    return this.#aspect.value === 'own' ? picture.width / picture.height : Number(this.#aspect.value);
  }

  #begin(): void {
    this.#onOpen();
    this.#controls.hidden = false;
    this.#open.hidden = true;
    this.#frame.hidden = false;
    const { now } = this.#state();
    this.#show(now);
    this.#stage.fit();
    this.#frame.focus({ preventScroll: true });
  }

  #end(): void {
    this.#close();
    this.#stage.setCrop(this.#crop);
    this.#stage.fit();
    this.#open.focus({ preventScroll: true });
  }

  #close(): void {
    this.#controls.hidden = true;
    this.#open.hidden = false;
    this.#frame.hidden = true;
  }

  #reshape(): void {
    const aspect = this.#kept();
    const { picture, now } = this.#state();
    if (aspect === undefined) return;
    const crop = withAspect(now, aspect, picture);
    this.#set(crop, crop);
  }

  #set(crop: Crop, wanted: Size): void {
    const { picture } = this.#state();
    this.#crop = isWhole(crop, picture) ? undefined : crop;
    this.#wanted = { width: wanted.width, height: wanted.height };
    this.#show(crop);
    this.#onChange();
  }

  /** The whole picture, turned, with the frame over it. */
  #show(crop: Crop): void {
    const { picture } = this.#state();
    this.#sayAngle(crop.angle);
    say(byId('crop-size', HTMLElement), () => words.crop.size(crop.width, crop.height));
    this.#stage.setCrop(boxOf(picture, crop.angle));
    this.#place();
  }

  #sayAngle(angle: number): void {
    this.#angle.value = String(angle);
    const degrees = () => `${numberWithSign(angle, 1)}°`;
    say(this.#angleValue, degrees);
    say(this.#angle, degrees, 'aria-valuetext');
  }

  #place(): void {
    if (!this.#isOpen) return;
    const { picture, now } = this.#state();
    const { x, y, width, height } = frameOf(now, picture);
    const [from, to] = [this.#stage.toView({ x, y }), this.#stage.toView({ x: x + width, y: y + height })];
    Object.assign(this.#frame.style, {
      left: `${from.x}px`,
      top: `${from.y}px`,
      width: `${to.x - from.x}px`,
      height: `${to.y - from.y}px`,
    });
  }

  #makeFrame(): void {
    this.#frame.tabIndex = 0;
    this.#frame.setAttribute('role', 'group');
    say(this.#frame, () => words.crop.frame, 'aria-label');
    for (const y of SIDES)
      for (const x of SIDES) {
        const part = make('span', { className: x === 0 && y === 0 ? 'grid' : 'handle', ariaHidden: 'true' });
        part.dataset.at = `${x} ${y}`;
        this.#frame.append(part);
        this.#drag(part, { x, y });
      }
    this.#frame.addEventListener('keydown', (event) => this.#key(event));
    // The picture beneath is not moved meanwhile.
    for (const type of ['wheel', 'dblclick'] as const)
      this.#frame.addEventListener(type, (event) => event.stopPropagation());
  }

  #drag(part: HTMLElement, handle: Handle): void {
    let begun: { crop: Crop; x: number; y: number } | undefined;
    part.addEventListener('pointerdown', (event) => {
      event.stopPropagation();
      if (event.button !== 0) return;
      part.setPointerCapture(event.pointerId);
      begun = { crop: this.#state().now, x: event.clientX, y: event.clientY };
    });
    part.addEventListener('pointermove', (event) => {
      event.stopPropagation();
      if (!begun) return;
      const scale = this.#pixels();
      const [dx, dy] = [(event.clientX - begun.x) * scale, (event.clientY - begun.y) * scale];
      const crop = dragged(begun.crop, handle, dx, dy, this.#kept(), this.#state().picture);
      this.#set(crop, crop);
    });
    for (const type of ['pointerup', 'pointercancel'] as const) part.addEventListener(type, () => (begun = undefined));
  }

  /** Pixels of the picture in a CSS pixel. */
  #pixels(): number {
    return 1 / (this.#stage.toView({ x: 1, y: 0 }).x - this.#stage.toView({ x: 0, y: 0 }).x);
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const { picture, now } = this.#state();
    if (way) {
      const step = Math.max(1, Math.round(KEY_STEP * Math.max(picture.width, picture.height)));
      const handle: Handle = event.shiftKey
        ? { x: Math.abs(way[0]) as 0 | 1, y: Math.abs(way[1]) as 0 | 1 }
        : { x: 0, y: 0 };
      const crop = dragged(now, handle, way[0] * step, way[1] * step, this.#kept(), picture);
      this.#set(crop, crop);
    } else if (event.key === 'Enter' || event.key === 'Escape') this.#end();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
