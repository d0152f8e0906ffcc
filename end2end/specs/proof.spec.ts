// S31: the proof reaches only the browser whose check was approved. The hosted page, with and without
// script; proof-embed.spec.ts has the element.
import type { Page, Route } from '@playwright/test';

import { back, expect, test, visit } from '../harness/hosted.ts';
import { wrong } from '../harness/test.ts';

const token = (page: Page) => page.locator('input[name=token]');

/** The page that an approved verification shows to everybody else. */
async function provesNothing(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Verified', exact: true })).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText('Go on where you typed the code.')).toBeVisible();
  await expect(page.locator('form, input')).toHaveCount(0);
  expect(await page.content()).not.toContain('eyJ');
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'to a victim with script' : 'to a victim without script', () => {
    // The attacker begins with the victim's address, sends the victim the link and waits.
    test('S31: an attacker who keeps the page open gets no proof', async ({
      browser,
      journey,
      latchkey,
      page,
      tea,
    }) => {
      await visit(tea, latchkey, page);
      await journey.hydrated();
      const address = page.url();
      const claim = await page.locator('input[name=claim]').inputValue();
      expect(claim).toMatch(/^[\w-]{22}$/);

      const victim = journey.on(await browser.newPage({ javaScriptEnabled }));
      await victim.page.goto(address);
      await expect(victim.page.getByText('For your account at Tea & Co')).toBeVisible();
      if (javaScriptEnabled) await victim.hydrated();
      await victim.type(await latchkey.code());
      if (!javaScriptEnabled) {
        await victim.submit.click();
        await expect(token(victim.page)).toHaveCount(1);
        await back(victim.page).click();
      }
      // The proof went to the victim's browser, in which nobody has begun.
      await expect(victim.heading('Not signed in: nothing is known of you')).toBeVisible();
      expect(tea.returns.map(({ fields }) => 'token' in fields)).toEqual([true]);
      await victim.page.close();

      // The card learns of the approval by itself and hands its own claim in.
      await page.bringToFront();
      await provesNothing(page);
      await page.reload();
      await provesNothing(page);
      const answer = await page.evaluate(
        async ({ claim, code }) => {
          const body = new URLSearchParams({ code, claim });
          const response = await fetch(`${location.pathname}/check`, { method: 'POST', body });
          return response.text();
        },
        { claim, code: await latchkey.code() },
      );
      expect(answer).toContain('Go on where you typed the code.');
      expect(answer).not.toContain('eyJ');
      await page.goto(`${tea.origin}/done`);
      await expect(journey.heading('Not signed in: nothing is known of you')).toBeVisible();
      expect(tea.returns).toHaveLength(1);
    });
  });
}

test('S31: a code typed in two tabs returns from the first one only', async ({ context, journey, latchkey, page, tea }) => {
  await visit(tea, latchkey, page);
  await journey.hydrated();
  const other = journey.on(await context.newPage());
  await other.page.goto(page.url());
  await other.hydrated();
  const code = await latchkey.code();
  await journey.type(code);
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  await other.page.bringToFront();
  // It may have learned of it by itself.
  await other.type(code).catch(() => {});
  await provesNothing(other.page);
  expect(tea.returns).toHaveLength(1);
});

/** Reloads a page that did not load, once the browser says so. */
async function reloadLost(page: Page): Promise<void> {
  const address = () => page.evaluate(() => location.href).catch(() => '');
  await expect.poll(address).toMatch(/^chrome-error:/);
  await page.reload();
}

/** Loses the answer to the first request, which the server has answered. */
function losingFirst(): (route: Route) => Promise<void> {
  let isFirst = true;
  return async (route) => {
    if (!isFirst) return route.continue();
    isFirst = false;
    expect((await route.fetch()).status()).toBe(200);
    await route.abort();
  };
}

test('S31: the same person gets the proof after a lost answer without doing anything', async ({
  faults,
  journey,
  latchkey,
  page,
  tea,
}) => {
  faults.expect(/ERR_FAILED/);
  await visit(tea, latchkey, page);
  await journey.hydrated();
  await page.route('**/ui/check', losingFirst());
  await journey.type(await latchkey.code());
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  expect(tea.returns).toHaveLength(1);
});

test('S31: a lost answer to the form of the card is asked for again by a reload', async ({
  faults,
  journey,
  latchkey,
  page,
  tea,
}) => {
  faults.expect(/ERR_FAILED/);
  await visit(tea, latchkey, page);
  await journey.hydrated();
  await page.route('**/v/*/check', losingFirst());
  await journey.type(await latchkey.code());
  await reloadLost(page);
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  expect(tea.returns).toHaveLength(1);
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('S31: a double submission, a reload and going back end in the proof', async ({
    faults,
    journey,
    latchkey,
    page,
    tea,
  }) => {
    faults.expect(/ERR_CACHE_MISS/);
    // The second click replaces the first submission, unless its answer has already arrived.
    faults.allow(/ERR_ABORTED: .*\/check$/);
    await visit(tea, latchkey, page);
    const code = await latchkey.code();
    await journey.type(wrong(code));
    await journey.submit.click();
    await expect(journey.error).toHaveText(/^Incorrect OTP!/);
    await journey.type(code);
    await journey.submit.dblclick();
    await journey.succeeded();
    await expect(page).toHaveURL(/\/v\/[\w-]+\/check$/);
    const proof = await token(page).inputValue();

    await page.reload();
    await journey.succeeded();
    await expect(token(page)).toHaveValue(proof);

    // Chromium asks before it sends the form of an answer again; a reload says yes.
    await page.goto(tea.origin);
    await page.goBack().catch(() => {});
    await reloadLost(page);
    await journey.succeeded();
    await expect(token(page)).toHaveValue(proof);
    await back(page).click();
    await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();

    await page.goBack().catch(() => {});
    await reloadLost(page);
    await journey.succeeded();
    await expect(token(page), 'it is redeemed').toHaveCount(0);
    await expect(back(page)).toBeVisible();
    expect(tea.returns).toHaveLength(1);

    // Typed as an address, that of the answer leads to the page.
    const address = page.url();
    await page.goto(address);
    await provesNothing(page);
    expect(page.url()).toBe(address.replace(/\/check$/, ''));
  });

  test('S31: the same person gets the proof after a lost answer to the form', async ({ faults, journey, latchkey, page, tea }) => {
    faults.expect(/ERR_FAILED/);
    await visit(tea, latchkey, page);
    await journey.type(await latchkey.code());
    await page.route('**/v/*/check', losingFirst());
    await journey.submit.click();
    await reloadLost(page);
    await journey.succeeded();
    await back(page).click();
    await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  });
});
