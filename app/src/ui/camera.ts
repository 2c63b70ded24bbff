/**
 * Which part of the picture is seen: its middle and its zoom.
 *
 * Points on the page are CSS pixels of the view, zoom is canvas (device) pixels per pixel of the picture. What is shown
 * may be a crop of the picture: the middle counts in that, points of the picture do not.
 */
import { placementOf } from '../../../src/finish/crop.ts';
import type { Crop } from '../../../src/finish/pictures.ts';

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

const MAX_ZOOM = 16;
/** The most by which small pictures are enlarged to fit. Factors are whole, so that pixels stay square. */
const MAX_ENLARGED = 4;

export class Camera {
  #picture: Size | undefined;
  #crop: Crop | undefined;
  #view: Size = { width: 1, height: 1 };
  #ratio = 1;
  #fitted = true;
  /** As it was moved to: rounded to pixels only when it is read, so that small movements add up. */
  #center: Point = { x: 0, y: 0 };
  #zoom = 1;

  get picture(): Size | undefined {
    return this.#picture;
  }

  get view(): Size {
    return this.#view;
  }

  /** What of the picture is shown; undefined for all of it. */
  get crop(): Crop | undefined {
    return this.#crop;
  }

  /** The size of what is shown. */
  get #shown(): Size | undefined {
    return this.#picture && (this.#crop ?? this.#picture);
  }

  /** The point in the view's middle, such that pixels fall on pixels at whole-number zooms. */
  get center(): Point {
    return this.#onPixels(this.#center);
  }

  get zoom(): number {
    return this.#zoom;
  }

  /** Whether the whole picture is shown because nobody has moved it. */
  get isFitted(): boolean {
    return this.#fitted;
  }

  /** Device pixels per CSS pixel. */
  get ratio(): number {
    return this.#ratio;
  }

  /** Shows a picture, or none (undefined). One of the same size keeps its place. */
  setPicture(picture: Size | undefined): void {
    const isSame = picture && this.#picture?.width === picture.width && this.#picture.height === picture.height;
    this.#picture = picture;
    if (!isSame) this.#crop = undefined;
    if (picture && !isSame) this.fit();
  }

  /** Shows a part of the picture, all of it; undefined shows the whole picture. */
  setCrop(crop: Crop | undefined): void {
    const isSame = this.#shown?.width === crop?.width && this.#shown?.height === crop?.height;
    this.#crop = crop;
    if (!isSame || this.#fitted) this.fit();
  }

  setView(view: Size, ratio: number): void {
    this.#view = view;
    this.#ratio = ratio;
    if (this.#fitted) this.fit();
  }

  /** Shows the whole picture, at most at 100 % except for small ones. */
  fit(): void {
    const shown = this.#shown;
    if (!shown) return;
    const whole = this.#whole(shown);
    this.#fitted = true;
    this.#zoom = whole < 1 ? whole : Math.max(1, Math.min(MAX_ENLARGED, Math.floor(whole)));
    this.#center = { x: shown.width / 2, y: shown.height / 2 };
  }

  /** The point of the picture that is at a point of the view. */
  toPicture(at: Point): Point {
    const { x, y } = this.#pointAt(at, this.center);
    if (!this.#crop) return { x, y };
    const { origin, right, down } = placementOf(this.#crop);
    return { x: origin[0] + x * right[0] + y * down[0], y: origin[1] + x * right[1] + y * down[1] };
  }

  /** The point of the view where a point of what is shown is. */
  toView({ x, y }: Point): Point {
    const { center } = this;
    const scale = this.#zoom / this.#ratio;
    return { x: this.#view.width / 2 + (x - center.x) * scale, y: this.#view.height / 2 + (y - center.y) * scale };
  }

  #pointAt({ x, y }: Point, center: Point): Point {
    const scale = this.#ratio / this.#zoom;
    return { x: center.x + (x - this.#view.width / 2) * scale, y: center.y + (y - this.#view.height / 2) * scale };
  }

  /** Moves by CSS pixels. */
  pan(dx: number, dy: number): void {
    const scale = this.#ratio / this.#zoom;
    this.#moveTo(this.#center.x + dx * scale, this.#center.y + dy * scale);
  }

  /** @param at the point of the view that keeps what it shows; the middle by default. */
  zoomTo(zoom: number, at: Point = { x: this.#view.width / 2, y: this.#view.height / 2 }): void {
    const shown = this.#shown;
    if (!shown) return;
    const before = this.#pointAt(at, this.#center);
    this.#zoom = Math.min(MAX_ZOOM, Math.max(Math.min(1, this.#whole(shown)) / 2, zoom));
    const after = this.#pointAt(at, this.#center);
    this.#moveTo(this.#center.x + before.x - after.x, this.#center.y + before.y - after.y);
  }

  /** The zoom at which the whole picture just fits. */
  #whole({ width, height }: Size): number {
    return Math.min((this.#view.width * this.#ratio) / width, (this.#view.height * this.#ratio) / height);
  }

  /** Keeps the view's middle within the picture, so that the picture is never out of sight. */
  #moveTo(x: number, y: number): void {
    const shown = this.#shown;
    if (!shown) return;
    this.#fitted = false;
    this.#center = { x: Math.min(shown.width, Math.max(0, x)), y: Math.min(shown.height, Math.max(0, y)) };
  }

  /**
   * The point nearest to (x, y) at which the picture's pixels fall on the canvas's, where the zoom is a whole number.
   * Half a pixel off, a sharp picture is blurred at 100 %.
   */
  #onPixels({ x, y }: Point): Point {
    const zoom = this.#zoom;
    if (!Number.isInteger(zoom)) return { x, y };
    const snap = (at: number, view: number): number => {
      const half = (Math.round(view * this.#ratio) % 2) / 2;
      return (Math.round(at * zoom - half) + half) / zoom;
    };
    return { x: snap(x, this.#view.width), y: snap(y, this.#view.height) };
  }
}
