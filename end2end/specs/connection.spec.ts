// Checks and resends whose answers are late or lost.
import type { Page } from '@playwright/test';

import { type Journey, expect, test, wrong } from '../harness/test.ts';

const AWAY = 'We cannot be reached for the moment. Nothing is lost: try again shortly.';

/** Lets no check through until the function that it returns is called. */
async function swallowChecks(page: Page): Promise<() => Promise<void>> {
  await page.route('**/ui/check', () => {});
  return () => page.unroute('**/ui/check');
}

/** Types a code and waits until the page has asked about it. */
async function typeAndAsk(page: Page, journey: Journey, code: string): Promise<void> {
  const asked = page.waitForRequest('**/ui/check');
  await journey.type(code);
  await asked;
}

test.beforeEach(async ({ page }) => {
  await page.clock.install();
});

test('a check without an answer is told, given up, and repeated by itself', async ({ journey, latchkey, page }) => {
  await journey.byEmail('waiting@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  const letThrough = await swallowChecks(page);
  await typeAndAsk(page, journey, code);
  await expect(journey.submit).toHaveText('CHECKING…');
  await page.clock.fastForward(3_000);
  await expect(journey.submit).toHaveText('STILL CHECKING…');
  await expect(page.getByRole('status').filter({ hasText: 'STILL CHECKING…' })).toHaveCount(1);
  await page.clock.fastForward(7_000);
  await expect(journey.error).toHaveText(AWAY);
  await expect(journey.field).not.toHaveAttribute('readonly');
  await expect(journey.field).toHaveValue(code);

  await letThrough();
  await page.clock.fastForward(2_000);
  await journey.succeeded();
});

test('it is repeated as soon as the network is back', async ({ faults, context, journey, latchkey, page }) => {
  faults.expect(/net::ERR_/);
  await journey.byEmail('offline@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  await context.setOffline(true);
  await journey.type(code);
  await expect(journey.error).toHaveText(AWAY);
  await context.setOffline(false);
  await journey.succeeded();
});

test('a wrong guess whose answer was lost costs one try', async ({ faults, journey, latchkey, page }) => {
  faults.expect(/net::ERR_/);
  await journey.byEmail('lost@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  let lost = 0;
  await page.route('**/ui/check', async (route) => {
    await route.fetch();
    lost += 1;
    await route.abort();
  });
  await journey.type(wrong(code));
  await expect(journey.error).toHaveText(AWAY);
  expect(lost).toBe(1);
  await page.unroute('**/ui/check');
  await page.clock.fastForward(2_000);
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await journey.type(code);
  await journey.succeeded();
});

test('an approval whose answer was lost is a success', async ({ faults, journey, latchkey, page }) => {
  faults.expect(/net::ERR_/);
  await journey.byEmail('approved@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  await page.route('**/ui/check', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await journey.type(code);
  await journey.succeeded();
});

test('a guess that was changed meanwhile is not repeated', async ({ journey, latchkey, page }) => {
  await journey.byEmail('changed@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  const letThrough = await swallowChecks(page);
  await typeAndAsk(page, journey, wrong(code));
  await page.clock.fastForward(10_000);
  await expect(journey.error).toHaveText(AWAY);
  await letThrough();
  await journey.field.fill('');
  await page.clock.fastForward(60_000);
  await journey.type(wrong(code, 2));
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
});

test.describe('without waits', () => {
  test.use({ settings: { LATCHKEY_POLICY__RESEND_WAITS: '0' } });

  test('a resend whose answer was lost is shown', async ({ faults, journey, latchkey, page }) => {
    faults.expect(/net::ERR_/);
    await journey.byEmail('again@example.com');
    await journey.hydrated();
    await latchkey.code(1);
    await page.route('**/ui/resend', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await journey.resend.click();
    await expect(page.getByText('We sent a new code to')).toBeVisible();
    await journey.type(await latchkey.code(2));
    await journey.succeeded();
  });
});
