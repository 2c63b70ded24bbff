/**
 * The stage: the merged picture with pan, zoom, divider and brush.
 *
 * This file handles positions and events only; the worker draws. Sizes on the page are CSS pixels, the canvas's are
 * device pixels (times `ratio`), so that 100 % is one pixel of the picture on one of the display.
 */
import type { Crop } from '../../../src/finish/pictures.ts';
import type { Stroke, ToWorker, View } from '../messages.ts';
import { Camera } from './camera.ts';
import type { Point } from './camera.ts';
import { say, words } from '../words/index.ts';
import { announce, byId, make } from './dom.ts';

/** A part of the picture, in its pixels. */
interface Rect extends Point {
  width: number;
  height: number;
}

export type BrushMode = 'off' | 'add' | 'erase';

/** CSS pixels by which an arrow key moves the picture. */
const PAN_STEP = 60;
const ZOOM_STEP = 1.25;
/** CSS pixels that a finger may move before a stroke of the brush counts as intended. */
const DAB = 12;
/** CSS pixels that a pointer may move while it clicks, and milliseconds in which a second click makes it double. */
const CLICK = 6;
const DOUBLE_CLICK = 280;
/** Milliseconds for which something is told over the picture. */
const TELLING = 4000;
/** Pixels of a line, for wheels that count lines. */
const LINE_HEIGHT = 16;

export class Stage {
  readonly #view = byId('view', HTMLDivElement);
  readonly #divider = byId('divider', HTMLDivElement);
  readonly #brush = byId('brush', HTMLDivElement);
  readonly #zoomValue = byId('zoom-value', HTMLOutputElement);
  readonly #send: (message: ToWorker) => void;
  readonly #pointers = new Map<number, Point>();
  readonly #camera = new Camera();
  #dividerAt: number | undefined;
  #brushMode: BrushMode = 'off';
  #brushSize = 48;
  #hardness = 1;
  /** Where a pointer went down, while it may still be a click. */
  #pressed: Point | undefined;
  #click: ReturnType<typeof setTimeout> | undefined;
  /** What of the picture is marked. */
  #marked: Rect | undefined;
  readonly #mark = make('div', { className: 'mark-thing', hidden: true });
  readonly #told = byId('told', HTMLParagraphElement);
  #telling: ReturnType<typeof setTimeout> | undefined;
  /** Where the brush is, in CSS pixels of the view; undefined before it was there. */
  #cursor: Point | undefined;
  /** The last point of the stroke that is being painted, in the picture. */
  #painting: Point | undefined;
  /** Where a stroke began, in CSS pixels of the view. */
  #strokeStart = { x: 0, y: 0 };
  #pending = false;
  #look: Pick<View, 'overlay' | 'motionOf'> = {
    overlay: 0,
    motionOf: 'all',
  };

  /** The person moved the divider, changed the brush's size, undid a stroke, or turned the brush off. */
  onDivider: (fraction: number) => void = () => undefined;
  onBrushSize: (size: number) => void = () => undefined;
  onUndo: () => void = () => undefined;
  onBrushAway: () => void = () => undefined;
  /** Another part of the picture is seen, or at another size. */
  onMove: () => void = () => undefined;
  onRedo: () => void = () => undefined;
  /** The person points at a place of the picture, or asks for the next thing that moves. */
  onPick: (point: Point) => void = () => undefined;
  onStep: (step: 1 | -1) => void = () => undefined;

  constructor(send: (message: ToWorker) => void) {
    this.#send = send;
    new ResizeObserver(() => this.#resize()).observe(this.#view);
    this.#view.addEventListener('pointerdown', (event) => this.#down(event));
    this.#view.addEventListener('pointermove', (event) => this.#move(event));
    for (const type of ['pointerup', 'pointercancel'] as const)
      this.#view.addEventListener(type, (event) => this.#up(event));
    this.#view.addEventListener('pointerleave', () => this.#painting || (this.#brush.hidden = true));
    this.#view.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#view.addEventListener('dblclick', (event) => this.#toggleZoom(this.#at(event)));
    this.#view.addEventListener('keydown', (event) => this.#key(event));
    this.#view.addEventListener('keyup', (event) => event.key === ' ' && this.#lift());
    this.#view.addEventListener('blur', () => this.#lift());
    this.#view.append(this.#mark);
    this.#view.addEventListener('focus', () => this.#placeBrush());
    this.#dragDivider();
    byId('zoom-in', HTMLButtonElement).onclick = () => this.#zoomBy(ZOOM_STEP);
    byId('zoom-out', HTMLButtonElement).onclick = () => this.#zoomBy(1 / ZOOM_STEP);
    byId('zoom-fit', HTMLButtonElement).onclick = () => this.fit();
    byId('zoom-full', HTMLButtonElement).onclick = () => this.#zoomTo(1);
    this.setBrush('off');
  }

  /** Shows a merged picture; one of the same size keeps its place. */
  setPicture(width: number, height: number): void {
    this.#setHidden(false);
    this.#resize();
    this.#camera.setPicture({ width, height });
    this.#changed();
  }

  hide(): void {
    this.#camera.setPicture(undefined);
    this.#setHidden(true);
    this.tellNoMore();
  }

  #setHidden(isHidden: boolean): void {
    for (const id of ['view', 'zoom-tools', 'view-help']) byId(id, HTMLElement).hidden = isHidden;
  }

  /** What of the picture is shown; undefined for all of it. */
  get crop(): Crop | undefined {
    return this.#camera.crop;
  }

  setCrop(crop: Crop | undefined): void {
    this.#camera.setCrop(crop);
    this.#changed();
  }

  /** The point of the view, in CSS pixels, where a point of what is shown is. */
  toView(point: Point): Point {
    return this.#camera.toView(point);
  }

  setLook(look: Partial<Pick<View, 'overlay' | 'motionOf'>>): void {
    this.#look = { ...this.#look, ...look };
    this.#changed();
  }

  /** @param fraction of the view's width, or undefined to hide it. */
  setDivider(fraction: number | undefined): void {
    this.#dividerAt = fraction;
    this.#divider.hidden = fraction === undefined;
    this.#divider.style.left = `${100 * (fraction ?? 0)}%`;
    this.#changed();
  }

  setBrush(mode: BrushMode): void {
    // A stroke under way ends here: the worker waits for its end.
    this.#lift();
    this.#brushMode = mode;
    this.#view.dataset.brush = mode;
    const help = mode === 'off' ? 'help' : 'brushHelp';
    say(byId('view-help', HTMLParagraphElement), () => words.picture[help]);
    this.#placeBrush();
  }

  get brush(): BrushMode {
    return this.#brushMode;
  }

  setBrushSize(size: number): void {
    this.#brushSize = size;
    this.#placeBrush();
  }

  /** @param hardness 1 for a hard edge. */
  setHardness(hardness: number): void {
    this.#hardness = hardness;
  }

  /** Tells something over the picture for some seconds, and screen readers too. */
  tell(text: () => string): void {
    clearTimeout(this.#telling);
    say(this.#told, text).hidden = false;
    announce(text());
    this.#telling = setTimeout(() => (this.#told.hidden = true), TELLING);
  }

  tellNoMore(): void {
    this.#told.hidden = true;
  }

  /** Marks a rectangle of the picture, or none. */
  setMark(rect: Rect | undefined): void {
    this.#marked = rect;
    this.#placeMark();
    this.#reveal();
  }

  /** Brings what is marked into sight. */
  #reveal(): void {
    if (!this.#marked) return;
    const { zoom, ratio, center, view } = this.#camera;
    const dx = ((this.#marked.x + this.#marked.width / 2 - center.x) * zoom) / ratio;
    const dy = ((this.#marked.y + this.#marked.height / 2 - center.y) * zoom) / ratio;
    if (Math.abs(dx) > view.width / 2 || Math.abs(dy) > view.height / 2) this.#pan(dx, dy);
  }

  #placeMark(): void {
    const { zoom, ratio, center, view, picture } = this.#camera;
    this.#mark.hidden = !this.#marked || !picture;
    if (!this.#marked) return;
    const scale = zoom / ratio;
    Object.assign(this.#mark.style, {
      left: `${view.width / 2 + (this.#marked.x - center.x) * scale}px`,
      top: `${view.height / 2 + (this.#marked.y - center.y) * scale}px`,
      width: `${this.#marked.width * scale}px`,
      height: `${this.#marked.height * scale}px`,
    });
  }

  /** Shows the whole picture, at most at 100 %. */
  fit(): void {
    this.#camera.fit();
    this.#changed();
    this.#sayZoom();
  }

  /** The zoom is shown, but by nothing that has the focus. */
  #sayZoom(): void {
    announce(`${words.picture.zoom}: ${this.#zoomValue.textContent}`);
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#view;
    if (clientWidth === 0 || clientHeight === 0) return;
    const ratio = window.devicePixelRatio;
    this.#send({ type: 'resize', width: Math.round(clientWidth * ratio), height: Math.round(clientHeight * ratio) });
    this.#camera.setView({ width: clientWidth, height: clientHeight }, ratio);
    this.#reveal();
    this.#changed();
  }

  /** Sends the view before the next frame, once. */
  #changed(): void {
    const { zoom, picture } = this.#camera;
    this.#zoomValue.textContent = `${Math.round(zoom * 100)} %`;
    this.#placeBrush();
    this.onMove();
    this.#placeMark();
    if (this.#pending || !picture) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      this.#sendView();
    });
  }

  #sendView(): void {
    const { center, crop, zoom, view, ratio } = this.#camera;
    const divider = this.#dividerAt === undefined ? undefined : this.#dividerAt * view.width * ratio;
    this.#send({ type: 'view', view: { ...this.#look, crop, centerX: center.x, centerY: center.y, zoom, divider } });
  }

  #pan(dx: number, dy: number): void {
    this.#camera.pan(dx, dy);
    this.#changed();
  }

  #zoomBy(factor: number, at?: Point): void {
    this.#zoomTo(this.#camera.zoom * factor, at);
  }

  /** @param at where wheel or fingers are; without it, a key or button is told. */
  #zoomTo(zoom: number, at?: Point): void {
    this.#camera.zoomTo(zoom, at);
    this.#changed();
    if (!at) this.#sayZoom();
  }

  #at(event: { clientX: number; clientY: number }): Point {
    const { left, top } = this.#view.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0 && event.button !== 1) return;
    this.#view.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#at(event));
    const isClick = this.#pointers.size === 1 && event.button === 0 && this.#brushMode === 'off';
    this.#pressed = isClick ? this.#at(event) : undefined;
    clearTimeout(this.#click);
    if (this.#pointers.size > 1) this.#beginPinch();
    else if (this.#brushMode !== 'off' && event.button === 0) this.#paint(this.#at(event), true);
  }

  /** A second finger touches: undoes what the first has painted, unless that finger moved some way. */
  #beginPinch(): void {
    const [first] = this.#pointers.values();
    this.#lift(Math.hypot(first.x - this.#strokeStart.x, first.y - this.#strokeStart.y) < DAB);
  }

  /** The brush was lifted. */
  #lift(isDropped = false): void {
    if (this.#painting) this.#send({ type: 'strokeEnd', isDropped });
    this.#painting = undefined;
  }

  #move(event: PointerEvent): void {
    const at = this.#at(event);
    if (this.#brushMode !== 'off' && event.pointerType !== 'touch') {
      this.#cursor = at;
      this.#placeBrush();
    }
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    if (this.#pressed && Math.hypot(at.x - this.#pressed.x, at.y - this.#pressed.y) < CLICK) return;
    this.#pressed = undefined;
    if (this.#pointers.size === 2) {
      const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const spread = (point: Point) => Math.hypot(point.x - other.x, point.y - other.y);
      // The part of the picture between the fingers stays between them.
      this.#pan((before.x - at.x) / 2, (before.y - at.y) / 2);
      this.#zoomBy(spread(at) / Math.max(1, spread(before)), { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
    } else if (this.#painting) {
      this.#cursor = at;
      this.#paint(at, false);
    } else if (this.#pointers.size === 1) {
      this.#pan(before.x - at.x, before.y - at.y);
    }
    this.#pointers.set(event.pointerId, at);
  }

  #up(event: PointerEvent): void {
    this.#pointers.delete(event.pointerId);
    this.#lift();
    const pressed = event.type === 'pointerup' && this.#pressed;
    this.#pressed = undefined;
    if (pressed) this.#click = setTimeout(() => this.onPick(this.#camera.toPicture(pressed)), DOUBLE_CLICK);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    // With shift, browsers turn the wheel sideways.
    const turned = event.deltaY || event.deltaX;
    if (this.#brushMode !== 'off' && (event.altKey || event.shiftKey))
      return this.onBrushSize(this.#brushSize * 2 ** (-Math.sign(turned) / 4));
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_HEIGHT : 1);
    // Trackpads report a pinch as a wheel event with ctrl, in smaller steps.
    this.#zoomBy(2 ** (-pixels * (event.ctrlKey ? 0.01 : 0.002)), this.#at(event));
  }

  /** Switches between the whole picture and 100 % at the given point. */
  #toggleZoom(at: Point): void {
    if (this.#brushMode !== 'off') return;
    if (this.#camera.isFitted && this.#camera.zoom !== 1) this.#zoomTo(1, at);
    else this.fit();
  }

  #key(event: KeyboardEvent): void {
    const key = event.key.toLowerCase();
    const isCommand = event.ctrlKey || event.metaKey;
    if (event.altKey || (isCommand && key !== 'z' && key !== 'y')) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) this.#step(step[0], step[1], event.shiftKey ? 4 : 1);
    else if (event.key === '+' || event.key === '=') this.#zoomBy(ZOOM_STEP);
    else if (event.key === '-') this.#zoomBy(1 / ZOOM_STEP);
    else if (event.key === '0') this.fit();
    else if (event.key === '1') this.#zoomTo(1);
    else if (isCommand && (key === 'y' || event.shiftKey)) this.onRedo();
    else if (key === 'u' || key === 'z') this.onUndo();
    else if (event.key === 'Enter') this.onStep(event.shiftKey ? -1 : 1);
    else if (this.#brushMode === 'off') return;
    else if (event.key === ' ') this.#painting || this.#paint(this.#brushPoint(), true);
    else if (event.key === '[' || event.key === ']')
      this.onBrushSize(this.#brushSize * (event.key === '[' ? 1 / 1.25 : 1.25));
    else if (event.key !== 'Escape') return;
    else if (this.#painting) {
      this.#lift(true);
      // The pointer that painted does nothing more until it is pressed again.
      this.#pointers.clear();
    } else this.onBrushAway();
    event.preventDefault();
  }

  /** An arrow key: the picture, or the brush and with it the picture where the brush would leave the view. */
  #step(dx: number, dy: number, times: number): void {
    if (this.#brushMode === 'off') return this.#pan(dx * PAN_STEP * times, dy * PAN_STEP * times);
    const reach = Math.max(4, this.#brushSize / 3) * times;
    const from = this.#brushPoint();
    const to = { x: from.x + dx * reach, y: from.y + dy * reach };
    const inside = {
      x: Math.min(this.#camera.view.width, Math.max(0, to.x)),
      y: Math.min(this.#camera.view.height, Math.max(0, to.y)),
    };
    if (inside.x !== to.x || inside.y !== to.y) this.#pan(to.x - inside.x, to.y - inside.y);
    this.#cursor = inside;
    this.#placeBrush();
    if (this.#painting) this.#paint(inside, false);
  }

  #brushPoint(): Point {
    this.#cursor ??= { x: this.#camera.view.width / 2, y: this.#camera.view.height / 2 };
    return this.#cursor;
  }

  #placeBrush(): void {
    const isShown = this.#brushMode !== 'off' && this.#camera.picture !== undefined;
    this.#brush.hidden = !isShown;
    if (!isShown) return;
    const { x, y } = this.#brushPoint();
    Object.assign(this.#brush.style, {
      left: `${x}px`,
      top: `${y}px`,
      width: `${this.#brushSize}px`,
      height: `${this.#brushSize}px`,
    });
  }

  #paint(at: Point, starts: boolean): void {
    const to = this.#camera.toPicture(at);
    if (starts) this.#strokeStart = at;
    const from = starts || !this.#painting ? to : this.#painting;
    this.#painting = to;
    const radius = Math.max(0.5, ((this.#brushSize / 2) * this.#camera.ratio) / this.#camera.zoom);
    const stroke: Stroke = {
      fromX: from.x,
      fromY: from.y,
      toX: to.x,
      toY: to.y,
      radius,
      hardness: this.#hardness,
      value: this.#brushMode === 'add' ? 1 : 0,
      motionOf: this.#look.motionOf,
      starts,
    };
    this.#send({ type: 'stroke', stroke });
  }

  #dragDivider(): void {
    // Whoever grabs it twice does not mean to zoom.
    this.#divider.addEventListener('dblclick', (event) => event.stopPropagation());
    this.#divider.addEventListener('pointerdown', (event) => {
      event.stopPropagation();
      this.#divider.setPointerCapture(event.pointerId);
    });
    this.#divider.addEventListener('pointermove', (event) => {
      if (!this.#divider.hasPointerCapture(event.pointerId)) return;
      event.stopPropagation();
      this.onDivider(Math.min(1, Math.max(0, this.#at(event).x / this.#camera.view.width)));
    });
  }
}
