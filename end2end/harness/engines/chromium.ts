// Chromium, driven by Playwright.
import type { Browser, BrowserContext, ElementHandle, Frame, Page } from '@playwright/test';

import { Faults } from '../faults.ts';
import { type Engine, type Options, type Tab, frameOfElement } from './engine.ts';

export class Chromium implements Engine {
  readonly #browser: Browser;
  readonly #options: Options;

  constructor(browser: Browser, options: Options) {
    this.#browser = browser;
    this.#options = options;
  }

  async tab(): Promise<Tab> {
    const context = await this.#browser.newContext({ javaScriptEnabled: this.#options.script, locale: 'en-GB' });
    return new ChromiumTab(context, await context.newPage());
  }

  async end(): Promise<void> {
    await this.#browser.close();
  }
}

class ChromiumTab implements Tab {
  readonly faults: Faults;
  readonly #context: BrowserContext;
  readonly #page: Page;

  constructor(context: BrowserContext, page: Page) {
    this.faults = new Faults(context);
    // Chromium always warns about this combination; it matters only for frames of the same origin.
    this.faults.allow(/allow-scripts and allow-same-origin/);
    this.#context = context;
    this.#page = page;
  }

  async open(url: string): Promise<void> {
    await this.#page.goto(url);
  }

  async go(way: 'back' | 'forward' | 'reload'): Promise<void> {
    const ways = { back: 'goBack', forward: 'goForward', reload: 'reload' } as const;
    await this.#page[ways[way]]();
  }

  async evaluate(expression: string, inFrame: boolean): Promise<unknown> {
    return (await this.#frame(inFrame)).evaluate(expression);
  }

  async click(expression: string, inFrame: boolean): Promise<void> {
    const found = await (await this.#frame(inFrame)).evaluateHandle(expression);
    const element = found as unknown as ElementHandle;
    await element.waitForElementState('stable');
    await element.scrollIntoViewIfNeeded();
    const box = await element.boundingBox();
    if (!box) throw new Error('it is not shown');
    // The click of an element waits for its frame, which may have gone by then.
    await this.#page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  }

  async type(text: string): Promise<void> {
    await this.#page.keyboard.type(text);
  }

  async press(keys: string): Promise<void> {
    await this.#page.keyboard.press(keys);
  }

  async picture(path: string): Promise<void> {
    await this.#page.screenshot({ path });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  async #frame(inFrame: boolean): Promise<Frame> {
    if (!inFrame) return this.#page.mainFrame();
    const found = (await this.#page.evaluateHandle(frameOfElement)).asElement() as ElementHandle | null;
    const frame = await found?.contentFrame();
    if (!frame) throw new Error('the page has no element with a frame');
    return frame;
  }
}
