// The example shop on an origin of its own, and the element in its pages as a person sees it.
import { createHash, randomInt } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { type FrameLocator, type Locator, type Page, expect } from '@playwright/test';

import { promise } from './journey.ts';
import { test as base } from './test.ts';

const program = fileURLToPath(new URL('../shop/server.mjs', import.meta.url));
export const secretKey = 'lk_sec_of_the_example_shop';

/** What the element has told its page. */
export interface Told {
  type: string;
  detail: { token?: string; state?: string; code?: string; number?: number } | null;
}

/** A port that nobody listens on, for the configuration has to name it before the shop is there.
 *  It is below those that systems give to whoever asks for any, so nobody gets it meanwhile. */
async function freePort(): Promise<number> {
  const port = randomInt(20_000, 30_000);
  const server = createServer().listen(port, 'localhost');
  try {
    await once(server, 'listening');
  } catch {
    return freePort();
  }
  server.close();
  await once(server, 'close');
  return port;
}

/** The shop as a site of Latchkey's configuration. */
function site(origin: string): string {
  const digest = createHash('sha256').update(secretKey).digest('hex');
  return `
    [[sites]]
    name = "shop"
    public_key = "lk_pub_the_example_shop"
    secret_keys = ["sha256:${digest}"]
    origins = ["${origin}"]
    return_urls = ["${origin}/return"]
  `;
}

export class Shop {
  readonly origin: string;
  readonly #process: ChildProcess;

  private constructor(origin: string, process: ChildProcess) {
    this.origin = origin;
    this.#process = process;
  }

  static async start(port: number, latchkey: string): Promise<Shop> {
    const env = {
      PATH: process.env.PATH,
      PORT: String(port),
      LATCHKEY_ORIGIN: latchkey,
      LATCHKEY_SITE_KEY: 'lk_pub_the_example_shop',
      LATCHKEY_SECRET_KEY: secretKey,
    };
    const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(createInterface({ input: child.stdout! }), 'line');
    return new Shop(`http://localhost:${port}`, child);
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }
}

/** One element in a page, by what a person sees of it and what the page is told. */
export class Element {
  readonly page: Page;
  readonly host: Locator;
  readonly frame: FrameLocator;

  constructor(page: Page, n = 0) {
    this.page = page;
    this.host = page.locator('otp-verification').nth(n);
    this.frame = this.host.locator('iframe').contentFrame();
  }

  get email(): Locator {
    return this.frame.getByRole('textbox', { name: 'E-mail address' });
  }

  get field(): Locator {
    return this.frame.getByRole('textbox', { name: /^Enter the \d+-digit code$/ });
  }

  get error(): Locator {
    return this.frame.getByRole('alert');
  }

  heading(name: string): Locator {
    return this.frame.getByRole('heading', { level: 1, name, exact: true });
  }

  async ask(address: string): Promise<void> {
    await this.email.fill(address);
    await this.frame.getByRole('button', { name: 'SEND OTP' }).click();
    await this.awake();
  }

  /** The card has come alive. */
  async awake(): Promise<void> {
    await expect(this.frame.getByText(promise)).toBeVisible();
  }

  /** Types key by key, like a person. */
  async type(code: string): Promise<void> {
    await this.field.focus();
    await this.page.keyboard.type(code);
  }

  /** Begins anew by the way on that an ending offers. It takes the frame away under the mouse, and
   *  with it, now and then, the answer to the click: what comes of it tells whether it worked. */
  async startAgain(): Promise<void> {
    const link = this.frame.getByRole('link', { name: 'START AGAIN' });
    await expect(link).toBeVisible();
    link.click().catch(() => {});
    await expect(this.email).toBeVisible();
  }

  async succeeded(): Promise<void> {
    await expect(this.heading('Login Success!')).toBeVisible();
    await expect.poll(() => this.token()).not.toBe('');
  }

  async token(): Promise<string> {
    return this.host.evaluate((host) => (host as unknown as { token: string }).token);
  }

  /** Everything that it has told the page so far; see `listen`. */
  async told(): Promise<Told[]> {
    return this.host.evaluate((host) => (host as unknown as { told: Told[] }).told);
  }
}

/** Notes what each element tells, from the first moment on. */
async function listen(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const events = ['ready', 'sent', 'verified', 'error', 'expired'];
    const attend = (host: HTMLElement & { told?: unknown[] }) => {
      if (host.told) return;
      host.told = [];
      for (const type of events) {
        host.addEventListener(type, (event) => host.told!.push({ type, detail: (event as CustomEvent).detail }));
      }
    };
    new MutationObserver(() => {
      for (const host of document.querySelectorAll<HTMLElement>('otp-verification')) attend(host);
    }).observe(document, { childList: true, subtree: true });
  });
}

export const test = base.extend<{ port: number; shop: Shop; element: Element }>({
  port: async ({}, use) => {
    await use(await freePort());
  },

  file: async ({ port }, use) => {
    await use(site(`http://localhost:${port}`));
  },

  shop: async ({ context, faults, latchkey, page, port }, use) => {
    // Chromium warns of this combination wherever it stands; it matters only for a frame of the
    // page's own origin, which this is not.
    faults.allow(/allow-scripts and allow-same-origin/);
    await listen(page);
    const shop = await Shop.start(port, latchkey.origin);
    await use(shop);
    await context.close();
    await shop.end();
  },

  element: async ({ page }, use) => {
    await use(new Element(page));
  },
});

export { expect };
