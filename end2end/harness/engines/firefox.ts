// Firefox, driven by Puppeteer over WebDriver BiDi.
import { existsSync } from 'node:fs';

import puppeteer, { type Browser, type BrowserContext, type Frame, type KeyInput, type Page } from 'puppeteer-core';

import { Faults } from '../faults.ts';
import { type Engine, type Options, type Tab, another, frameOfElement, installed } from './engine.ts';

const usual = ['firefox-esr', 'firefox'].map((name) => `/usr/bin/${name}`);

export class Firefox implements Engine {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start({ script }: Options): Promise<Firefox> {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: installed('FIREFOX', 'Firefox', existsSync, usual),
      extraPrefsFirefox: { 'javascript.enabled': script },
      // The default is made for the pictures of one screen.
      defaultViewport: { width: 1280, height: 720 },
    });
    return new Firefox(browser);
  }

  async tab(): Promise<Tab> {
    const context = await this.#browser.createBrowserContext();
    const page = await context.newPage();
    // Firefox tells its own console alone about violations of a Content-Security-Policy.
    await page.evaluateOnNewDocument(() => {
      addEventListener('securitypolicyviolation', ({ blockedURI, violatedDirective }) => {
        console.error(`Content-Security-Policy: ${violatedDirective} ${blockedURI}`);
      });
    });
    return new FirefoxTab(context, page);
  }

  /** Puppeteer kills the process, by its id, if it does not end, and at the end of this one. */
  async end(): Promise<void> {
    await this.#browser.close();
  }
}

class FirefoxTab implements Tab {
  readonly faults = new Faults();
  readonly #context: BrowserContext;
  readonly #page: Page;

  constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.#page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warn') this.faults.note(message.text());
    });
    page.on('pageerror', (error) => this.faults.note(String(error)));
  }

  async open(url: string): Promise<void> {
    await this.#page.goto(url);
  }

  /** Puppeteer would wait for events that a page from the history does not send. */
  async go(way: 'back' | 'forward' | 'reload'): Promise<void> {
    const move = way === 'reload' ? 'location.reload()' : `history.${way}()`;
    const evaluate = async (expression: string) => this.#page.evaluate(expression);
    await another(evaluate, () => evaluate(`void ${move}`));
  }

  async evaluate(expression: string, inFrame: boolean): Promise<unknown> {
    return (await this.#frame(inFrame)).evaluate(expression);
  }

  /** Clicks by coordinates, since Puppeteer's own click needs a page that may run scripts. */
  async click(expression: string, inFrame: boolean): Promise<void> {
    let [left, top] = [0, 0];
    if (inFrame) {
      const corner = `(frame => {
        frame.scrollIntoView({ block: 'center', behavior: 'instant' });
        const { x, y } = frame.getBoundingClientRect();
        return [x + frame.clientLeft, y + frame.clientTop];
      })(${frameOfElement})`;
      [left, top] = (await this.evaluate(corner, false)) as number[];
    }
    // The frame is as high as its content, so nothing is scrolled in it.
    const [x, y] = (await this.evaluate(`(element => {
      ${inFrame ? '' : `element.scrollIntoView({ block: 'center', behavior: 'instant' });`}
      const { x, y, width, height } = element.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    })(${expression})`, inFrame)) as number[];
    await this.#page.mouse.click(left + x, top + y);
  }

  async type(text: string): Promise<void> {
    await this.#page.keyboard.type(text);
  }

  async press(keys: string): Promise<void> {
    const held = keys.split('+') as KeyInput[];
    const last = held.pop()!;
    for (const key of held) await this.#page.keyboard.down(key);
    await this.#page.keyboard.press(last);
    for (const key of held.reverse()) await this.#page.keyboard.up(key);
  }

  async picture(path: string): Promise<void> {
    await this.#page.screenshot({ path: path as `${string}.png` });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  async #frame(inFrame: boolean): Promise<Frame> {
    if (!inFrame) return this.#page.mainFrame();
    const found = await this.#page.evaluateHandle(frameOfElement);
    const frame = await found.asElement()?.contentFrame();
    if (!frame) throw new Error('the page has no element with a frame');
    return frame as Frame;
  }
}
