// A code by e-mail, through a real mail server: the test reads what was delivered.
import { expect, test, wrong } from '../harness/test.ts';

test.use({ carriers: ['mail'] });

test('a code is delivered by e-mail, typed and verified', async ({ journey, mail, page }) => {
  await journey.byEmail('jane@example.com');
  await expect(page).toHaveTitle('OTP Verification');
  await expect(page.getByText('We sent a code to j***@example.com')).toBeVisible();

  const letter = await mail.letter('jane@example.com');
  expect(letter.secure, 'over TLS').toBe(true);
  expect(letter.user, 'signed in').toBe('postmaster@example.com');
  expect(letter.mail.from).toMatchObject({ address: 'otp@example.com', name: 'Latchkey' });
  expect(letter.mail.subject).toBe('Your Latchkey code');
  expect(letter.mail.text).toContain('It is valid for 5 minutes.');
  expect(letter.mail.html).toContain(`\n${letter.code}\n`);
  expect(letter.mail.html).not.toMatch(/https?:|src=|href=/);

  await journey.awake();
  await journey.type(letter.code);
  await journey.succeeded();
  await expect(page.getByText('j***@example.com is verified.')).toBeVisible();
  // Nothing personal and no code where histories and logs would keep it.
  expect(page.url()).not.toMatch(new RegExp(`jane|example|${letter.code}|\\?`));
});

test('delivery is followed live while a server holds the message back', async ({
  journey,
  mail,
  page,
}) => {
  await journey.byEmail('greylist+live@example.com');
  await expect(page.getByText('Sending a code to')).toBeVisible();
  // The page looks ever more rarely: for a message put off by two seconds, after five at the latest.
  await expect(page.getByText('We sent a code to')).toBeVisible({ timeout: 15_000 });
  const { code } = await mail.letter('greylist+live@example.com');
  await journey.awake();
  await journey.type(code);
  await journey.succeeded();
});

test('an address that the mail server refuses is told on the page', async ({ journey, page }) => {
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
    await journey.awake();
    const first = await mail.letter(to);
    await journey.type(wrong(first.code));
    await expect(journey.error).toHaveText('Incorrect OTP! 4 tries left.');

    await journey.resend.click();
    await expect(page.getByText('We sent a new code to s***@example.com')).toBeVisible();
    await expect(journey.field).toBeFocused();
    await expect(journey.field).toHaveValue('');
    const second = await mail.letter(to, 2);
    expect(second.mail.messageId).not.toBe(first.mail.messageId);

    await journey.type(wrong(first.code, 2));
    await expect(journey.error).toHaveText('Incorrect OTP! 3 tries left.');
    await journey.type(first.code);
    await journey.succeeded();
  });

  test('a newer code is accepted as well', async ({ journey, mail }) => {
    const to = 'newer@example.com';
    await journey.byEmail(to);
    await journey.awake();
    await journey.resend.click();
    await journey.type((await mail.letter(to, 2)).code);
    await journey.succeeded();
  });
});
