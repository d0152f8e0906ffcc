// The example shop on its own origin, and a page object of the element in its pages.
import { createHash, randomInt } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { type FrameLocator, type Locator, type Page, expect } from '@playwright/test';

import { hint } from './journey.ts';
import { test as base } from './test.ts';

const program = fileURLToPath(new URL('../shop/server.mjs', import.meta.url));
export const secretKey = 'lk_sec_of_the_example_shop';

/** An event of the element. */
export interface ElementEvent {
  type: string;
  detail: { token?: string; state?: string; code?: string; number?: number } | null;
}

/** A free port, which the configuration must name before the shop is started. It is below the range
 *  of ephemeral ports, so that no other process gets it in the meantime. */
export async function freePort(): Promise<number> {
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

/** Configuration of the shop as a site of Latchkey. */
export function site(origin: string): string {
  const digest = createHash('sha256').update(secretKey).digest('hex');
  return `
    [[sites]]
    name = "shop"
    public_key = "lk_pub_the_example_shop"
    secret_keys = ["sha256:${digest}"]
    origins = ["${origin}"]
    return_urls = ["${origin}/return"]
    # Numbers that are set apart for fiction are in no numbering plan.
    sms = { countries = ["GB", "DE"], allowed_prefixes = ["+447700900"] }
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

/** One element in a page: its content and its events. */
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

  async requestCode(address: string): Promise<void> {
    await this.email.fill(address);
    await this.frame.getByRole('button', { name: 'SEND OTP' }).click();
    await this.hydrated();
  }

  /** Waits until the card is hydrated. */
  async hydrated(): Promise<void> {
    await expect(this.frame.getByText(hint)).toBeVisible();
  }

  /** Types key by key. */
  async type(code: string): Promise<void> {
    await this.field.focus();
    await this.page.keyboard.type(code);
  }

  /** Clicks START AGAIN. The click removes the frame, so its promise may be rejected; the start page
   *  shows whether it worked. */
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

  /** All events so far; see `recordEvents`. */
  async events(): Promise<ElementEvent[]> {
    return this.host.evaluate((host) => (host as unknown as { events: ElementEvent[] }).events);
  }
}

/** Records the events of every element from its creation on. */
async function recordEvents(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const types = ['ready', 'sent', 'verified', 'error', 'expired'];
    const record = (host: HTMLElement & { events?: unknown[] }) => {
      if (host.events) return;
      host.events = [];
      for (const type of types) {
        host.addEventListener(type, (event) => host.events!.push({ type, detail: (event as CustomEvent).detail }));
      }
    };
    new MutationObserver(() => {
      for (const host of document.querySelectorAll<HTMLElement>('otp-verification')) record(host);
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
    // Chromium always warns about this combination; it matters only for frames of the same origin.
    faults.allow(/allow-scripts and allow-same-origin/);
    await recordEvents(page);
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
