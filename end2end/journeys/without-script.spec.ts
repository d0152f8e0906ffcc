// Whole verifications by plain forms: POST, redirect, GET.
import { email, expect, field, test, wrong } from '../harness/engines/test.ts';

test.use({ script: false });

test('a code is asked for, typed and verified', async ({ card, visitor }) => {
  await card.byEmail('plain@example.com');
  await card.ends('OTP Verification');
  await visitor.hasFocus(field);
  await visitor.tab.type(await card.code('plain@example.com'));
  await visitor.click(['button', 'SUBMIT']);
  await card.succeeds();
});

test('a code by text message is asked for, typed and verified', async ({ card, latchkey, visitor }) => {
  await visitor.tab.open(latchkey.origin);
  await visitor.click(['radio', 'Text message']);
  await visitor.fill(['textbox', 'Phone number'], '+49 1512 3456780');
  await visitor.tab.press('Enter');
  await card.ready();
  await card.type(await card.code('+4915123456780'));
  await card.succeeds();
});

test('wrong codes are reported, until there are too many', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const code = await card.code(to);
  await card.type(wrong(code));
  await card.says('Incorrect OTP! 4 tries left.');
  await visitor.hasFocus(field);
  expect(await visitor.of(field, (input) => input.getAttribute('aria-invalid'))).toBe('true');
  expect(await visitor.run(() => document.title)).toBe('Error: OTP Verification');
  for (const [n, left] of ['3 tries', '2 tries', '1 try'].entries()) {
    await card.type(wrong(code, n + 2));
    await card.says(`Incorrect OTP! ${left} left.`);
  }
  await card.type(wrong(code, 5));
  await card.ends('Too many incorrect OTPs');
  await visitor.click(['link', 'START AGAIN']);
  await visitor.sees(email);
});

test('what is no code costs no try', async ({ card, to }) => {
  await card.byEmail(to);
  for (const [guess, detail] of [
    ['', ''],
    ['123', '. Some digits are missing.'],
    ['12345678', '. These are too many.'],
    ['12a456', '. Use digits only.'],
  ]) {
    await card.type(guess);
    await card.says(`Invalid OTP: enter the 6 digits we sent${detail}`);
  }
  await card.type(wrong(await card.code(to)));
  await card.says('Incorrect OTP! 4 tries left.');
});

test('a resend keeps the older code', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const first = await card.code(to);
  await visitor.click(['button', 'RESEND OTP']);
  await visitor.reads('a new code to');
  await card.code(to, 2);
  await card.type(first);
  await card.succeeds();
});

test('reloading and going back post nothing again', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const code = await card.code(to);
  await visitor.tab.go('reload');
  await card.type(wrong(code));
  await card.says('Incorrect OTP! 4 tries left.');
  await visitor.tab.go('reload');
  await card.says('Incorrect OTP! 4 tries left.');
  await visitor.tab.go('back');
  await visitor.tab.go('forward');
  await card.says('Incorrect OTP! 4 tries left.');
  await card.type(code);
  await card.succeeds();
  await visitor.tab.go('reload');
  await card.succeeds();
  await visitor.tab.go('back');
  await visitor.tab.go('forward');
  await card.succeeds();
  await card.code(to, 1);
});

test('the recipient can be changed', async ({ card, visitor }) => {
  await card.byEmail('typo@example.com');
  const address = await visitor.url();
  await visitor.click(['button', 'Change where the code goes']);
  await visitor.sees(email);
  // A canceled verification accepts no code.
  await visitor.tab.open(address);
  await card.ends('Verification called off');
});

test('an account is created at the shop', async ({ card, latchkey, shop, to, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await visitor.fill(['textbox', 'Your name'], 'Jo');
  await visitor.fill(email, to);
  await visitor.click(['button', 'Verify on a separate page']);
  await card.ready();
  expect(await visitor.url()).toContain(`${latchkey.origin}/v/`);
  await card.type(await card.code(to));
  await card.succeeds();
  await visitor.click(['button', /^RETURN TO|^Return to/]);
  await card.ends('Welcome, Jo');
  await visitor.reads(`${to} is verified`);
});

test('an order is placed at the shop, and not without the verification', async ({ card, shop, to, visitor }) => {
  await visitor.tab.open(`${shop.origin}/checkout`);
  await visitor.fill(['textbox', 'Where should we send the receipt?'], to);
  await visitor.click(['button', 'Continue']);
  await visitor.click(['button', 'Place order']);
  await card.says(/verify your address/);
  await visitor.click(['button', 'Verify on a separate page']);
  await card.type(await card.code(to));
  await card.succeeds();
  await visitor.click(['button', /^RETURN TO|^Return to/]);
  await card.ends('Thank you');
});
