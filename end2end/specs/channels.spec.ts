// Texts, WhatsApp messages and calls to one number: the switch from one to the next.
import { type Page } from '@playwright/test';

import { looksRight } from '../harness/looks.ts';
import { expect, test } from '../harness/test.ts';

const settings = {
  LATCHKEY_DELIVERY__CHANNELS: 'email,sms,whatsapp,voice',
  LATCHKEY_POLICY__RESEND_WAITS: '0',
  // Strangers have three fifths of these.
  LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES: '10',
};

// Contrast cannot be measured during a transition.
test.use({ settings, contextOptions: { reducedMotion: 'reduce' } });

const number = '07700 900142';

/** The status line under the heading. */
function status(page: Page) {
  return page.locator('.to').getByRole('status');
}

test('after a resend the next channel is offered, and RESEND repeats the newest', async ({
  journey,
  page,
  latchkey,
}) => {
  await journey.byPhone(number);
  await journey.hydrated();
  await expect(page.getByRole('button', { name: /WhatsApp|Call me|text message/ })).toHaveCount(0);

  await journey.resend.click();
  await expect(status(page)).toHaveText('We sent a new code to +44 ••• ••42');
  await page.getByRole('button', { name: 'Send it by WhatsApp' }).click();
  await expect(status(page)).toHaveText('We sent a code by WhatsApp to +44 ••• ••42');
  await page.getByRole('button', { name: 'Call me instead' }).click();
  await expect(status(page)).toHaveText('We are calling +44 ••• ••42. Listen for the code.');
  await expect(page.getByRole('button', { name: 'Send it by text message instead' })).toBeVisible();

  await journey.resend.click();
  const [call, before, whatsapp] = await latchkey.caught(5);
  expect([call, before, whatsapp].map(({ channel }) => channel)).toEqual(['voice', 'voice', 'whatsapp']);
  const digits = [...call.code].join(', ');
  expect(call.text.split(digits), 'the digits are said twice').toHaveLength(3);
  await journey.type(call.code);
  await journey.succeeded();

  await journey.open('/dev/inbox');
  await expect(page.getByRole('listitem').first()).toContainText('Phone call');
  await expect(page.getByRole('listitem').nth(2)).toContainText('WhatsApp');
});

test('a call and a WhatsApp message: accessible and without overflow', async ({ journey, page }) => {
  await journey.byPhone(number);
  await journey.hydrated();
  await journey.resend.click();
  await page.getByRole('button', { name: 'Send it by WhatsApp' }).click();
  await expect(status(page)).toContainText('by WhatsApp');
  await looksRight(page, 'whatsapp');
  await page.reload();
  await journey.hydrated();
  await page.getByRole('button', { name: 'Call me instead' }).click();
  await expect(status(page)).toContainText('We are calling');
  await looksRight(page, 'call');
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('the switch is a plain form', async ({ journey, page, latchkey }) => {
    await journey.byPhone(number);
    await expect(page.getByRole('button', { name: 'Send it by WhatsApp' })).toBeHidden();
    for (const [button, text] of [
      ['RESEND OTP', 'a new code'],
      ['Send it by WhatsApp', 'by WhatsApp'],
      ['Call me instead', 'call'],
      ['RESEND OTP', 'call'],
    ]) {
      await page.getByRole('button', { name: button }).click();
      await expect(status(page)).toContainText(text);
    }
    const [call] = await latchkey.caught(5);
    expect(call.channel).toBe('voice');
    await journey.field.fill(call.code);
    await journey.submit.click();
    await journey.succeeded();
  });
});

test.describe('with calls first', () => {
  test.use({ settings: { LATCHKEY_DELIVERY__CHANNELS: 'email,voice' } });

  test('the start page offers a call', async ({ journey, page, latchkey }) => {
    await journey.open();
    await page.getByRole('radio', { name: 'Phone call' }).check();
    await page.getByRole('textbox', { name: 'Phone number' }).fill(number);
    await journey.send();
    await expect(status(page)).toContainText('call');
    await journey.hydrated();
    await journey.type(await latchkey.code());
    await journey.succeeded();
  });
});

// Work that is done on a page of its own keeps the channel that was chosen.
test.describe('while many messages are asked for', () => {
  test.use({
    settings: {
      ...settings,
      LATCHKEY_DELIVERY__CHANNELS: 'sms,voice',
      LATCHKEY_WORK__NETWORK_SENDS_PER_5_MINUTES: '2',
    },
  });

  test('the channel that was chosen is the one that is used', async ({ faults, journey, page, latchkey }) => {
    await journey.open();
    await page.getByRole('textbox', { name: 'Phone number' }).fill(number);
    await journey.send();
    await journey.hydrated();
    await journey.resend.click();
    await expect(status(page)).toContainText('We sent a new code');
    faults.expectStatus(429);
    faults.expectStatus(429);
    await page.getByRole('button', { name: 'Call me instead' }).click();
    expect((await latchkey.caught(3))[0].channel).toBe('voice');
  });
});
