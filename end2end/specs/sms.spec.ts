// Codes by text message, through a stand-in for Twilio.
import { expect, test } from '../harness/test.ts';

test.use({ carriers: ['texts'] });

test('a code is delivered by text message, typed and verified', async ({ journey, page, texts }) => {
  await journey.byPhone('07700 900123');
  await expect(page.getByText('We sent a code to +44 ••• ••23')).toBeVisible();

  const message = await texts.message('+447700900123');
  expect(message.from).toBe(texts.sender);
  expect(message.body).toBe(
    `${message.code} is your Latchkey code. It is valid for 5 minutes. Tell nobody. ` +
      `Type it only where you asked for it.\n@127.0.0.1 #${message.code}`,
  );
  expect(message.validity).toBeGreaterThan(290);
  expect(message.validity).toBeLessThanOrEqual(300);

  await journey.hydrated();
  await journey.type(message.code);
  await journey.succeeded();
  await expect(page.getByText('+44 ••• ••23 is verified.')).toBeVisible();
});

test('a number in international form overrules the country', async ({ journey, texts }) => {
  await journey.byPhone('+49 1512 3456789', 'France (+33)');
  const { code } = await texts.message('+4915123456789');
  await journey.hydrated();
  await journey.type(code);
  await journey.succeeded();
});

test('a number that Twilio refuses is reported on the page', async ({ journey }) => {
  await journey.byPhone('07700 900100');
  await expect(journey.heading('We could not reach you')).toBeVisible();
});

test('a message that Twilio rejects temporarily is sent again', async ({ journey, page, texts }) => {
  await journey.byPhone('07700 900101');
  await expect(page.getByText('Sending a code to')).toBeVisible();
  // Polls get rarer: a message deferred by two seconds is seen after five at the latest.
  await expect(page.getByText('We sent a code to')).toBeVisible({ timeout: 15_000 });
  expect((await texts.message('+447700900101')).code).toMatch(/^\d{6}$/);
});

test.describe('with RECIPIENT_NUMBER', () => {
  test.use({ settings: { RECIPIENT_NUMBER: '+447700900042' } });

  test('the page starts with one button and the masked number', async ({ journey, page, texts }) => {
    await journey.open();
    await expect(page.getByText('We send a code to +44 ••• ••42')).toBeVisible();
    await expect(page.getByRole('button')).toHaveCount(1);
    await expect(page.getByRole('textbox')).toHaveCount(0);
    await expect(page.getByRole('combobox')).toHaveCount(0);
    await expect(page.getByRole('radio')).toHaveCount(0);

    await journey.send();
    const { code } = await texts.message('+447700900042');
    await journey.hydrated();
    await journey.type(code);
    await journey.succeeded();
  });
});
