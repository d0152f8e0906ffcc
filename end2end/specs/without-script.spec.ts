// A whole verification by plain forms: POST, redirect, GET.
import { expect, test, wrong } from '../harness/test.ts';

test.use({ javaScriptEnabled: false });

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
