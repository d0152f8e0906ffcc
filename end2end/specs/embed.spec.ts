// The element in the example shop, whose pages are another origin's and another site's.
import { once } from 'node:events';
import { createServer } from 'node:http';

import { Element, expect, secretKey, test } from '../harness/shop.ts';
import { wrong } from '../harness/test.ts';

test('an account is created with the address that was verified', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await element.ask('jo@example.com');
  await element.type(wrong(await latchkey.code()));
  await expect(element.error).toHaveText('Incorrect OTP! 4 tries left.');
  await element.type(await latchkey.code());
  await element.succeeded();

  const told = await element.told();
  expect(told.map(({ type }) => type)).toEqual(['ready', 'sent', 'verified']);
  expect(told[1].detail).toEqual({ number: 1 });
  const state = await element.host.getAttribute('state');
  expect(told[2].detail).toEqual({ token: await element.token(), state });

  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Jo' })).toBeVisible();
  await expect(page.getByRole('status')).toContainText('jo@example.com is verified');
});

test('an order is placed with the address that the shop has named', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/checkout`);
  await page.getByLabel('Where should we send the receipt?').fill('jan@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await element.awake();
  await expect(element.frame.getByText('We sent a code to j***@example.com')).toBeVisible();
  // The page around has named the recipient; it is not for the frame to change.
  await expect(element.frame.getByRole('button', { name: 'change' })).toBeHidden();
  expect((await latchkey.caught())[0].to).toBe('jan@example.com');

  await element.type(await latchkey.code());
  await element.succeeded();
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(page.getByRole('heading', { name: 'Thank you' })).toBeVisible();
  await expect(page.getByRole('status')).toContainText('jan@example.com');
});

test('the form cannot be submitted before, and says so at the element', async ({ element, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await expect(element.email).toBeVisible();
  expect(await page.locator('form').evaluate((form: HTMLFormElement) => form.checkValidity())).toBe(false);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(element.host).toBeFocused();
  await expect(page).toHaveURL(`${shop.origin}/sign-up`);
  const message = await element.host.evaluate((host) => (host as HTMLInputElement).validationMessage);
  expect(message, 'in the browser’s own words').toBe('Please fill out this field.');
});

test('the form carries the token under the name that the page gives it', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  const entry = (name: string) =>
    page.locator('form').evaluate((form: HTMLFormElement, name) => new FormData(form).get(name), name);
  expect(await entry('otp_token')).toBeNull();
  await element.ask('form@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  expect(await entry('otp_token')).toBe(await element.token());
  await element.host.evaluate((host) => host.setAttribute('name', 'proof'));
  expect(await entry('proof')).toBe(await element.token());
  expect(await entry('otp_token')).toBeNull();
  await element.host.evaluate((host) => host.removeAttribute('name'));
  expect(await entry('otp_token'), 'the usual name').toBe(await element.token());
  // What is disabled is not submitted, as with any field.
  await page.locator('form').evaluate((form) => {
    const fieldset = document.createElement('fieldset');
    fieldset.disabled = true;
    form.before(fieldset);
    fieldset.append(form.querySelector('otp-verification')!);
    form.prepend(fieldset);
  });
  expect(await entry('otp_token')).toBeNull();
});

test('reset calls the verification off and begins anew', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('first@example.com');
  const path = await element.frame.locator('#check').getAttribute('action');
  await element.host.evaluate((host) => (host as unknown as { reset(): void }).reset());
  await expect(element.email).toBeVisible();

  // The code of the first one opens nothing any more.
  const { origin } = latchkey;
  const answer = await fetch(new URL(path!, origin), {
    method: 'POST',
    headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ code: await latchkey.code() }),
  });
  expect(await answer.text()).toContain('Verification called off');

  await element.ask('second@example.com');
  await element.type(await latchkey.code(2));
  await element.succeeded();
  // And the form's own reset does the same.
  await page.locator('form').evaluate((form: HTMLFormElement) => form.reset());
  await expect(element.email).toBeVisible();
  expect(await element.token()).toBe('');
});

test('a verification for another recipient is another one', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => host.setAttribute('to', 'one@example.com'));
  await element.awake();
  await element.type(await latchkey.code());
  await element.succeeded();
  await element.host.evaluate((host) => host.setAttribute('to', 'two@example.com'));
  await expect.poll(() => element.token(), 'the proof of the first one is gone').toBe('');
  await element.awake();
  expect((await latchkey.caught(2))[0].to).toBe('two@example.com');
  await element.type(await latchkey.code(2));
  await element.succeeded();
});

test('how it looks changes without losing what runs', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('look@example.com');
  const scheme = () => element.frame.locator('html').evaluate((html) => getComputedStyle(html).colorScheme);
  expect(await scheme()).toBe('light dark');
  await element.host.evaluate((host) => host.setAttribute('theme', 'dark'));
  await expect.poll(scheme).toBe('dark');
  await element.awake();
  await element.type(await latchkey.code());
  await element.succeeded();
  expect(await latchkey.caught(), 'nothing was sent again').toHaveLength(1);
});

test('its colours are those of the page, by day and by night', async ({ element, page, shop }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('colour@example.com');
  const accent = () =>
    element.frame.locator('html').evaluate((html) => getComputedStyle(html).getPropertyValue('--accent'));
  expect(await accent()).toBe('#2b6b4a');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(accent).toBe('#8fd0a8');
  await element.awake();
});

test('a page that is light stays light for whoever prefers dark', async ({ element, page, shop }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => {
    // As on a page that knows nothing of dark.
    (host as HTMLElement).style.colorScheme = 'light';
    host.setAttribute('channel', '');
  });
  const scheme = () => element.frame.locator('html').evaluate((html) => getComputedStyle(html).colorScheme);
  await expect.poll(scheme).toBe('light');
});

test('moved within the page it comes back to where it was', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('moved@example.com');
  await element.host.evaluate((host) => host.parentElement!.append(host));
  await element.awake();
  await element.type(await latchkey.code());
  await element.succeeded();
  const token = await element.token();
  await element.host.evaluate((host) => host.parentElement!.prepend(host));
  await element.succeeded();
  expect(await element.token()).toBe(token);
  expect((await element.told()).filter(({ type }) => type === 'verified')).toHaveLength(1);
});

test('back in the history the form holds what the frame shows', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('back@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  const token = await element.token();
  // Only the frame goes back, so there is no load of the page to wait for.
  await page.evaluate(() => history.back());
  await expect(element.email).toBeVisible();
  await expect.poll(() => element.token()).toBe('');
  await page.evaluate(() => history.forward());
  await element.succeeded();
  expect(await element.token()).toBe(token);
});

test('changed while it was out of the page it begins anew', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => host.setAttribute('to', 'one@example.com'));
  await element.awake();
  await element.type(await latchkey.code());
  await element.succeeded();
  await element.host.evaluate((host) => {
    const form = host.parentElement!;
    host.remove();
    host.setAttribute('to', 'two@example.com');
    form.append(host);
  });
  expect(await element.token()).toBe('');
  await element.awake();
  expect((await latchkey.caught(2))[0].to).toBe('two@example.com');
});

test('a token that is spent is forgotten, and the person can begin anew', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('spent@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  const redeemed = await fetch(`${latchkey.origin}/v1/tokens/redeem`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ token: await element.token() }),
  });
  expect(redeemed.status).toBe(200);
  // The frame looks again, as it does by itself once the token is past its time.
  await element.host.evaluate((host) => host.setAttribute('theme', 'dark'));
  await expect(element.heading('This OTP has expired')).toBeVisible();
  await expect.poll(() => element.token()).toBe('');
  expect((await element.told()).at(-1)!.type).toBe('expired');
  await element.startAgain();
});

test('two elements on one page each have their own', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => {
    const other = host.cloneNode() as HTMLElement;
    other.setAttribute('name', 'other_token');
    host.after(other);
  });
  const other = new Element(page, 1);
  await element.ask('one@example.com');
  await other.ask('two@example.com');
  await other.type(await latchkey.code(2));
  await other.succeeded();
  expect(await element.token()).toBe('');
  await element.type(await latchkey.code(1));
  await element.succeeded();
  const form = await page
    .locator('form')
    .evaluate((form: HTMLFormElement) => Object.fromEntries(new FormData(form)));
  expect(form.otp_token).toBe(await element.token());
  expect(form.other_token).toBe(await other.token());
  expect(form.otp_token).not.toBe(form.other_token);
});

test('too many wrong codes are told to the page, and the person can begin anew', async ({
  element,
  latchkey,
  page,
  shop,
}) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('guess@example.com');
  const code = await latchkey.code();
  for (let n = 1; n <= 5; n += 1) {
    await element.type(wrong(code, n));
    if (n < 5) await expect(element.error).toContainText(`${5 - n} tr`);
  }
  await expect(element.heading('Too many incorrect OTPs')).toBeVisible();
  await expect.poll(() => element.told()).toContainEqual({ type: 'error', detail: { code: 'max_attempts_reached' } });
  await element.startAgain();
});

test('a start that is refused says why, in the frame and to the page', async ({ element, faults, page, shop }) => {
  faults.expectStatus(422);
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => host.setAttribute('to', 'nobody at all'));
  await expect(element.heading('We could not reach you')).toBeVisible();
  expect(await element.told()).toContainEqual({ type: 'error', detail: { code: 'invalid_recipient' } });
  await element.host.evaluate((host) => host.setAttribute('to', 'somebody@example.com'));
  await element.awake();
});

test('a start that comes too often says how long to wait', async ({ element, faults, latchkey, page, shop }) => {
  const to = 'often@example.com';
  for (let n = 0; n < 5; n += 1) {
    const sent = await fetch(`${latchkey.origin}/v1/verifications`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ to }),
    });
    expect(sent.status).toBe(201);
  }
  faults.expectStatus(429);
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host, to) => host.setAttribute('to', to), to);
  await expect(element.frame.getByText(/Try again in (9|10):\d\d\./)).toBeVisible();
  expect(await element.told()).toContainEqual({ type: 'error', detail: { code: 'rate_limited' } });
});

test('a server that is away leaves the way without it', async ({ element, faults, latchkey, page, shop }) => {
  faults.expect(/ERR_FAILED/);
  const away = `${latchkey.origin}/embed?**`;
  await page.route(away, (route) => route.abort());
  await page.goto(`${shop.origin}/sign-up`);
  await expect(page.getByRole('button', { name: 'Verify on a separate page' })).toBeVisible();
  expect(await element.told()).toContainEqual({ type: 'error', detail: { code: 'unreachable' } });
  await page.unroute(away);
  await element.host.evaluate((host) => (host as unknown as { reset(): void }).reset());
  await expect(element.email).toBeVisible();
  await expect(page.getByRole('button', { name: 'Verify on a separate page' })).toBeHidden();
});

test('nothing around the element moves', async ({ element, latchkey, page, shop }) => {
  await page.addInitScript(() => {
    const record = window as unknown as { shifts: number };
    record.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) record.shifts += (entry as unknown as { value: number }).value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(`${shop.origin}/sign-up`);
  await element.ask('still@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  expect(await page.evaluate(() => (window as unknown as { shifts: number }).shifts)).toBe(0);
});

test('it works in a page that is isolated from all others', async ({ element, faults, latchkey, page, port }) => {
  faults.allow(/allow-scripts and allow-same-origin/);
  const other = createServer((_, response) => {
    const headers = {
      'content-type': 'text/html',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'content-security-policy': "require-trusted-types-for 'script'; style-src 'none'",
    };
    response.writeHead(200, headers).end(`<!doctype html><title>Isolated</title><link rel="icon" href="data:,">
      <script type="module" src="${latchkey.origin}/embed.js"></script>
      <otp-verification site-key="lk_pub_the_example_shop"></otp-verification>`);
  });
  await once(other.listen(port, 'localhost'), 'listening');
  await page.goto(`http://localhost:${port}/`);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await element.ask('isolated@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  other.closeAllConnections();
  other.close();
});

test('the script for other people’s pages is small', async ({ latchkey }) => {
  const answer = await fetch(`${latchkey.origin}/embed.js`, { headers: { 'accept-encoding': 'br' } });
  expect(answer.headers.get('content-encoding')).toBe('br');
  expect(Number(answer.headers.get('content-length'))).toBeLessThanOrEqual(5 * 1024);
});
