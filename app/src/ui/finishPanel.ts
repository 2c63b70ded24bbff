/**
 * The finishing room: looks as thumbnails of the picture itself, sliders, the histogram.
 *
 * A look sets all sliders to what suits this picture. Sliders that were moved stay when the picture is merged again;
 * choosing a look, its own once more included, sets all of them.
 */
import { LOOK_NAMES } from '../../../src/finish/looks.ts';
import type { LookName } from '../../../src/finish/looks.ts';
import type { FinishSettings } from '../../../src/finish/settings.ts';
import type { Finish, FromWorker, LookOffer, ToWorker } from '../messages.ts';
import { numberWithSign, say, words } from '../words/index.ts';
import { announce, byId, make } from './dom.ts';
import { Histogram } from './histogram.ts';

type Name = keyof FinishSettings;

interface Range {
  min: number;
  max: number;
  step: number;
  /** In EV; otherwise without a unit. */
  isEv?: boolean;
}

const PERCENT: Range = { min: -100, max: 100, step: 1 };
/** Of each slider, in the order of the page. The library allows more exposure, temperature, white and black. */
const GROUPS: Record<'light' | 'color', Partial<Record<Name, Range>>> = {
  light: {
    exposure: { min: -8, max: 8, step: 0.05, isEv: true },
    contrast: PERCENT,
    highlights: PERCENT,
    shadows: PERCENT,
    white: { min: 1.5, max: 10, step: 0.1, isEv: true },
    black: { min: -14, max: -2, step: 0.1, isEv: true },
    clarity: PERCENT,
  },
  color: { temperature: { min: -120, max: 120, step: 1 }, tint: PERCENT, saturation: PERCENT },
};

interface Slider {
  range: Range;
  input: HTMLInputElement;
  value: HTMLElement;
}

export class FinishPanel {
  readonly #send: (message: ToWorker) => void;
  readonly #onChange: () => void;
  readonly #sliders = new Map<Name, Slider>();
  readonly #radios = new Map<LookName, { input: HTMLInputElement; picture: HTMLImageElement }>();
  readonly #bright = byId('bright', HTMLInputElement);
  readonly #reset = byId('finish-reset', HTMLButtonElement);
  readonly #histogram = new Histogram(byId('histogram', HTMLElement));
  #offers: LookOffer[] = [];
  #look: LookName = LOOK_NAMES[0];
  /** Undefined as long as no slider was moved. */
  #settings: FinishSettings | undefined;
  #pending = false;

  /** @param onChange after the person changed the finish. */
  constructor(send: (message: ToWorker) => void, onChange: () => void) {
    this.#send = send;
    this.#onChange = onChange;
    byId('looks', HTMLElement).append(...LOOK_NAMES.map((name) => this.#makeLook(name)));
    byId('finish-sliders', HTMLElement).append(
      ...Object.entries(GROUPS).flatMap(([group, sliders]) => [
        say(make('h3'), () => words.finish.groups[group as keyof typeof GROUPS]),
        ...Object.entries(sliders).map(([name, range]) => this.#makeSlider(name as Name, range)),
      ]),
    );
    this.#reset.onclick = () => this.#choose(this.#look);
    this.#bright.onchange = () => this.#changed();
    this.#update();
  }

  /** How the picture is finished. */
  get finish(): Finish {
    return { look: this.#look, settings: this.#settings };
  }

  /** Begins with another finish: one that was kept. */
  set finish({ look, settings }: Finish) {
    this.#look = look;
    this.#settings = settings;
    this.#update();
    this.#sendFinish();
  }

  /** The looks of a new result. */
  offer({ looks }: Extract<FromWorker, { type: 'looks' }>): void {
    this.#offers = looks;
    for (const { name, thumbnail } of looks) {
      const picture = this.#radios.get(name)?.picture;
      if (!picture) continue;
      URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(thumbnail);
    }
    this.#update();
  }

  showHistogram({ histogram }: Extract<FromWorker, { type: 'histogram' }>): void {
    this.#histogram.show(histogram);
  }

  /** Another picture will come: it begins with the default look. */
  clear(): void {
    this.#offers = [];
    this.#look = LOOK_NAMES[0];
    this.#settings = undefined;
    for (const { picture } of this.#radios.values()) {
      URL.revokeObjectURL(picture.src);
      picture.removeAttribute('src');
    }
    this.#histogram.clear();
    this.#update();
  }

  /** Offers light above white, and shows it when that becomes possible. */
  allowBright(isAllowed: boolean): void {
    const field = byId('bright-field', HTMLElement);
    if (field.hidden !== isAllowed) return;
    field.hidden = !isAllowed;
    this.#bright.checked = isAllowed;
    this.#sendFinish();
  }

  #makeLook(name: LookName): HTMLElement {
    const input = make('input', { type: 'radio', name: 'look', value: name, className: 'visually-hidden' });
    const picture = make('img', { alt: '' });
    this.#radios.set(name, { input, picture });
    const label = make(
      'label',
      {},
      input,
      picture,
      say(make('span'), () => words.finish.looks[name]),
    );
    input.onchange = () => this.#choose(name);
    // A radio that is checked says nothing when it is clicked again.
    picture.onclick = () => {
      if (input.checked) this.#choose(name);
    };
    return label;
  }

  #makeSlider(name: Name, range: Range): HTMLElement {
    const id = `finish-${name}`;
    const { min, max, step } = range;
    const input = make('input', {
      type: 'range',
      id,
      min: String(min),
      max: String(max),
      step: String(step),
      value: '0',
    });
    // The slider says its value itself.
    const value = make('span', { className: 'value', ariaHidden: 'true' });
    const label = say(make('label', { htmlFor: id }), () => words.finish.settings[name]);
    this.#sliders.set(name, { range, input, value });
    input.oninput = () => this.#moved(name, input.valueAsNumber);
    const restore = (): void => {
      const own = this.#offerOf(this.#look)?.settings;
      if (!own) return;
      this.#moved(name, own[name]);
      announce(words.finish.restored(words.finish.settings[name]));
    };
    input.ondblclick = label.ondblclick = restore;
    input.onkeydown = (event) => {
      if (event.key !== 'Delete' && event.key !== 'Backspace') return;
      event.preventDefault();
      restore();
    };
    return make('div', { className: 'field' }, label, value, input);
  }

  #offerOf(name: LookName): LookOffer | undefined {
    return this.#offers.find((offer) => offer.name === name);
  }

  #choose(name: LookName): void {
    this.#look = name;
    this.#settings = undefined;
    this.#update();
    this.#changed();
  }

  #moved(name: Name, value: number): void {
    const own = this.#settings ?? this.#offerOf(this.#look)?.settings;
    if (!own) return;
    this.#settings = { ...own, [name]: value };
    this.#update();
    this.#changed();
  }

  #update(): void {
    const look = this.#offerOf(this.#look);
    const settings = this.#settings ?? look?.settings;
    for (const [name, { input }] of this.#radios) {
      input.checked = name === this.#look;
      input.disabled = !look;
    }
    this.#reset.disabled = this.#settings === undefined;
    for (const [name, { range, input, value }] of this.#sliders) {
      input.disabled = !settings;
      const now = settings?.[name] ?? 0;
      input.value = String(now);
      say(value, () => (settings ? text(now, range) : ''));
      say(input, () => text(now, range), 'aria-valuetext');
    }
  }

  #changed(): void {
    this.#onChange();
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      this.#sendFinish();
    });
  }

  #sendFinish(): void {
    this.#send({ type: 'finish', finish: this.finish, bright: this.#bright.checked });
  }
}

/** With its sign. */
function text(value: number, { isEv }: Range): string {
  const shown = numberWithSign(value, isEv ? 2 : 0);
  return isEv ? `${shown} EV` : shown;
}
