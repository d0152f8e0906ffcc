// The element in the example shop, which is on another site.
import { once } from 'node:events';
import { createServer } from 'node:http';

import { Element, expect, secretKey, test } from '../harness/shop.ts';
import { wrong } from '../harness/test.ts';

test('an account is created with the address that was verified', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await element.requestCode('jo@example.com');
  await element.type(wrong(await latchkey.code()));
  await expect(element.error).toHaveText('Incorrect OTP! 4 tries left.');
  await element.type(await latchkey.code());
  await element.succeeded();

  const events = await element.events();
  expect(events.map(({ type }) => type)).toEqual(['ready', 'sent', 'verified']);
  expect(events[1].detail).toEqual({ number: 1 });
  const state = await element.host.getAttribute('state');
  expect(events[2].detail).toEqual({ token: await element.token(), state });

  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Jo' })).toBeVisible();
  await expect(page.getByRole('status')).toContainText('jo@example.com is verified');
});

test('the form cannot be submitted before the verification, and the element is focused', async ({ element, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await expect(element.email).toBeVisible();
  expect(await page.locator('form').evaluate((form: HTMLFormElement) => form.checkValidity())).toBe(false);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(element.host).toBeFocused();
  await expect(page).toHaveURL(`${shop.origin}/sign-up`);
  const message = await element.host.evaluate((host) => (host as HTMLInputElement).validationMessage);
  expect(message, 'the browser’s own message').toBe('Please fill out this field.');
});

test('the form submits the token under the name of the element', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  const entry = (name: string) =>
    page.locator('form').evaluate((form: HTMLFormElement, name) => new FormData(form).get(name), name);
  expect(await entry('otp_token')).toBeNull();
  await element.requestCode('form@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  expect(await entry('otp_token')).toBe(await element.token());
  await element.host.evaluate((host) => host.setAttribute('name', 'proof'));
  expect(await entry('proof')).toBe(await element.token());
  expect(await entry('otp_token')).toBeNull();
  await element.host.evaluate((host) => host.removeAttribute('name'));
  expect(await entry('otp_token'), 'the default name').toBe(await element.token());
  // A disabled element is not submitted.
  await page.locator('form').evaluate((form) => {
    const fieldset = document.createElement('fieldset');
    fieldset.disabled = true;
    form.before(fieldset);
    fieldset.append(form.querySelector('otp-verification')!);
    form.prepend(fieldset);
  });
  expect(await entry('otp_token')).toBeNull();
});

test('reset cancels the verification and starts a new one', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('first@example.com');
  const path = await element.frame.locator('#check').getAttribute('action');
  await element.host.evaluate((host) => (host as unknown as { reset(): void }).reset());
  await expect(element.email).toBeVisible();

  // The first code is no longer accepted.
  const { origin } = latchkey;
  const answer = await fetch(new URL(path!, origin), {
    method: 'POST',
    headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ code: await latchkey.code() }),
  });
  expect(await answer.text()).toContain('Verification called off');

  await element.requestCode('second@example.com');
  await element.type(await latchkey.code(2));
  await element.succeeded();
  // Resetting the form does the same.
  await page.locator('form').evaluate((form: HTMLFormElement) => form.reset());
  await expect(element.email).toBeVisible();
  expect(await element.token()).toBe('');
});

test('another recipient starts a new verification', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => host.setAttribute('to', 'one@example.com'));
  await element.hydrated();
  await element.type(await latchkey.code());
  await element.succeeded();
  await element.host.evaluate((host) => host.setAttribute('to', 'two@example.com'));
  await expect.poll(() => element.token(), 'the token of the first one is cleared').toBe('');
  await element.hydrated();
  expect((await latchkey.caught(2))[0].to).toBe('two@example.com');
  await element.type(await latchkey.code(2));
  await element.succeeded();
});

test('a change of the theme keeps the verification', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('look@example.com');
  const scheme = () => element.frame.locator('html').evaluate((html) => getComputedStyle(html).colorScheme);
  expect(await scheme()).toBe('light dark');
  await element.host.evaluate((host) => host.setAttribute('theme', 'dark'));
  await expect.poll(scheme).toBe('dark');
  await element.hydrated();
  await element.type(await latchkey.code());
  await element.succeeded();
  expect(await latchkey.caught(), 'nothing was sent again').toHaveLength(1);
});

test('its colours are those of the page, light and dark', async ({ element, page, shop }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('colour@example.com');
  const accent = () =>
    element.frame.locator('html').evaluate((html) => getComputedStyle(html).getPropertyValue('--accent'));
  expect(await accent()).toBe('#2b6b4a');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(accent).toBe('#8fd0a8');
  await element.hydrated();
});

test('a light page stays light for a person who prefers dark', async ({ element, page, shop }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => {
    // A page without dark colours.
    (host as HTMLElement).style.colorScheme = 'light';
    host.setAttribute('channel', '');
  });
  const scheme = () => element.frame.locator('html').evaluate((html) => getComputedStyle(html).colorScheme);
  await expect.poll(scheme).toBe('light');
});

test('an element that is moved within the page keeps its verification', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('moved@example.com');
  await element.host.evaluate((host) => host.parentElement!.append(host));
  await element.hydrated();
  await element.type(await latchkey.code());
  await element.succeeded();
  const token = await element.token();
  // Its frame is loaded again, which has the token no more, but the element remembers it.
  await element.host.evaluate((host) => host.parentElement!.prepend(host));
  await expect(element.heading('Verified')).toBeVisible();
  expect(await element.token()).toBe(token);
  expect((await element.events()).filter(({ type }) => type === 'verified')).toHaveLength(1);
});

test('after navigating back the form holds the token of the page in the frame', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('back@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  const token = await element.token();
  // Only the frame goes back, so there is no load of the page to wait for.
  await page.evaluate(() => history.back());
  await expect(element.heading('Verified')).toBeVisible();
  expect(await element.token()).toBe(token);
  await page.evaluate(() => history.back());
  await expect(element.email).toBeVisible();
  await expect.poll(() => element.token()).toBe('');
  await page.evaluate(() => history.forward());
  await expect(element.heading('Verified')).toBeVisible();
  await expect.poll(() => element.token()).toBe(token);
  await page.evaluate(() => history.forward());
  await expect(element.heading('Verified')).toBeVisible();
  expect(await element.token()).toBe(token);
  expect((await element.events()).map(({ type }) => type)).not.toContain('error');
});

test('an element that is changed while detached starts a new verification', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => host.setAttribute('to', 'one@example.com'));
  await element.hydrated();
  await element.type(await latchkey.code());
  await element.succeeded();
  await element.host.evaluate((host) => {
    const form = host.parentElement!;
    host.remove();
    host.setAttribute('to', 'two@example.com');
    form.append(host);
  });
  expect(await element.token()).toBe('');
  await element.hydrated();
  expect((await latchkey.caught(2))[0].to).toBe('two@example.com');
});

test('a redeemed token is cleared, and the person can start again', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('spent@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  const redeemed = await fetch(`${latchkey.origin}/v1/tokens/redeem`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ token: await element.token() }),
  });
  expect(redeemed.status).toBe(200);
  // Reloads the frame, as happens after the token has expired.
  await element.host.evaluate((host) => host.setAttribute('theme', 'dark'));
  await expect(element.heading('This OTP has expired')).toBeVisible();
  await expect.poll(() => element.token()).toBe('');
  expect((await element.events()).at(-1)!.type).toBe('expired');
  await element.startAgain();
});

test('two elements on one page are independent', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => {
    const other = host.cloneNode() as HTMLElement;
    other.setAttribute('name', 'other_token');
    host.after(other);
  });
  const other = new Element(page, 1);
  await element.requestCode('one@example.com');
  await other.requestCode('two@example.com');
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

test('too many wrong codes are reported to the page, and the person can start again', async ({
  element,
  latchkey,
  page,
  shop,
}) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('guess@example.com');
  const code = await latchkey.code();
  for (let n = 1; n <= 5; n += 1) {
    await element.type(wrong(code, n));
    if (n < 5) await expect(element.error).toContainText(`${5 - n} tr`);
  }
  await expect(element.heading('Too many incorrect OTPs')).toBeVisible();
  await expect.poll(() => element.events()).toContainEqual({ type: 'error', detail: { code: 'max_attempts_reached' } });
  await element.startAgain();
});

test('a refused start is reported in the frame and to the page', async ({ element, faults, page, shop }) => {
  faults.expectStatus(422);
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => host.setAttribute('to', 'nobody at all'));
  await expect(element.heading('We could not reach you')).toBeVisible();
  expect(await element.events()).toContainEqual({ type: 'error', detail: { code: 'invalid_recipient' } });
  await element.host.evaluate((host) => host.setAttribute('to', 'somebody@example.com'));
  await element.hydrated();
});

test('a rate-limited start shows how long to wait', async ({ element, faults, latchkey, page, shop }) => {
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
  expect(await element.events()).toContainEqual({ type: 'error', detail: { code: 'rate_limited' } });
});

test('if the server is unavailable, the fallback is shown', async ({ element, faults, latchkey, page, shop }) => {
  faults.expect(/ERR_FAILED/);
  const away = `${latchkey.origin}/embed?**`;
  await page.route(away, (route) => route.abort());
  await page.goto(`${shop.origin}/sign-up`);
  await expect(page.getByRole('button', { name: 'Verify on a separate page' })).toBeVisible();
  expect(await element.events()).toContainEqual({ type: 'error', detail: { code: 'unreachable' } });
  await page.unroute(away);
  await element.host.evaluate((host) => (host as unknown as { reset(): void }).reset());
  await expect(element.email).toBeVisible();
  await expect(page.getByRole('button', { name: 'Verify on a separate page' })).toBeHidden();
});

test('the page around the element does not shift', async ({ element, latchkey, page, shop }) => {
  await page.addInitScript(() => {
    const record = window as unknown as { shifts: number };
    record.shifts = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) record.shifts += (entry as unknown as { value: number }).value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('still@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  expect(await page.evaluate(() => (window as unknown as { shifts: number }).shifts)).toBe(0);
});

test('it works in a cross-origin isolated page', async ({ element, faults, latchkey, page, port }) => {
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
  await element.requestCode('isolated@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  other.closeAllConnections();
  other.close();
});

test('embed.js is small', async ({ latchkey }) => {
  const answer = await fetch(`${latchkey.origin}/embed.js`, { headers: { 'accept-encoding': 'br' } });
  expect(answer.headers.get('content-encoding')).toBe('br');
  expect(Number(answer.headers.get('content-length'))).toBeLessThanOrEqual(5 * 1024);
});
