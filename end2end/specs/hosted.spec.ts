// The hosted flow: a relying party on another site redirects people to our page and gets them back.
import type { Page } from '@playwright/test';

import { looksRight } from '../harness/looks.ts';
import { RelyingParty } from '../harness/relying-party.ts';
import { type Journey, expect, test as base, wrong } from '../harness/test.ts';

const test = base.extend<{ tea: RelyingParty; urls: string[] }>({
  tea: async ({}, use) => {
    const tea = await RelyingParty.start();
    await use(tea);
    await tea.end();
  },
  settings: async ({ tea }, use) => use(tea.settings),
  // S8, S15: no recipient and no token is in any URL or referrer.
  urls: [
    async ({ context, tea }, use) => {
      const seen: string[] = [];
      context.on('request', (request) => {
        seen.push(request.url());
        if (request.url().startsWith(tea.origin)) seen.push(request.headers().referer ?? '');
      });
      await use(seen);
      const tokens = tea.returns.map(({ fields }) => fields.token).filter(Boolean);
      for (const secret of ['example.com', ...tokens]) {
        expect(seen.filter((url) => url.includes(secret))).toEqual([]);
      }
      const referrers = tea.returns.map(({ headers }) => headers.referer);
      const foreign = referrers.filter((referrer) => referrer && !referrer.startsWith(tea.origin));
      expect(foreign, 'no referrer holds the URL of a verification').toEqual([]);
    },
    { auto: true },
  ],
});

/** Goes from the relying party to our page. */
async function visit(tea: RelyingParty, latchkey: { origin: string }, page: Page): Promise<void> {
  tea.latchkey = latchkey.origin;
  await page.goto(tea.origin);
  await page.getByRole('link', { name: 'Sign in' }).click();
}

// Invisible isolation marks surround the name.
const leave = (page: Page) => page.getByRole('button', { name: /^Cancel and return to .Tea & Co.$/ });
const back = (page: Page) => page.getByRole('button', { name: 'Return to Tea & Co', exact: true });

/** Types wrong codes until none are left; without script each one is submitted by the button. */
async function guess(journey: Journey, code: string, submits: boolean): Promise<void> {
  for (let n = 1; n <= 5; n += 1) {
    await journey.type(wrong(code, n));
    if (submits) await journey.submit.click();
    if (n < 5) await expect(journey.error).toHaveText(new RegExp(`${5 - n} tr(ies|y) left`));
  }
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with script' : 'without script', () => {
    test.use({ javaScriptEnabled });

    /** Waits for the return form to be submitted, or submits it. */
    async function returned(page: Page): Promise<void> {
      if (!javaScriptEnabled) await back(page).click();
      await page.waitForURL(/\/done$/);
    }

    test('an approved person returns with a token', async ({ journey, latchkey, page, tea }) => {
      await visit(tea, latchkey, page);
      await expect(page.getByRole('img', { name: 'Tea & Co' })).toBeVisible();
      await expect(page.getByRole('link', { name: 'Help from Tea & Co' })).toBeVisible();
      if (javaScriptEnabled) await journey.hydrated();
      await journey.type(await latchkey.code());
      if (!javaScriptEnabled) {
        await journey.submit.click();
        await journey.succeeded();
      }
      await returned(page);
      await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();

      const [{ fields, headers }, ...others] = tea.returns;
      expect(others).toEqual([]);
      expect(Object.keys(fields).sort()).toEqual(['result', 'state', 'token']);
      expect(fields.result).toBe('approved');
      // As documented in `docs/HOSTED.md`.
      expect([headers.origin, headers.referer, headers.cookie]).toEqual(['null', undefined, undefined]);
    });

    test('a person who cancels returns without a token', async ({ journey, latchkey, page, tea }) => {
      await visit(tea, latchkey, page);
      if (javaScriptEnabled) await journey.hydrated();
      await leave(page).click();
      await returned(page);
      await expect(journey.heading('Not signed in: canceled')).toBeVisible();
      expect(Object.keys(tea.returns[0].fields).sort()).toEqual(['result', 'state']);
    });

    test('after too many wrong codes a button leads back', async ({
      journey,
      latchkey,
      page,
      tea,
    }) => {
      await visit(tea, latchkey, page);
      if (javaScriptEnabled) await journey.hydrated();
      await guess(journey, await latchkey.code(), !javaScriptEnabled);
      await expect(journey.heading('Too many incorrect OTPs')).toBeVisible();
      await expect(page).toHaveTitle('Error: OTP Verification');
      expect(tea.returns).toEqual([]);
      await back(page).click();
      await expect(journey.heading('Not signed in: max_attempts_reached')).toBeVisible();
    });

    test.describe('with a mail server', () => {
      test.use({
        carriers: ['mail'],
        settings: async ({ tea }, use) => use(tea.settings),
      });

      test('after a failed delivery a button leads back', async ({
        journey,
        latchkey,
        page,
        tea,
      }) => {
        tea.recipient = 'unknown@example.com';
        await visit(tea, latchkey, page);
        await expect(async () => {
          if (!javaScriptEnabled) await page.reload();
          await expect(journey.heading('We could not reach you')).toBeVisible({ timeout: 500 });
        }).toPass();
        await back(page).click();
        await expect(journey.heading('Not signed in: failed')).toBeVisible();
      });
    });
  });
}

test.describe('with the shortest lifetime of codes', () => {
  test.use({
    settings: async ({ tea }, use) => {
      await use({ ...tea.settings, LATCHKEY_POLICY__LIFETIME: '30', LATCHKEY_POLICY__WINDOW: '30' });
    },
  });
  test.setTimeout(60_000);

  test('after the expiry a button leads back', async ({
    browser,
    faults,
    journey,
    latchkey,
    page,
    tea,
  }) => {
    faults.expectStatus(404);
    await visit(tea, latchkey, page);
    await journey.hydrated();
    await expect(journey.heading('This OTP has expired')).toBeVisible({ timeout: 40_000 });
    const plain = await browser.newPage({ javaScriptEnabled: false });
    await plain.goto(page.url());
    await expect(back(plain)).toBeVisible();
    await plain.close();
    expect(tea.returns).toEqual([]);
    await back(page).click();
    await expect(journey.heading('Not signed in: expired')).toBeVisible();
  });
});

test('navigating back after a success does not lead to a second one', async ({
  browser,
  journey,
  latchkey,
  page,
  tea,
}) => {
  await visit(tea, latchkey, page);
  await journey.hydrated();
  const address = page.url();
  await journey.type(await latchkey.code());
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  const { fields } = tea.returns[0];

  // The page with the return form is no longer in the history. If a busy browser has kept it, it does
  // not submit the form again.
  await page.reload();
  await page.goBack();
  await expect(page.getByRole('link', { name: 'Sign in' }).or(back(page))).toBeVisible();
  await page.goForward();
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  expect(tea.returns).toHaveLength(1);

  // Opened again, the page has a return form without a token.
  await page.goto(address);
  await journey.succeeded();
  await expect(back(page)).toBeVisible();
  await expect(page.locator('input[name=token]')).toHaveCount(0);
  expect(tea.returns).toHaveLength(1);

  // The token cannot be redeemed again, neither by the relying party nor by another browser that posts
  // the same form.
  const again = await tea.call('/v1/tokens/redeem', { token: fields.token });
  expect([again.status, again.answer.code]).toEqual([409, 'token_already_redeemed']);
  const other = await browser.newPage();
  await other.route(`${tea.origin}/replay`, (route) => {
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    const body = `<form method="post" action="/return">${inputs.join('')}<button>Replay</button></form>`;
    return route.fulfill({ contentType: 'text/html', body });
  });
  await other.goto(`${tea.origin}/replay`);
  await other.getByRole('button').click();
  await expect(journey.on(other).heading('Not signed in: nothing is known of you')).toBeVisible();
  await other.close();
});

test('navigating back after canceling does not submit the form again', async ({ journey, latchkey, page, tea }) => {
  await visit(tea, latchkey, page);
  await journey.hydrated();
  await leave(page).click();
  await expect(journey.heading('Not signed in: canceled')).toBeVisible();
  await page.goBack();
  await expect(journey.heading('Verification called off')).toBeVisible();
  await expect(back(page)).toBeVisible();
  expect(tea.returns).toHaveLength(1);
});

// An attacker starts with a victim's address, leaves, and lets the victim type the code. A page that is
// left open gets the proof as well: see what docs/SECURITY.md does not promise.
test('a token is useless outside the browser that started', async ({ browser, journey, latchkey, page, tea }) => {
  await visit(tea, latchkey, page);
  await journey.hydrated();
  const address = page.url();
  await page.goto('about:blank');
  const victim = journey.on(await browser.newPage());
  await victim.page.goto(address);
  await victim.hydrated();
  await victim.type(await latchkey.code());
  await expect(victim.heading('Not signed in: nothing is known of you')).toBeVisible();
  expect(tea.returns).toHaveLength(1);
  await page.goto(`${tea.origin}/done`);
  await expect(journey.heading('Not signed in: nothing is known of you')).toBeVisible();
  await victim.page.close();
});

test('a code typed in two tabs returns both, but only one with a token', async ({
  context,
  journey,
  latchkey,
  page,
  tea,
}) => {
  await visit(tea, latchkey, page);
  await journey.hydrated();
  const other = journey.on(await context.newPage());
  await other.page.goto(page.url());
  await other.hydrated();
  const code = await latchkey.code();
  await journey.type(code);
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  await other.page.bringToFront();
  await other.type(code);
  await other.succeeded();
  await back(other.page).click();
  await expect(other.heading('Welcome, jo@example.com')).toBeVisible();
  expect(tea.returns.map(({ fields }) => 'token' in fields)).toEqual([true, false]);
});

test.describe('with custom colours', () => {
  test.use({ contextOptions: { reducedMotion: 'reduce' } });

  test('every step is accessible and without overflow, light and dark', async ({
    journey,
    latchkey,
    page,
    tea,
  }) => {
    test.slow();
    await visit(tea, latchkey, page);
    await journey.hydrated();
    const address = page.url();
    await looksRight(page, 'visited');
    await guess(journey, await latchkey.code(), false);
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-too-many');

    await visit(tea, latchkey, page);
    await journey.hydrated();
    await leave(page).click();
    await expect(journey.heading('Not signed in: canceled')).toBeVisible();
    await page.goBack();
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-canceled');

    await visit(tea, latchkey, page);
    await journey.hydrated();
    const another = page.url();
    expect(another).not.toBe(address);
    await journey.type(await latchkey.code(3));
    await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
    await page.goto(another);
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-approved');
  });
});
