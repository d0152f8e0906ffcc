// WebKitGTK's MiniBrowser on a display of its own, driven by WebDriver.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

import { Faults } from '../faults.ts';
import { type Engine, type Options, type Tab, another, frameOfElement, installed } from './engine.ts';
import { type Handle, WebDriver } from './webdriver.ts';

/** Keys without a character. */
const keys: Record<string, string> = {
  Backspace: '\uE003',
  Tab: '\uE004',
  Enter: '\uE007',
  Shift: '\uE008',
  Control: '\uE009',
  Home: '\uE011',
  ArrowRight: '\uE014',
  Delete: '\uE017',
};

/** Paths of the browser, which Debian keeps in the folder of the architecture. */
function browsers(): string[] {
  const folders = ['/usr/libexec', '/usr/lib', ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)];
  return folders.map((folder) => `${folder}/webkit2gtk-4.1/MiniBrowser`);
}

export class WebKit implements Engine {
  readonly #processes: ChildProcess[] = [];
  #driver!: WebDriver;

  static async start(options: Options): Promise<WebKit> {
    const webkit = new WebKit();
    process.once('exit', webkit.#kill);
    try {
      await webkit.#start(options);
    } catch (error) {
      await webkit.end();
      throw error;
    }
    return webkit;
  }

  async #start({ script }: Options): Promise<void> {
    const paths = browsers();
    const binary = installed('WEBKIT', 'WebKit', existsSync, [
      ...paths.filter(existsSync),
      '/usr/lib/*/webkit2gtk-4.1/MiniBrowser',
    ]);
    const server = installed('WEBKIT_DRIVER', 'The WebDriver of WebKit', existsSync, ['/usr/bin/WebKitWebDriver']);
    const xvfb = installed('XVFB', 'Xvfb', existsSync, ['/usr/bin/Xvfb']);
    // It takes the first display that is free, and says which.
    const screen = ['-displayfd', '1', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'];
    const display = this.#spawn(xvfb, screen, { stdio: ['ignore', 'pipe', 'ignore'] });
    const number = String((await once(display.stdout!, 'data'))[0]).trim();

    const port = await freePort();
    const env = {
      ...process.env,
      DISPLAY: `:${number}`,
      GDK_BACKEND: 'x11',
      // The language of pages and messages.
      LANGUAGE: 'en_GB',
      // WebKitGTK 2.50 ends at times with a failed assertion when it collects garbage under automation.
      JSC_useGC: 'false',
      // There is no graphics card.
      WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    };
    const driver = this.#spawn(server, [`--port=${port}`], { env, stdio: 'ignore' });
    const url = `http://127.0.0.1:${port}`;
    while (!(await isUp(url))) {
      if (driver.exitCode !== null) throw new Error(`${server} ended with ${driver.exitCode}`);
    }
    this.#driver = await WebDriver.start(url, {
      // After going back it would wait for a load that has ended, and never answer again.
      pageLoadStrategy: 'none',
      'webkitgtk:browserOptions': { binary, args: ['--automation', `--enable-javascript=${script}`] },
    });
  }

  async tab(): Promise<Tab> {
    return new WebKitTab(this.#driver);
  }

  async end(): Promise<void> {
    process.off('exit', this.#kill);
    await this.#driver?.end().catch(() => {});
    const ended = this.#processes.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit'));
    this.#kill();
    await Promise.all(ended);
  }

  /** Each process leads a group, which holds what it has started. */
  #spawn(program: string, args: string[], options: SpawnOptions): ChildProcess {
    const child = spawn(program, args, { ...options, detached: true });
    this.#processes.push(child);
    return child;
  }

  readonly #kill = () => {
    // The browser before its display.
    for (const { pid } of this.#processes.reverse()) {
      try {
        process.kill(-pid!, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  };
}

/** The tab of the one window, whose cookies are removed. */
class WebKitTab implements Tab {
  readonly faults = new Faults();
  readonly #driver: WebDriver;
  /** Origins whose cookies there may be. */
  readonly #origins = new Set<string>();

  constructor(driver: WebDriver) {
    this.#driver = driver;
  }

  async open(url: string): Promise<void> {
    this.#origins.add(new URL(url).origin);
    await this.#leave('url', { url });
  }

  async go(way: 'back' | 'forward' | 'reload'): Promise<void> {
    await this.#leave(way === 'reload' ? 'refresh' : way);
  }

  async evaluate(expression: string, inFrame: boolean): Promise<unknown> {
    await this.#enter(inFrame);
    return this.#driver.evaluate(expression);
  }

  async click(expression: string, inFrame: boolean): Promise<void> {
    await this.#driver.click((await this.evaluate(expression, inFrame)) as Handle);
  }

  async type(text: string): Promise<void> {
    await this.#driver.keys(...[...text].map((key) => [key]));
  }

  async press(combination: string): Promise<void> {
    await this.#driver.keys(combination.split('+').map((key) => keys[key] ?? key));
  }

  async picture(path: string): Promise<void> {
    await this.#enter(false);
    writeFileSync(path, Buffer.from((await this.#driver.read('screenshot')) as string, 'base64'));
  }

  async close(): Promise<void> {
    for (const origin of this.#origins) {
      await this.open(`${origin}/nowhere`);
      await this.#driver.forget();
    }
    await this.#leave('url', { url: 'about:blank' });
  }

  async #leave(command: string, body?: object): Promise<void> {
    await this.#enter(false);
    await another(async (expression) => this.#driver.evaluate(expression), () => this.#driver.send(command, body));
  }

  async #enter(inFrame: boolean): Promise<void> {
    await this.#driver.send('frame', { id: null });
    if (!inFrame) return;
    const id = await this.#driver.evaluate(frameOfElement);
    if (!id) throw new Error('the page has no element with a frame');
    await this.#driver.send('frame', { id });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function isUp(url: string): Promise<boolean> {
  return fetch(`${url}/status`).then(
    ({ ok }) => ok,
    () => false,
  );
}
