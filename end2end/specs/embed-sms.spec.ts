// A code by text message for a frame: browsers are told both hosts, and offer it there.
import { expect, test } from '../harness/shop.ts';

test.use({ carriers: ['texts'] });

test('the message names the page around first and the frame last', async ({ element, page, shop, texts }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.host.evaluate((host) => {
    host.setAttribute('channel', 'sms');
    host.setAttribute('country', 'DE');
  });
  const country = element.frame.getByRole('combobox', { name: 'Country' });
  await expect(country, 'the country that the page has named').toHaveValue('DE');
  await expect(element.email, 'and the one channel').toHaveCount(0);
  await country.selectOption('GB');
  await element.frame.getByRole('textbox', { name: 'Phone number' }).fill('07700 900177');
  await element.frame.getByRole('button', { name: 'SEND OTP' }).click();
  await element.awake();

  const { body } = await texts.message('+447700900177');
  const code = /^\d+/.exec(body)![0];
  expect(body.split('\n').at(-1)).toBe(`@localhost #${code} @127.0.0.1`);
  await element.type(code);
  await element.succeeded();
});

test('the frame may ask the browser for the code, and nothing else', async ({ element, page, shop }) => {
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
