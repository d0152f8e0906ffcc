// A person at a browser: finds things by what they are and say, and looks until they are there.
import { expect } from '@playwright/test';

import { type Tab, eventually } from './engine.ts';

/** Roles and the elements that have them on our pages. */
const roles = {
  alert: '[role="alert"]',
  button: 'button',
  combobox: 'select',
  heading: 'h1',
  link: 'a[href]',
  radio: 'input[type="radio"]',
  status: '[role="status"]',
  textbox: 'input:not([type="radio"], [type="hidden"])',
};

export type Role = keyof typeof roles;

/** A role and its accessible name (a text: all of it), or a selector. */
export type What = string | [Role, (string | RegExp)?];

/** Runs in the page: the first visible element that fits. */
function find(selector: string, name: string | null): Element | undefined {
  const label = (element: HTMLElement) =>
    element.getAttribute('aria-label') ?? (element as HTMLInputElement).labels?.[0]?.textContent ?? element.textContent!;
  // Invisible isolation marks surround names that are put into texts.
  const said = (element: HTMLElement) => label(element).replace(/[\u2068\u2069]/g, '').replace(/\s+/g, ' ').trim();
  return [...document.querySelectorAll<HTMLElement>(selector)].find(
    (element) => element.checkVisibility({ visibilityProperty: true }) && (!name || new RegExp(name).test(said(element))),
  );
}

export class Visitor {
  readonly tab: Tab;
  readonly #inFrame: boolean;

  constructor(tab: Tab, inFrame = false) {
    this.tab = tab;
    this.#inFrame = inFrame;
  }

  /** The same person, looking into the frame of the element. */
  get frame(): Visitor {
    return new Visitor(this.tab, true);
  }

  /** The value of a function that is run in the page. It can use its arguments only. */
  async run<A extends unknown[], R>(script: (...args: A) => R, ...args: A): Promise<R> {
    return this.#evaluate(`(${script})(...${JSON.stringify(args)})`) as Promise<R>;
  }

  /** The value of a function of an element, once it is there. */
  async of<R, E = HTMLElement>(what: What, read: (element: E) => R): Promise<R> {
    let value!: R;
    await eventually(async () => {
      expect(await this.#isThere(what), `${what} is there`).toBe(true);
      value = (await this.#evaluate(`(${read})(${this.#expression(what)})`)) as R;
    });
    return value;
  }

  /** Does something to an element, once it is there. */
  async on<A extends unknown[], E = HTMLElement>(what: What, act: (element: E, ...args: A) => void, ...args: A): Promise<void> {
    await this.sees(what);
    await this.#evaluate(`void (${act})(${[this.#expression(what), ...args.map((arg) => JSON.stringify(arg))]})`);
  }

  async text(what: What): Promise<string> {
    return this.of(what, (element) => element.textContent!.replace(/[\u2068\u2069]/g, '').trim());
  }

  async value(what: What): Promise<string> {
    return this.of(what, (field: HTMLInputElement) => field.value);
  }

  async sees(what: What, seconds?: number): Promise<void> {
    await eventually(async () => expect(await this.#isThere(what), `${what} is there`).toBe(true), seconds);
  }

  async seesNo(what: What): Promise<void> {
    await eventually(async () => expect(await this.#isThere(what), `${what} is there`).toBe(false));
  }

  /** The page says a text, in one line, or a text that fits. */
  async reads(text: string | RegExp): Promise<void> {
    await eventually(async () => {
      const said = await this.run(() => document.body.innerText.replace(/[\u2068\u2069]/g, ''));
      if (typeof text === 'string') expect(said).toContain(text);
      else expect(said).toMatch(text);
    });
  }

  async hasFocus(what: What): Promise<void> {
    await eventually(async () => {
      const isFocused = `(element => element === document.activeElement && document.hasFocus())`;
      expect(await this.#evaluate(`${isFocused}(${this.#expression(what)})`), `${what} has the focus`).toBe(true);
    });
  }

  async url(): Promise<string> {
    return this.run(() => location.href);
  }

  /** Clicks once it is there. */
  async click(what: What): Promise<void> {
    await this.sees(what);
    await this.tab.click(this.#expression(what), this.#inFrame);
  }

  /** Replaces what a field holds, by mouse and keyboard. */
  async fill(what: What, text: string): Promise<void> {
    await this.click(what);
    await this.tab.press('Control+a');
    await this.tab.type(text);
  }

  /** Replaces what a field holds by pasting with the keyboard, through the real clipboard. */
  async paste(what: What, text: string): Promise<void> {
    await this.run((text) => {
      const area = document.createElement('textarea');
      area.value = text;
      document.body.append(area);
      area.select();
    }, text);
    await this.tab.press('Control+c');
    await this.run(() => document.querySelector('textarea')!.remove());
    await this.click(what);
    await this.tab.press('Control+a');
    await this.tab.press('Control+v');
  }

  #expression(what: What): string {
    const [selector, name] = typeof what === 'string' ? [what] : [roles[what[0]], what[1]];
    const pattern = name instanceof RegExp ? name.source : name && `^${escaped(name)}$`;
    return `(${find})(${JSON.stringify([selector, pattern ?? null]).slice(1, -1)})`;
  }

  async #isThere(what: What): Promise<boolean> {
    return (await this.#evaluate(`${this.#expression(what)} !== undefined`)) as boolean;
  }

  async #evaluate(expression: string): Promise<unknown> {
    return this.tab.evaluate(expression, this.#inFrame);
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
