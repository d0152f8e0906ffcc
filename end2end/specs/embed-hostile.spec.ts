// Attacks on the element: hostile pages, forged messages, and a person with a debugger.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { BrowserContext, Page } from '@playwright/test';

import { Element, type Shop, expect, test as base } from '../harness/shop.ts';

/** Serves a page on an origin that no site has listed. */
const test = base.extend<{ hostile: (html: string) => string }>({
  hostile: async ({}, use) => {
    let html = '';
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const { port } = server.address() as AddressInfo;
    await use((content) => {
      html = `<!doctype html><link rel="icon" href="data:,"><title>Elsewhere</title>${content}`;
      return `http://localhost:${port}/`;
    });
    server.close();
  },
});

const siteKey = 'lk_pub_the_example_shop';

async function verified(element: Element, shop: Shop, latchkey: { code(n?: number): Promise<string> }, n = 1) {
  await element.page.goto(`${shop.origin}/sign-up`);
  await element.page.getByLabel('Your name').fill('Jo');
  await element.requestCode(`jo${n}@example.com`);
  await element.type(await latchkey.code(n));
  await element.succeeded();
  return element.token();
}

/** Posts a token to the shop with the page's own form. */
async function submit(page: Page, token: string): Promise<void> {
  await page.locator('form').evaluate((form: HTMLFormElement, token) => {
    form.querySelector('otp-verification')!.remove();
    const field = Object.assign(document.createElement('input'), { name: 'otp_token', value: token, type: 'hidden' });
    form.append(field);
    form.noValidate = true;
  }, token);
  await page.getByRole('button', { name: 'Create account' }).click();
}

const alert = (page: Page) => page.locator('main > .alert');

test('S13: a hostile origin can neither frame it nor read from it', async ({
  element,
  faults,
  hostile,
  latchkey,
  page,
  shop,
}) => {
  faults.expect(/frame-ancestors/, /CORS/, /status of 403/);
  faults.allow(/ERR_BLOCKED_BY_RESPONSE/, /ERR_FAILED/, /Failed to load resource/);
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('framed@example.com');
  const id = (await element.frame.locator('#check').getAttribute('action'))!.split('/')[3];

  const query = (origin: string) => `site_key=${siteKey}&origin=${encodeURIComponent(origin)}`;
  const own = new URL(hostile('')).origin;
  const urls = [
    `${latchkey.origin}/embed?${query(shop.origin)}`,
    `${latchkey.origin}/embed?${query(own)}`,
    `${latchkey.origin}/embed/v/${id}?${query(shop.origin)}`,
    `${latchkey.origin}/embed/v/${id}?${query(own)}`,
    // A page that embeds the element cannot be framed either.
    `${shop.origin}/sign-up`,
  ];
  const frames = urls.map((url, n) => `<iframe src="${url}" title="frame ${n}"></iframe>`);
  await page.goto(hostile(frames.join('')));
  for (const [n] of urls.entries()) {
    await expect(page.frameLocator(`iframe[title="frame ${n}"]`).getByRole('heading', { level: 1 })).toHaveCount(0);
  }
  // The log tells operators the reason, which browsers do not show.
  await latchkey.logged('the site does not list this origin');
  const shown = page.frames().slice(1).map((frame) => frame.url());
  expect(shown.filter((url) => url.startsWith(latchkey.origin) || url.startsWith(shop.origin))).toEqual([]);

  const read = await page.evaluate(
    async ([latchkey, siteKey, framed]) => {
      const attempts = [
        () => fetch(`${latchkey}/embed/verifications`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ site_key: siteKey, to: 'victim@example.com' }),
        }),
        // A request without preflight is refused as well.
        () => fetch(`${latchkey}/embed/verifications`, {
          method: 'POST',
          headers: { 'content-type': 'text/plain' },
          body: JSON.stringify({ site_key: siteKey, to: 'victim@example.com' }),
        }),
        () => fetch(framed),
        () => fetch(framed, { credentials: 'include' }),
      ];
      return Promise.all(attempts.map((attempt) => attempt().then(() => 'read', () => 'refused')));
    },
    [latchkey.origin, siteKey, urls[0]],
  );
  expect(read).toEqual(['refused', 'refused', 'refused', 'refused']);
  expect(await latchkey.caught(), 'nothing was sent').toHaveLength(1);
});

test('S14: a forged message does nothing', async ({ element, hostile, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await expect(element.email).toBeVisible();
  // Valid messages from wrong origins or windows.
  await page.evaluate(async (hostile) => {
    const token = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln';
    const forged = [
      { latchkey: 1, type: 'hello' },
      { latchkey: 1, type: 'port' },
      { latchkey: 1, type: 'verified', token, state: '' },
      { type: 'verified', token, state: '' },
      { type: 'expired' },
      { type: 'restart' },
      'hello',
      null,
    ];
    const elsewhere = document.createElement('iframe');
    const frame = document.querySelector('otp-verification')!.shadowRoot!.querySelector('iframe')!;
    const heard: unknown[] = [];
    for (const message of forged) {
      // From the page itself, with and without a port.
      window.postMessage(message, '*');
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => heard.push(data);
      window.postMessage(message, '*', [port2]);
      // Synthetic events: right origin with wrong window, and wrong origin with right window.
      const { origin } = new URL(frame.src);
      window.dispatchEvent(new MessageEvent('message', { data: message, origin, source: window }));
      window.dispatchEvent(new MessageEvent('message', { data: message, origin: hostile, source: frame.contentWindow }));
    }
    document.body.append(elsewhere);
    elsewhere.contentWindow!.parent.postMessage(forged[0], '*');
    // Messages arrive in order, so all of them have arrived after this one.
    await new Promise((resolve) => {
      addEventListener('message', ({ data }) => data === 'last' && resolve(undefined));
      window.postMessage('last', '*');
    });
    if (heard.length) throw new Error(`a port was answered: ${JSON.stringify(heard)}`);
  }, new URL(hostile('')).origin);

  expect(await element.token()).toBe('');
  expect((await element.events()).map(({ type }) => type)).toEqual(['ready']);
  await expect(element.email).toBeVisible();
});

test('S14: the page in the frame accepts one port, from the embedding page only', async ({
  element,
  hostile,
  latchkey,
  page,
  shop,
}) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('ports@example.com');
  const answers = await element.frame.locator('main').evaluate(async (_, hostile) => {
    // An accepted port receives a message at once.
    const taken: string[] = [];
    for (const [origin, source] of [[hostile, parent], [location.origin, window], [hostile, window]] as const) {
      const { port2 } = new MessageChannel();
      port2.postMessage = () => taken.push(origin);
      const data = { latchkey: 1, type: 'port' };
      window.dispatchEvent(new MessageEvent('message', { data, origin, source, ports: [port2] }));
    }
    return taken;
  }, new URL(hostile('')).origin);
  expect(answers).toEqual([]);
  // A second port of the embedding page is ignored as well.
  await element.frame.locator('main').evaluate(() => {
    const page = window as unknown as { said: unknown[]; arrived: Promise<unknown> };
    page.said = [];
    const { postMessage } = MessagePort.prototype;
    MessagePort.prototype.postMessage = function (this: MessagePort, ...args: [unknown]) {
      page.said.push(args[0]);
      return postMessage.apply(this, args);
    };
    page.arrived = new Promise((resolve) => {
      addEventListener('message', ({ data }) => data === 'last' && resolve(undefined));
    });
  });
  await element.host.evaluate((host) => {
    const frame = host.shadowRoot!.querySelector('iframe')!;
    const { port2 } = new MessageChannel();
    frame.contentWindow!.postMessage({ latchkey: 1, type: 'port' }, new URL(frame.src).origin, [port2]);
    frame.contentWindow!.postMessage('last', new URL(frame.src).origin);
  });
  const second = await element.frame.locator('main').evaluate(async () => {
    const page = window as unknown as { said: unknown[]; arrived: Promise<unknown> };
    await page.arrived;
    return page.said;
  });
  expect(second, 'no message is sent').toEqual([]);
  await element.type(await latchkey.code());
  await element.succeeded();
});

test('S14: neither the code nor the recipient is in any message', async ({ context, element, latchkey, page, shop }) => {
  const said: string[] = [];
  await context.exposeFunction('overheard', (text: string) => said.push(text));
  await context.addInitScript(() => {
    const overheard = (window as unknown as { overheard(text: string): void }).overheard;
    const note = (data: unknown) => overheard(JSON.stringify(data) ?? String(data));
    // Outgoing messages of ports, workers and channels.
    for (const type of [MessagePort, BroadcastChannel, Worker]) {
      const { postMessage } = type.prototype as { postMessage(...args: unknown[]): void };
      (type.prototype as { postMessage: unknown }).postMessage = function (this: unknown, ...args: unknown[]) {
        note(args[0]);
        return postMessage.apply(this, args);
      };
    }
    // Incoming messages.
    addEventListener('message', ({ data }) => note(data), true);
    const listen = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')!;
    Object.defineProperty(MessagePort.prototype, 'onmessage', {
      ...listen,
      set(this: MessagePort, listener: (event: MessageEvent) => void) {
        listen.set!.call(this, (event: MessageEvent) => {
          note(event.data);
          listener.call(this, event);
        });
      },
    });
  });
  await page.goto(`${shop.origin}/checkout`);
  await page.getByLabel('Where should we send the receipt?').fill('whisper@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await element.hydrated();
  const code = await latchkey.code();
  await element.type(code);
  await element.succeeded();

  expect(said.filter((text) => text.includes('"hello"')).length).toBeGreaterThan(0);
  expect(said.filter((text) => text.includes('"verified"')).length).toBeGreaterThan(0);
  const token = await element.token();
  const claims = Buffer.from(token.split('.')[1], 'base64url').toString();
  for (const text of [...said.map((text) => text.replaceAll(token, '')), claims]) {
    // Timestamps may hold the digits of the code.
    expect(text).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`));
    expect(text).not.toContain('whisper');
  }
});

test('manipulated responses in the browser do not convince the back end', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Mallory');
  await element.requestCode('victim@example.com');
  // The response to a wrong code is changed to approved, and the page with the result is forged.
  await page.route(`${latchkey.origin}/ui/check`, async (route) => {
    const answer = await route.fetch();
    // The state in the packed list of strings.
    const card = (await answer.json()) as string[];
    const flipped = card.map((item) => (item === 'pending' ? 'approved' : item));
    expect(flipped).toContain('approved');
    await route.fulfill({ response: answer, json: flipped });
  });
  const forged = 'eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4IiwiZXhwIjo5OTk5OTk5OTk5fQ.c2lnbmF0dXJl';
  await page.route(`${latchkey.origin}/embed/v/**`, async (route) => {
    const answer = await route.fetch();
    const html = await answer.text();
    const body = html
      .replace('data-embedder', `data-ending="approved" data-token="${forged}" data-stale-in="300000" data-embedder`)
      .replace('<h1 id="title">OTP Verification', '<h1 id="title">Login Success!');
    await route.fulfill({ response: answer, body });
  });
  const code = await latchkey.code();
  await element.type(`${(Number(code[0]) + 1) % 10}${code.slice(1)}`);
  await element.succeeded();
  expect(await element.token(), 'the page accepts it').toBe(forged);

  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(alert(page), 'the back end refuses it').toContainText('no longer good');
  await page.goto(`${shop.origin}/account`);
  await expect(page).toHaveURL(`${shop.origin}/sign-up`);
});

test('S20: a token is redeemed once', async ({ element, latchkey, page, shop }) => {
  const token = await verified(element, shop, latchkey);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Jo' })).toBeVisible();

  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Again');
  await submit(page, token);
  await expect(alert(page)).toContainText('no longer good');
});

test('one person’s token is useless to another person', async ({ browser, element, latchkey, shop }) => {
  const token = await verified(element, shop, latchkey);
  const stranger: BrowserContext = await browser.newContext();
  const page = await stranger.newPage();
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Mallory');
  await submit(page, token);
  await expect(alert(page)).toContainText('made for somebody else');
  await page.goto(`${shop.origin}/account`);
  await expect(page).toHaveURL(`${shop.origin}/sign-up`);
  await stranger.close();
});

test('a token for another address does not place an order', async ({ element, latchkey, page, shop }) => {
  const token = await verified(element, shop, latchkey);
  await page.goto(`${shop.origin}/checkout`);
  await page.getByLabel('Where should we send the receipt?').fill('victim@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await element.hydrated();
  await page.locator('form').evaluate((form: HTMLFormElement, token) => {
    form.querySelector('otp-verification')!.remove();
    form.append(Object.assign(document.createElement('input'), { name: 'otp_token', value: token, type: 'hidden' }));
  }, token);
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(alert(page)).toContainText('another address');
});
