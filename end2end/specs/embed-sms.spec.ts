// Codes by text message for a frame: the message names both hosts, so that browsers offer the code.
import { expect, test } from '../harness/shop.ts';

test.use({ carriers: ['texts'] });

test('the message names the embedding page first and the frame last', async ({ element, page, shop, texts }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => {
    host.setAttribute('channel', 'sms');
    host.setAttribute('country', 'DE');
  });
  const country = element.frame.getByRole('combobox', { name: 'Country' });
  await expect(country, 'the country from the attribute').toHaveValue('DE');
  await expect(element.email, 'the only channel').toHaveCount(0);
  await country.selectOption('GB');
  await element.frame.getByRole('textbox', { name: 'Phone number' }).fill('07700 900177');
  await element.frame.getByRole('button', { name: 'SEND OTP' }).click();
  await element.hydrated();

  const { body } = await texts.message('+447700900177');
  const code = /^\d+/.exec(body)![0];
  expect(body.split('\n').at(-1)).toBe(`@localhost #${code} @127.0.0.1`);
  await element.type(code);
  await element.succeeded();
});

test('the frame is allowed to use WebOTP and no other feature', async ({ element, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await expect(element.email).toBeVisible();
  const allowed = await element.frame.locator('main').evaluate(() => {
    const { featurePolicy } = document as unknown as { featurePolicy: { allowedFeatures(): string[] } };
    return featurePolicy.allowedFeatures();
  });
  expect(allowed).toContain('otp-credentials');
  for (const feature of ['camera', 'geolocation', 'microphone', 'payment', 'usb']) {
    expect(allowed).not.toContain(feature);
  }
});
