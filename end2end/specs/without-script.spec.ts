// A whole verification by plain forms: POST, redirect, GET.
import { expect, test, wrong } from '../harness/test.ts';

test.use({ javaScriptEnabled: false });

test('a code is asked for, typed and verified without script', async ({ journey, latchkey }) => {
  await journey.byEmail('plain@example.com');
  await expect(journey.heading('OTP Verification')).toBeVisible();
  await expect(journey.field).toBeFocused();
  await journey.type(await latchkey.code());
  await journey.submit.click();
  await journey.succeeded();
});

test('a refused form is shown again with its values and the reason', async ({ faults, journey, page }) => {
  faults.expectStatus(422);
  await journey.byEmail('nobody at all');
  const field = page.getByRole('textbox', { name: 'E-mail address' });
  await expect(field).toHaveValue('nobody at all');
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toBeFocused();
  await expect(journey.error).toHaveText('Enter an e-mail address like name@example.com');
  await expect(page).toHaveTitle('Error: OTP Verification');

  await journey.choosePhone();
  await page.getByRole('textbox', { name: 'Phone number' }).fill('12');
  await journey.send();
  await expect(page.getByRole('textbox', { name: 'Phone number' })).toHaveValue('12');
  await expect(journey.error).toHaveText('This phone number has too few digits');
});

test('a wrong code is reported with the tries left', async ({ journey, latchkey, page }) => {
  await journey.byEmail('guess@example.com');
  const code = await latchkey.code();
  for (const left of ['4 tries', '3 tries', '2 tries', '1 try']) {
    await journey.type(wrong(code));
    await journey.submit.click();
    await expect(journey.error).toHaveText(`Incorrect OTP! ${left} left.`);
    await expect(journey.field).toHaveAttribute('aria-invalid', 'true');
    await expect(journey.field).toBeFocused();
    await expect(page).toHaveTitle('Error: OTP Verification');
  }
  await journey.type(wrong(code));
  await journey.submit.click();
  await expect(journey.heading('Too many incorrect OTPs')).toBeVisible();
  await page.getByRole('link', { name: 'START AGAIN' }).click();
  await expect(page.getByRole('textbox', { name: 'E-mail address' })).toBeVisible();
});

for (const [guess, detail] of [
  ['', ''],
  ['123', '. Some digits are missing.'],
  ['12345678', '. These are too many.'],
  ['12a456', '. Use digits only.'],
]) {
  test(`"${guess}" is malformed and costs no try`, async ({ journey, latchkey }) => {
    await journey.byEmail('guess@example.com');
    const code = await latchkey.code();
    await journey.type(guess);
    await journey.submit.click();
    await expect(journey.error).toHaveText(`Invalid OTP: enter the 6 digits we sent${detail}`);
    await journey.type(wrong(code));
    await journey.submit.click();
    await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  });
}

test('a code is accepted once', async ({ context, journey, latchkey, page }) => {
  await journey.byEmail('twice@example.com');
  const other = journey.on(await context.newPage());
  await other.page.goto(page.url());
  const code = await latchkey.code();
  await journey.type(code);
  await journey.submit.click();
  await journey.succeeded();
  await other.type(code);
  await other.submit.click();
  await expect(other.heading('This OTP has already been used')).toBeVisible();
});

test('reloading and navigating back post nothing again', async ({ journey, latchkey, page }) => {
  const posts: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') posts.push(new URL(request.url()).pathname);
  });
  await journey.byEmail('again@example.com');
  const code = await latchkey.code();
  const sent = () => posts.map((path) => path.replace(/^\/v\/[^/]+/, ''));

  await page.reload();
  await journey.type(wrong(code));
  await journey.submit.click();
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await page.reload();
  await page.reload();
  await page.goBack();
  await page.goForward();
  await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');
  await page.reload();

  await journey.type(code);
  await journey.submit.click();
  await journey.succeeded();
  await page.reload();
  await journey.succeeded();
  await page.goBack();
  await journey.succeeded();
  await page.goForward();
  await journey.succeeded();
  expect(sent()).toEqual(['/', '/check', '/check']);
  expect(await latchkey.caught()).toHaveLength(1);
});

test('a resend before the wait is over is refused with the reason', async ({ journey, latchkey }) => {
  await journey.byEmail('early@example.com');
  await journey.resend.click();
  await expect(journey.error).toHaveText(/^A new code can be sent in 0:(30|[12]\d)\.$/);
  expect(await latchkey.caught()).toHaveLength(1);
});

test.describe('with no wait before a resend', () => {
  test.use({ settings: { LATCHKEY_POLICY__RESEND_WAITS: '0' } });

  test('an older code is still accepted after a resend', async ({ journey, latchkey, page }) => {
    await journey.byEmail('older@example.com');
    const first = await latchkey.code(1);
    await journey.resend.click();
    await expect(page.getByText('a new code to')).toBeVisible();
    await latchkey.code(2);
    await journey.type(first);
    await journey.submit.click();
    await journey.succeeded();
  });
});

test('the recipient can be changed', async ({ journey, latchkey, page }) => {
  await journey.byEmail('typo@example.com');
  const address = page.url();
  const code = await latchkey.code();
  await page.getByRole('button', { name: 'Change where the code goes' }).click();
  await expect(page.getByRole('textbox', { name: 'E-mail address' })).toBeVisible();
  // A canceled verification accepts no code.
  await page.goto(address);
  await expect(journey.heading('Verification called off')).toBeVisible();
  await expect(page.getByText(code)).toHaveCount(0);
});
