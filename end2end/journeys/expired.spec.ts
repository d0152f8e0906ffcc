// Expiry of a code, in real time with the shortest lifetime of 30 seconds.
import { test } from '../harness/engines/test.ts';

test.use({ settings: { LATCHKEY_POLICY__LIFETIME: '30', LATCHKEY_POLICY__RESEND_WAITS: '0' } });
test.setTimeout(60_000);

test('an expired code is refused, and a new one is accepted', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  await visitor.sees(['alert', 'This OTP has expired'], 40);
  await card.type(await card.code(to));
  await card.says('This OTP has expired');
  await visitor.click(['button', 'RESEND OTP']);
  await visitor.reads('We sent a new code to');
  await card.type(await card.code(to, 2));
  await card.succeeds();
});
