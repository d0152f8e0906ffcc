// The hosted flow: a product on another site sends its people to a page of ours and gets them back.
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
  // S8, S15: nothing personal and nothing that proves anything stands in any URL, nor in a referrer.
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
      expect(foreign, 'the address of a verification is told to nobody').toEqual([]);
    },
    { auto: true },
  ],
});

/** From the product to our page. */
async function visit(tea: RelyingParty, latchkey: { origin: string }, page: Page): Promise<void> {
  tea.latchkey = latchkey.origin;
  await page.goto(tea.origin);
  await page.getByRole('link', { name: 'Sign in' }).click();
}

// The name keeps its direction by marks that nobody sees.
const leave = (page: Page) => page.getByRole('button', { name: /^Cancel and return to .Tea & Co.$/ });
const back = (page: Page) => page.getByRole('button', { name: 'Return to Tea & Co', exact: true });

/** Types wrong codes until no more are taken; without script each one is submitted. */
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

    /** Waits for the way back to be taken, or takes it. */
    async function returned(page: Page): Promise<void> {
      if (!javaScriptEnabled) await back(page).click();
      await page.waitForURL(/\/done$/);
    }

    test('whoever is approved comes back with a token', async ({ journey, latchkey, page, tea }) => {
      await visit(tea, latchkey, page);
      await expect(page.getByRole('img', { name: 'Tea & Co' })).toBeVisible();
      await expect(page.getByRole('link', { name: 'Help from Tea & Co' })).toBeVisible();
      if (javaScriptEnabled) await journey.awake();
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
      // What `docs/HOSTED.md` tells relying parties to be prepared for.
      expect([headers.origin, headers.referer, headers.cookie]).toEqual(['null', undefined, undefined]);
    });

    test('whoever calls it off comes back without', async ({ journey, latchkey, page, tea }) => {
      await visit(tea, latchkey, page);
      if (javaScriptEnabled) await journey.awake();
      await leave(page).click();
      await returned(page);
      await expect(journey.heading('Not signed in: canceled')).toBeVisible();
      expect(Object.keys(tea.returns[0].fields).sort()).toEqual(['result', 'state']);
    });

    test('too many wrong codes are told, and lead back by a button', async ({
      journey,
      latchkey,
      page,
      tea,
    }) => {
      await visit(tea, latchkey, page);
      if (javaScriptEnabled) await journey.awake();
      await guess(journey, await latchkey.code(), !javaScriptEnabled);
      await expect(journey.heading('Too many incorrect OTPs')).toBeVisible();
      await expect(page).toHaveTitle('Error: OTP Verification');
      expect(tea.returns).toEqual([]);
      await back(page).click();
      await expect(journey.heading('Not signed in: max_attempts_reached')).toBeVisible();
    });

    test.describe('with mail that is carried', () => {
      test.use({
        carriers: ['mail'],
        settings: async ({ tea }, use) => use(tea.settings),
      });

      test('an address that refuses mail is told, and leads back by a button', async ({
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

test.describe('with codes that live as briefly as they may', () => {
  test.use({
    settings: async ({ tea }, use) => {
      await use({ ...tea.settings, LATCHKEY_POLICY__LIFETIME: '30', LATCHKEY_POLICY__WINDOW: '30' });
    },
  });
  test.setTimeout(60_000);

  test('what has expired is told, and leads back by a button', async ({
    browser,
    faults,
    journey,
    latchkey,
    page,
    tea,
  }) => {
    faults.expectStatus(404);
    await visit(tea, latchkey, page);
    await journey.awake();
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

test('going back after a success leads to no second one', async ({
  browser,
  journey,
  latchkey,
  page,
  tea,
}) => {
  await visit(tea, latchkey, page);
  await journey.awake();
  const address = page.url();
  await journey.type(await latchkey.code());
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  const { fields } = tea.returns[0];

  // Reloading is the product's own. The page that led back has gone from the history; where a busy
  // browser has kept it, it leaves the choice.
  await page.reload();
  await page.goBack();
  await expect(page.getByRole('link', { name: 'Sign in' }).or(back(page))).toBeVisible();
  await page.goForward();
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  expect(tea.returns).toHaveLength(1);

  // Whoever asks for it again finds that it has led back before, and gets no token.
  await page.goto(address);
  await journey.succeeded();
  await expect(back(page)).toBeVisible();
  await expect(page.locator('input[name=token]')).toHaveCount(0);
  expect(tea.returns).toHaveLength(1);

  // The token is good once, and to nobody else: not for the product itself, and not for another
  // browser that posts the very same form.
  const again = await tea.ask('/v1/tokens/redeem', { token: fields.token });
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

test('going back after calling it off leaves the choice', async ({ journey, latchkey, page, tea }) => {
  await visit(tea, latchkey, page);
  await journey.awake();
  await leave(page).click();
  await expect(journey.heading('Not signed in: canceled')).toBeVisible();
  await page.goBack();
  await expect(journey.heading('Verification called off')).toBeVisible();
  await expect(back(page)).toBeVisible();
  expect(tea.returns).toHaveLength(1);
});

// Somebody begins with another person's address, has that person type the code, and hopes to be taken
// for them.
test('a proof is of no use but in the browser that began', async ({ browser, journey, latchkey, page, tea }) => {
  await visit(tea, latchkey, page);
  await journey.awake();
  const victim = journey.on(await browser.newPage());
  await victim.page.goto(page.url());
  await victim.awake();
  await victim.type(await latchkey.code());
  await expect(victim.heading('Not signed in: nothing is known of you')).toBeVisible();
  expect(tea.returns).toHaveLength(1);
  await page.goto(`${tea.origin}/done`);
  await expect(journey.heading('Not signed in: nothing is known of you')).toBeVisible();
  await victim.page.close();
});

test('a code that is typed in two tabs leads both back, and one of them to a success', async ({
  context,
  journey,
  latchkey,
  page,
  tea,
}) => {
  await visit(tea, latchkey, page);
  await journey.awake();
  const other = journey.on(await context.newPage());
  await other.page.goto(page.url());
  await other.awake();
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

test.describe('in its colours', () => {
  test.use({ contextOptions: { reducedMotion: 'reduce' } });

  test('every step of a visit is accessible and in shape, light and dark', async ({
    journey,
    latchkey,
    page,
    tea,
  }) => {
    test.slow();
    await visit(tea, latchkey, page);
    await journey.awake();
    const address = page.url();
    await looksRight(page, 'visited');
    await guess(journey, await latchkey.code(), false);
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-too-many');

    await visit(tea, latchkey, page);
    await journey.awake();
    await leave(page).click();
    await expect(journey.heading('Not signed in: canceled')).toBeVisible();
    await page.goBack();
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-canceled');

    await visit(tea, latchkey, page);
    await journey.awake();
    const another = page.url();
    expect(another).not.toBe(address);
    await journey.type(await latchkey.code(3));
    await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
    await page.goto(another);
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-approved');
  });
});
