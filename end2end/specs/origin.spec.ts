// Requests of other sites, mail scanners and prefetching browsers have no effect.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, test as base, wrong } from '../harness/test.ts';

/** Serves a page on another site. */
const test = base.extend<{ foreign: (html: string) => string }>({
  foreign: async ({}, use) => {
    let html = '';
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await use((content) => {
      html = `<!doctype html><link rel="icon" href="data:,"><title>Elsewhere</title>${content}`;
      return `http://localhost:${port}/`;
    });
    server.close();
  },
});

test('S11: ten loads by a browser consume nothing', async ({ context, journey, latchkey, page }) => {
  await journey.byEmail('scanned@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  const visitor = await context.newPage();
  for (let n = 0; n < 5; n += 1) {
    await visitor.goto(page.url());
    await journey.on(visitor).hydrated();
    await visitor.goto(`${page.url()}?code=${code}&e=approved`);
    await journey.on(visitor).hydrated();
  }
  await page.bringToFront();
  await journey.type(wrong(code));
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await journey.type(code);
  await journey.succeeded();
  expect(await latchkey.caught(), 'nothing was sent again').toHaveLength(1);
});

test('S12: a form on another site changes nothing', async ({
  context,
  faults,
  foreign,
  journey,
  latchkey,
  page,
}) => {
  faults.expectStatus(403);
  await journey.byEmail('forged@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  const elsewhere = await context.newPage();
  for (const [action, field] of [
    [`${page.url()}/check`, `<input name="code" value="${code}">`],
    [`${page.url()}/cancel`, ''],
    [`${page.url()}/resend`, ''],
    [`${latchkey.origin}/`, '<input name="email" value="victim@example.com">'],
  ]) {
    const form = `<form method="post" action="${action}">${field}<button>Win</button></form>`;
    await elsewhere.goto(foreign(form));
    await elsewhere.getByRole('button', { name: 'Win' }).click();
    await expect(journey.on(elsewhere).heading('We could not read that')).toBeVisible();
  }
  await page.bringToFront();
  await page.reload();
  await journey.hydrated();
  await journey.type(code);
  await journey.succeeded();
  expect(await latchkey.caught()).toHaveLength(1);
});

test('S13: another site cannot show our pages in a frame', async ({
  faults,
  foreign,
  journey,
  latchkey,
  page,
}) => {
  faults.expect(/frame-ancestors 'none'/, /ERR_BLOCKED_BY_RESPONSE/, /status of 404/);
  await journey.byEmail('framed@example.com');
  const ours = [page.url(), `${latchkey.origin}/`, `${latchkey.origin}/dev/inbox`, `${latchkey.origin}/nowhere`];
  const frames = ours.map((url, n) => `<iframe src="${url}" title="frame ${n}"></iframe>`);
  await page.goto(foreign(frames.join('')));
  for (const [n] of ours.entries()) {
    const framed = page.frameLocator(`iframe[title="frame ${n}"]`);
    await expect(framed.getByRole('heading', { name: /OTP|Nothing|Development/ })).toHaveCount(0);
  }
  const shown = page.frames().slice(1).map((frame) => frame.url());
  expect(shown).toHaveLength(ours.length);
  expect(shown.filter((url) => url.startsWith(latchkey.origin))).toEqual([]);
});

test('S13: an injected script does not run', async ({ faults, journey, page }) => {
  faults.expect(/Content Security Policy/);
  await journey.byEmail('injected@example.com');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "injected"';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title=\'injected\'">');
  });
  await expect(page).toHaveTitle('OTP Verification');
});

test('every page has the security headers', async ({ journey, latchkey, page }) => {
  await journey.byEmail('headers@example.com');
  for (const url of [page.url(), `${latchkey.origin}/`, `${latchkey.origin}/dev/inbox`]) {
    const headers = (await page.goto(url))!.headers();
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['cache-control']).toContain('no-store');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('same-origin');
  }
});
