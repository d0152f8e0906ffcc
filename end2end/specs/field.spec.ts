// The field accepts typed, pasted and autofilled codes, and sends each once.
import type { Page } from '@playwright/test';

import { type Journey, expect, hint, test, wrong } from '../harness/test.ts';

/** Counts the checks that the card sends. */
function countChecks(page: Page): () => number {
  let checks = 0;
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/ui/check') checks += 1;
  });
  return () => checks;
}

/** Sets the value with one event, like phone keyboards and password managers. */
async function fillIn(journey: Journey, text: string): Promise<void> {
  await journey.field.evaluate((field: HTMLInputElement, text) => {
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }, text);
}

const inArabic = (code: string) => code.replace(/\d/g, (digit) => '٠١٢٣٤٥٦٧٨٩'[Number(digit)]);

test('the field has the attributes for one-time codes', async ({ journey }) => {
  await journey.byEmail('field@example.com');
  const field = journey.field;
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute('autocomplete', 'one-time-code');
  await expect(field).toHaveAttribute('inputmode', 'numeric');
  await expect(field).not.toHaveAttribute('maxlength', /.*/);
  await expect(field).toHaveAccessibleDescription(hint);
  const size = await field.evaluate((field) => parseFloat(getComputedStyle(field).fontSize));
  expect(size, 'large enough that no browser zooms in').toBeGreaterThanOrEqual(16);
});

const ways: [string, (code: string) => string][] = [
  ['unchanged', (code) => code],
  ['in two groups', (code) => `${code.slice(0, 3)} ${code.slice(3)}`],
  ['with a hyphen and marks of direction', (code) => `\u200e${code.slice(0, 3)}-${code.slice(3)}\u202c`],
  ['with a whole message', (code) => `${code} is your Latchkey code. It is valid for 5 minutes.\n@127.0.0.1 #${code}`],
  ['in Arabic-Indic digits', inArabic],
];
for (const [way, write] of ways) {
  test(`a code pasted ${way} is accepted`, async ({ journey, latchkey, page }) => {
    const checks = countChecks(page);
    await journey.byEmail('paste@example.com');
    await journey.hydrated();
    await journey.paste(write(await latchkey.code()));
    await journey.succeeded();
    expect(checks()).toBe(1);
  });
}

test('a code typed in Arabic-Indic digits is accepted', async ({ journey, latchkey }) => {
  await journey.byEmail('arabic@example.com');
  await journey.hydrated();
  await journey.type(inArabic(await latchkey.code()));
  await journey.succeeded();
});

test('leading zeros stay', async ({ journey, latchkey }) => {
  await journey.byEmail('zeros@example.com');
  await journey.hydrated();
  const wrong = (await latchkey.code()) === '000000' ? '000001' : '000000';
  await journey.type(wrong);
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await expect(journey.field).toHaveValue(wrong);
});

test('an autofilled code is checked once', async ({ journey, latchkey, page }) => {
  const checks = countChecks(page);
  await journey.byEmail('autofill@example.com');
  await journey.hydrated();
  await fillIn(journey, await latchkey.code());
  await journey.succeeded();
  expect(checks()).toBe(1);
});

test('a code that was refused costs nothing again, and is told', async ({ journey, latchkey, page }) => {
  const checks = countChecks(page);
  await journey.byEmail('once@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  await fillIn(journey, wrong(code));
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  expect(checks()).toBe(1);

  const tried = 'You have tried this code already. Look for the newest message.';
  for (let times = 0; times < 4; times += 1) {
    await page.keyboard.press('Enter');
    await expect(journey.error).toHaveText(tried);
  }
  await fillIn(journey, wrong(code, 3).slice(0, 5));
  await expect(journey.error).toHaveText('');
  await fillIn(journey, wrong(code));
  await expect(journey.error).toHaveText(tried);

  // Another value is submitted; by then all earlier responses have arrived.
  await fillIn(journey, wrong(code, 2));
  await expect(journey.error).toHaveText('Incorrect OTP! 3 tries left.');
  expect(checks()).toBe(2);
});

test('correcting one digit waits for SUBMIT', async ({ journey, latchkey, page }) => {
  const checks = countChecks(page);
  await journey.byEmail('correct@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  await journey.type(wrong(code));
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.type(code[0]);
  await expect(journey.field).toHaveValue(code);
  await expect(journey.error).toHaveText('');
  expect(checks()).toBe(1);
  await page.keyboard.press('Enter');
  await journey.succeeded();
});

test('a double click on SUBMIT is harmless', async ({ journey, latchkey, page }) => {
  const checks = countChecks(page);
  await journey.byEmail('double@example.com');
  await journey.hydrated();
  const code = await latchkey.code();
  await journey.type(wrong(code));
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  // Another last digit, which waits for SUBMIT.
  await page.keyboard.press('End');
  await page.keyboard.press('Backspace');
  await journey.field.evaluate((field: HTMLInputElement, value) => (field.value = value), wrong(code, 2));

  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/ui/check', async (route) => {
    await held;
    await route.continue();
  });
  await journey.submit.dblclick();
  await expect(journey.submit).toHaveText('CHECKING…');
  await expect(journey.submit).toHaveAttribute('aria-disabled', 'true');
  await expect(journey.field).toHaveAttribute('readonly', '');
  await expect(page.getByRole('status').filter({ hasText: 'CHECKING…' })).toHaveCount(1);
  release();
  await expect(journey.error).toHaveText('Incorrect OTP! 3 tries left.');
  expect(checks()).toBe(2);
  await expect(journey.submit).toHaveText('SUBMIT');
});

test.describe('while the WebAssembly is loading', () => {
  let arrive: () => void;

  test.beforeEach(async ({ page }) => {
    const held = new Promise<void>((resolve) => (arrive = resolve));
    await page.route(/\.wasm$/, async (route) => {
      await held;
      await route.continue();
    });
  });

  test('typed digits survive hydration', async ({ journey, latchkey }) => {
    await journey.byEmail('early@example.com');
    const code = await latchkey.code();
    await journey.type(code.slice(0, 4));
    arrive();
    await journey.hydrated();
    await expect(journey.field).toHaveValue(code.slice(0, 4));
    await expect(journey.field).toBeFocused();
    await journey.type(code.slice(4));
    await journey.succeeded();
  });

  test('a complete code is checked on hydration', async ({ journey, latchkey, page }) => {
    const checks = countChecks(page);
    await journey.byEmail('whole@example.com');
    await journey.type(await latchkey.code());
    arrive();
    await journey.succeeded();
    expect(checks()).toBe(1);
  });

  test('SUBMIT works as a plain form, pressed twice or not', async ({ journey, latchkey }) => {
    await journey.byEmail('impatient@example.com');
    await journey.type(await latchkey.code());
    await journey.submit.dblclick();
    await journey.succeeded();
    arrive();
  });
});

test('without the WebAssembly the forms still work', async ({ faults, journey, latchkey, page }) => {
  faults.expect(/net::ERR_FAILED/);
  await page.route(/\.wasm$/, (route) => route.abort());
  await journey.byEmail('blocked@example.com');
  const code = await latchkey.code();
  await journey.type(wrong(code));
  await journey.submit.click();
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await journey.type(code);
  await journey.submit.click();
  await journey.succeeded();
});
