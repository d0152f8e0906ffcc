// Without script the content of the element leads to Latchkey's own page and back.
import { expect, test } from '../harness/shop.ts';
import { Journey } from '../harness/test.ts';

test.use({ javaScriptEnabled: false });

test('an account is created without script', async ({ latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await page.getByLabel('E-mail address').fill('plain@example.com');
  await page.getByRole('button', { name: 'Verify on a separate page' }).click();
  await expect(page).toHaveURL(new RegExp(`^${latchkey.origin}/v/`));

  const journey = new Journey(page, latchkey.origin);
  await journey.type(await latchkey.code());
  await journey.submit.click();
  await journey.succeeded();
  await page.getByRole('button', { name: /^RETURN TO/i }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Jo' })).toBeVisible();
  await expect(page.getByRole('status')).toContainText('plain@example.com is verified');
});

test('an order is placed without script, and not without the verification', async ({ latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/checkout`);
  await page.getByLabel('Where should we send the receipt?').fill('plain@example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(page.getByRole('alert')).toContainText('verify your address');

  await page.getByRole('button', { name: 'Verify on a separate page' }).click();
  const journey = new Journey(page, latchkey.origin);
  await journey.type(await latchkey.code());
  await journey.submit.click();
  await journey.succeeded();
  await page.getByRole('button', { name: /^RETURN TO/i }).click();
  await expect(page.getByRole('heading', { name: 'Thank you' })).toBeVisible();
});
