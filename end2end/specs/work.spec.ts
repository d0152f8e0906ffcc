// Proof of work before a message is sent, once many were asked for (S33).
import { expect, test } from '../harness/test.ts';
import { test as shopTest } from '../harness/shop.ts';

/** The first message of a network is free. */
const settings = {
  LATCHKEY_WORK__NETWORK_SENDS_PER_5_MINUTES: '1',
  LATCHKEY_POLICY__RESEND_WAITS: '0',
};

test.use({ settings });

test('S33: below the threshold the page of the work is never shown', async ({ journey, latchkey, page }) => {
  await journey.byEmail('first@example.com');
  await expect(journey.field).toBeVisible();
  await latchkey.code(1);
  expect(new URL(page.url()).pathname).toMatch(/^\/v\//);
});

test('S33: above it the browser does the work by itself, and going back sends nothing', async ({
  faults,
  journey,
  latchkey,
  page,
}) => {
  await journey.byEmail('first@example.com');
  faults.expectStatus(429);
  const posts: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') posts.push(new URL(request.url()).pathname);
  });
  await journey.byEmail('second@example.com');
  await expect(journey.field).toBeVisible();
  await journey.hydrated();
  expect((await latchkey.caught(2))[0].to).toBe('second@example.com');

  await page.goBack();
  await expect(page.getByRole('textbox', { name: 'E-mail address' })).toBeVisible();
  await page.goForward();
  await expect(journey.field).toBeVisible();
  expect(posts.filter((path) => path === '/')).toHaveLength(2);
  expect(await latchkey.caught(2)).toHaveLength(2);
});

test('S33: a resend of the card does it too', async ({ faults, journey, latchkey }) => {
  await journey.byEmail('first@example.com');
  await journey.hydrated();
  await latchkey.code(1);
  faults.expectStatus(429);
  faults.expectStatus(429);
  await journey.resend.click();
  const code = await latchkey.code(2);
  await expect(journey.page.getByText('a new code to')).toBeVisible();
  await journey.hydrated();
  await journey.type(code);
  await journey.succeeded();
});

test('S33: without WebCrypto the page waits and goes on', async ({ faults, journey, latchkey, page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(crypto, 'subtle', { value: undefined });
  });
  await journey.byEmail('first@example.com');
  faults.expectStatus(429);
  await journey.byEmail('second@example.com');
  await expect(journey.heading('One moment')).toBeVisible();
  await expect(journey.field).toBeVisible({ timeout: 20_000 });
  await latchkey.code(2);
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('S33: without script the person waits, and the same button works then', async ({ faults, journey, latchkey, page }) => {
    await journey.byEmail('first@example.com');
    faults.expectStatus(429);
    await journey.byEmail('second@example.com');
    await expect(journey.heading('One moment')).toBeVisible();
    const wait = page.getByText(/wait 0:(10|0\d) and press the button\.$/);
    await expect(wait).toBeVisible();
    const goOn = page.getByRole('button', { name: 'GO ON' });
    // Pressed too early it says the rest, until the wait is over.
    await expect(async () => {
      if (await goOn.isVisible()) {
        faults.allow(/429/);
        await goOn.click();
      }
      await expect(journey.field).toBeVisible({ timeout: 1_000 });
    }).toPass({ timeout: 25_000, intervals: [1_000] });
    expect((await latchkey.caught(2))[0].to).toBe('second@example.com');
  });
});

shopTest.describe('the element', () => {
  shopTest.use({ settings });

  shopTest('does the work for a recipient that its page has given', async ({ element, faults, latchkey, page, shop }) => {
    await page.goto(`${shop.origin}/sign-up`);
    await element.requestCode('first@example.com');
    faults.expectStatus(429);
    await page.goto(`${shop.origin}/checkout`);
    await page.getByLabel('Where should we send the receipt?').fill('jan@example.com');
    await page.getByRole('button', { name: 'Continue' }).click();
    await element.hydrated();
    expect((await latchkey.caught(2))[0].to).toBe('jan@example.com');
  });

  shopTest('shows the page of the work in its frame', async ({ element, faults, latchkey, page, shop }) => {
    await page.goto(`${shop.origin}/sign-up`);
    await element.requestCode('first@example.com');
    await latchkey.code(1);
    await page.goto(`${shop.origin}/sign-up`);
    faults.expectStatus(429);
    await element.requestCode('second@example.com');
    await element.type(await latchkey.code(2));
    await element.succeeded();
  });
});
