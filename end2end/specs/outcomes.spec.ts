// Results of checks and resends on the hydrated page.
import type { Page } from '@playwright/test';

import { expect, test, wrong } from '../harness/test.ts';

/** Blocks the polls of the delivery state. Each response sets the clock, which would undo a clock that
 *  the test has moved. */
async function blockPolls(page: Page): Promise<void> {
  await page.route('**/ui/view', () => {});
}

test('a wrong code is reported with the tries left, and selected for overtyping', async ({
  journey,
  latchkey,
  page,
}) => {
  await journey.byEmail('guess@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  for (const [n, left] of ['4 tries', '3 tries', '2 tries', '1 try'].entries()) {
    await journey.type(wrong(code, n + 1));
    await expect(journey.error).toHaveText(`Incorrect OTP! ${left} left.`);
    await expect(journey.field).toHaveAttribute('aria-invalid', 'true');
    await expect(journey.field).toHaveAccessibleDescription(/Incorrect OTP!/);
    await expect(journey.field).toBeFocused();
    await expect(page).toHaveTitle('Error: OTP Verification');
    expect(await page.evaluate(() => getSelection()?.toString())).toBe(wrong(code, n + 1));
  }
  // Editing removes the error.
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Backspace');
  await expect(journey.error).toHaveText('');
  await expect(journey.field).toHaveAttribute('aria-invalid', 'false');
  await expect(page).toHaveTitle('OTP Verification');

  await page.keyboard.press('ControlOrMeta+a');
  await journey.type(wrong(code, 5));
  await expect(journey.heading('Too many incorrect OTPs')).toBeFocused();
  await expect(page).toHaveTitle('Error: OTP Verification');
  await page.reload();
  await expect(journey.heading('Too many incorrect OTPs')).toBeVisible();
});

test('a poll that overlaps with a check does not hide its result', async ({
  journey,
  latchkey,
  page,
}) => {
  // A poll of the delivery state: the server reads the verification just before the check is
  // committed, and the response arrives while the check is still in flight.
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let polls = 0;
  await page.route('**/ui/view', async (route) => {
    polls += 1;
    if (polls > 1) return;
    const response = await route.fetch();
    const answer = (await response.json()) as string[];
    const times = answer.filter((text) => /^\d{13}$/.test(text)).sort();
    await released;
    // The earliest time of the response is the server's `now`.
    const later = answer.map((text) => (text === times[0] ? String(Number(text) + 5_000) : text));
    await route.fulfill({ response, json: later });
  });
  await page.route('**/ui/check', async (route) => {
    const response = await route.fetch();
    const seen = page.waitForEvent('requestfinished', (request) => request.url().endsWith('/ui/view'));
    release();
    await seen;
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    await route.fulfill({ response });
  });
  await journey.byEmail('crossed@example.com');
  await journey.hydrated();
  await expect.poll(() => polls).toBe(1);
  await journey.type(await latchkey.code());
  await journey.succeeded();
});

test('reloading and navigating back post nothing again', async ({ journey, latchkey, page }) => {
  const posts: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    // Polls of the delivery state change nothing.
    if (request.method() === 'POST' && pathname !== '/ui/view') posts.push(pathname);
  });
  await journey.byEmail('again@example.com');
  await journey.hydrated();
  await page.reload();
  await journey.hydrated();
  await page.goBack();
  await expect(page.getByRole('textbox', { name: 'E-mail address' })).toBeVisible();
  await page.goForward();
  await journey.hydrated();
  await journey.type(await latchkey.code());
  await journey.succeeded();
  await page.reload();
  await journey.succeeded();
  await page.goBack();
  await page.goForward();
  await journey.succeeded();
  expect(posts).toEqual(['/', '/ui/check']);
  expect(await latchkey.caught()).toHaveLength(1);
});

test('a value that the browser restores on reload is not checked', async ({ journey, latchkey, page }) => {
  const checks: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/check')) checks.push(request.url());
  });
  await journey.byEmail('restored@example.com');
  await journey.hydrated();
  await journey.type(wrong(await latchkey.code()));
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await page.reload();
  await journey.hydrated();
  expect(checks).toHaveLength(1);
});

test('the wait before a resend is counted down, and enforced by the server', async ({
  faults,
  journey,
  latchkey,
  page,
}) => {
  faults.expectStatus(429);
  await page.clock.install();
  await blockPolls(page);
  await journey.byEmail('wait@example.com');
  await page.clock.fastForward(2_000);
  await journey.hydrated();
  await expect(page.getByText(/^New code possible in 0:[12]\d$/)).toBeVisible();
  await expect(page.getByText(/^Code expires in 4:[45]\d$/)).toBeVisible();
  await expect(journey.resend).toHaveAttribute('aria-disabled', 'true');

  // The disabled button announces the wait. (`force`, since Playwright waits for enabled buttons.)
  await journey.resend.click({ force: true });
  await expect(page.getByRole('status').filter({ hasText: 'New code possible in' })).toHaveCount(1);

  // A browser whose clock is ahead shows that the wait is over.
  await page.clock.fastForward('00:40');
  await expect(page.getByText('Nothing arrived? Ask for a new code.')).toBeVisible();
  await journey.resend.click();
  await expect(journey.error).toHaveText(/^A new code can be sent in 0:(30|[12]\d)\.$/);
  expect(await latchkey.caught()).toHaveLength(1);
});

test('phases of the time left are announced, seconds are not', async ({ journey, page }) => {
  await page.clock.install();
  await blockPolls(page);
  await journey.byEmail('phases@example.com');
  await page.clock.fastForward(2_000);
  await journey.hydrated();
  const said = (text: string) => page.getByRole('status').filter({ hasText: text });
  await page.clock.fastForward('04:00');
  await expect(said('One minute left')).toHaveCount(1);
  await page.clock.fastForward('00:30');
  await expect(said('30 seconds left')).toHaveCount(1);
  await expect(page.getByRole('status').filter({ hasText: 'Code expires in' })).toHaveCount(0);
});

test.describe('with two messages for one recipient', () => {
  test.use({ settings: { LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES: '2' } });

  test('a third is refused with the reason', async ({ faults, journey, latchkey, page }) => {
    faults.expectStatus(429);
    await journey.byEmail('often@example.com');
    await journey.hydrated();
    await journey.byEmail('OFTEN@example.com');
    await journey.hydrated();
    await journey.byEmail('often@example.com');
    await expect(journey.error).toHaveText(
      /^Too many codes were asked for\. Try again in (9|10):\d\d\.$/,
    );
    await expect(page.getByRole('textbox', { name: 'E-mail address' })).toHaveValue('often@example.com');
    expect(await latchkey.caught()).toHaveLength(2);
  });
});

test.describe('with two guesses a minute for one address', () => {
  test.use({ settings: { LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE: '2' } });

  test('a third is refused with the reason and costs no try', async ({ faults, journey, latchkey }) => {
    faults.expectStatus(429);
    await journey.byEmail('fast@example.com');
    await journey.hydrated();
    const code = await latchkey.code();
    await journey.type(wrong(code, 1));
    await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
    await journey.type(wrong(code, 2));
    await expect(journey.error).toHaveText('Incorrect OTP! 3 tries left.');
    await journey.type(wrong(code, 3));
    await expect(journey.error).toHaveText(/^Too many codes were tried\. Try again in [01]:\d\d\.$/);
  });
});

test.describe('with five digits', () => {
  test.use({
    settings: { LATCHKEY_POLICY__CODE_LENGTH: '5', LATCHKEY_POLICY__DAILY_RISK: '0.0001' },
  });

  test('the page asks for five digits', async ({ journey, latchkey, page }) => {
    await journey.byEmail('five@example.com');
    await journey.hydrated();
    await expect(page.getByLabel('Enter the 5-digit code')).toBeVisible();
    const code = await latchkey.code();
    expect(code).toHaveLength(5);
    await journey.type(code);
    await journey.succeeded();
  });
});

test('an unknown id looks like an expired one', async ({ faults, journey, page }) => {
  faults.expectStatus(404);
  await journey.open('/v/AAAAAAAAAAAAAAAAAAAAAA');
  await expect(journey.heading('This OTP has expired')).toBeVisible();
  await expect(page.getByRole('link', { name: 'START AGAIN' })).toBeVisible();
});

test.describe('with no wait before a resend', () => {
  test.use({
    settings: { LATCHKEY_POLICY__RESEND_WAITS: '0', LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES: '10' },
  });

  test('S34: the page asks for eight digits after the third resend', async ({
    journey,
    latchkey,
    page,
  }) => {
    await journey.byEmail('grow@example.com');
    await journey.hydrated();
    for (const count of [2, 3, 4]) {
      await journey.resend.click();
      await latchkey.caught(count);
    }
    await expect(page.getByRole('textbox', { name: 'Enter the 8-digit code' })).toBeVisible();
    await journey.hydrated();
    const code = await latchkey.code(4);
    expect(code).toMatch(/^\d{8}$/);
    await journey.type(code.slice(0, 6));
    await page.keyboard.press('Enter');
    await expect(journey.error).toHaveText('Invalid OTP: enter the 8 digits we sent. Some digits are missing.');
    await page.keyboard.press('ControlOrMeta+a');
    await journey.type(code);
    await journey.succeeded();
  });
});
