// Expiry of a code, in real time with the shortest lifetime of 30 seconds.
import { expect, test } from '../harness/test.ts';
import { Latchkey } from '../harness/latchkey.ts';

test.use({
  settings: { LATCHKEY_POLICY__LIFETIME: '30', LATCHKEY_POLICY__RESEND_WAITS: '0' },
});
test.setTimeout(60_000);

test('an expired code is refused, and a new one is accepted', async ({
  browser,
  context,
  journey,
  latchkey,
  page,
  settings,
}) => {
  // In parallel: a server whose verifications expire with their codes, and the page without script.
  const brief = await Latchkey.start({ ...settings, LATCHKEY_POLICY__WINDOW: '30' });
  const ending = journey.on(await context.newPage());
  await ending.page.goto(brief.origin);
  await ending.page.getByRole('textbox', { name: 'E-mail address' }).fill('brief@example.com');
  await ending.send();
  await expect(ending.field).toBeVisible();

  await journey.byEmail('late@example.com');
  await journey.hydrated();
  const plain = await browser.newPage({ javaScriptEnabled: false });
  await plain.goto(page.url());

  await journey.field.fill('123');
  const said = page.getByRole('alert').filter({ hasText: 'This OTP has expired' });
  await expect(said).toHaveCount(1, { timeout: 40_000 });
  await expect(journey.error).toBeVisible();
  await expect(journey.field).toHaveValue('');
  await expect(page.locator('.buttons')).toHaveAttribute('data-expired', 'true');
  await journey.type(await latchkey.code(1));
  await expect(journey.error).toHaveText('This OTP has expired');

  const unscripted = journey.on(plain);
  await unscripted.type(await latchkey.code(1));
  await unscripted.submit.click();
  await expect(unscripted.error).toHaveText('This OTP has expired');
  await plain.close();

  await journey.resend.click();
  await expect(page.getByText('We sent a new code to')).toBeVisible();
  await journey.type(await latchkey.code(2));
  await journey.succeeded();

  await expect(ending.heading('This OTP has expired')).toBeVisible();
  await ending.page.getByRole('link', { name: 'START AGAIN' }).click();
  await expect(ending.page.getByRole('textbox', { name: 'E-mail address' })).toBeVisible();
  await brief.end();
});
