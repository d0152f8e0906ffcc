// Codes by e-mail, delivered through a real mail server.
import { expect, test, wrong } from '../harness/test.ts';

test.use({ carriers: ['mail'] });

test('a code is delivered by e-mail, typed and verified', async ({ journey, mail, page }) => {
  await journey.byEmail('jane@example.com');
  await expect(page).toHaveTitle('OTP Verification');
  await expect(page.getByText('We sent a code to j***@example.com')).toBeVisible();

  const message = await mail.message('jane@example.com');
  expect(message.secure, 'over TLS').toBe(true);
  expect(message.user, 'signed in').toBe('postmaster@example.com');
  expect(message.mail.from).toMatchObject({ address: 'otp@example.com', name: 'Latchkey' });
  expect(message.mail.subject).toBe('Your Latchkey code');
  expect(message.mail.text).toContain('It is valid for 5 minutes.');
  expect(message.mail.html).toContain(`\n${message.code}\n`);
  expect(message.mail.html).not.toMatch(/src=/);
  expect(message.mail.html?.match(/https?:|href=/g), 'one link').toHaveLength(2);

  await journey.hydrated();
  await journey.type(message.code);
  await journey.succeeded();
  await expect(page.getByText('j***@example.com is verified.')).toBeVisible();
  // Histories and logs keep URLs.
  expect(page.url()).not.toMatch(new RegExp(`jane|example|${message.code}|\\?`));
});

test('the delivery state is updated while a mail server defers the message', async ({
  journey,
  mail,
  page,
}) => {
  await journey.byEmail('greylist+live@example.com');
  await expect(page.getByText('Sending a code to')).toBeVisible();
  // Polls get rarer: a message deferred by two seconds is seen after five at the latest.
  await expect(page.getByText('We sent a code to')).toBeVisible({ timeout: 15_000 });
  const { code } = await mail.message('greylist+live@example.com');
  await journey.hydrated();
  await journey.type(code);
  await journey.succeeded();
});

test('an address that the mail server refuses is reported on the page', async ({ journey, page }) => {
  await journey.byEmail('unknown+nobody@example.com');
  await expect(journey.heading('We could not reach you')).toBeVisible();
  await expect(
    page.getByText('No message could be delivered. Check the address or number and start again.'),
  ).toBeVisible();
  await page.getByRole('link', { name: 'START AGAIN' }).click();
  await expect(page.getByRole('textbox', { name: 'E-mail address' })).toBeVisible();
});

test.describe('with no wait before a resend', () => {
  test.use({ settings: { LATCHKEY_POLICY__RESEND_WAITS: '0' } });

  test('a second message holds a new code, and the tries stay as they were', async ({
    journey,
    mail,
    page,
  }) => {
    const to = 'second@example.com';
    await journey.byEmail(to);
    await journey.hydrated();
    const first = await mail.message(to);
    await journey.type(wrong(first.code));
    await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');

    await journey.resend.click();
    await expect(page.getByText('We sent a new code to s***@example.com')).toBeVisible();
    await expect(journey.field).toBeFocused();
    await expect(journey.field).toHaveValue('');
    const second = await mail.message(to, 2);
    expect(second.mail.messageId).not.toBe(first.mail.messageId);

    await journey.type(wrong(first.code, 2));
    await expect(journey.error).toHaveText('Incorrect OTP! 3 tries left.');
    await journey.type(first.code);
    await journey.succeeded();
  });

});
