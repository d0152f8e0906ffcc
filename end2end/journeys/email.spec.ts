// Codes by e-mail, typed into the page.
import { email, eventually, expect, field, test } from '../harness/engines/test.ts';

test('a code by e-mail is typed and verified', async ({ card, latchkey, visitor }) => {
  await visitor.tab.open(latchkey.origin);
  await visitor.fill(email, 'jane@example.com');
  // Enter sends the form as well as its button does.
  await visitor.tab.press('Enter');
  await card.ready();
  await visitor.reads('We sent a code to j***@example.com');
  expect(await visitor.run(() => document.title)).toBe('OTP Verification');
  await visitor.hasFocus(field);

  // The field has the focus, so nothing needs to be clicked.
  const code = await card.code('jane@example.com');
  await visitor.tab.type(code);
  await card.succeeds();
  await visitor.hasFocus('h1');
  await visitor.reads('j***@example.com is verified.');
  // Histories and logs keep URLs.
  expect(await visitor.url()).not.toMatch(new RegExp(`jane|example|${code}|\\?`));
});

test('an address that is none is reported', async ({ card, latchkey, visitor }) => {
  visitor.tab.faults.allow(/status of 422/, /422 \(/);
  await visitor.tab.open(latchkey.origin);
  await visitor.fill(email, 'jane@example');
  await visitor.click(['button', 'SEND OTP']);
  await card.says('Enter an e-mail address like name@example.com');
  await visitor.hasFocus(email);
  expect(await visitor.value(email)).toBe('jane@example');
});

test('a code is accepted once', async ({ card, latchkey, visitor }) => {
  await card.byEmail('once@example.com');
  const code = await card.code('once@example.com');
  // Another browser has the page open, and is quicker.
  const other = await fetch(`${await visitor.url()}/check`, {
    method: 'POST',
    headers: { origin: latchkey.origin },
    body: new URLSearchParams({ code }),
  });
  expect(await other.text()).toContain('Login Success!');
  await card.type(code);
  await card.ends('This OTP has already been used');
});

test('a resend keeps the older code, and the tries', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const first = await card.code(to);
  await card.type(first.replace(/./, (digit) => String((Number(digit) + 1) % 10)));
  await card.says('Incorrect OTP! 4 tries left.');
  await visitor.click(['button', 'RESEND OTP']);
  await visitor.reads('We sent a new code to p***@example.com');
  await visitor.hasFocus(field);
  expect(await visitor.value(field)).toBe('');
  await card.code(to, 2);
  await card.type(first);
  await card.succeeds();
});

test('a newer code is accepted as well', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  await visitor.click(['button', 'RESEND OTP']);
  await card.type(await card.code(to, 2));
  await card.succeeds();
});

test('the recipient can be changed', async ({ card, visitor }) => {
  await card.byEmail('typo@example.com');
  const address = await visitor.url();
  await visitor.click(['button', 'Change where the code goes']);
  await card.askFor('right@example.com');
  await card.type(await card.code('right@example.com'));
  await card.succeeds();
  // A canceled verification accepts no code.
  await visitor.tab.open(address);
  await card.ends('Verification called off');
});

test('back, forward and reload post nothing again', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  await visitor.tab.go('reload');
  await card.ready();
  await visitor.tab.go('back');
  await visitor.sees(email);
  await visitor.tab.go('forward');
  await card.ready();
  await card.type(await card.code(to));
  await card.succeeds();
  await visitor.tab.go('reload');
  await card.succeeds();
  await visitor.tab.go('back');
  await visitor.sees(email);
  await visitor.tab.go('forward');
  await card.succeeds();
  await card.code(to, 1);
});

test('a page that comes back from the history goes on', async ({ card, latchkey, to, visitor }) => {
  await card.byEmail(to);
  await visitor.tab.type('12');
  await visitor.tab.open(`${latchkey.origin}/dev/inbox`);
  await visitor.tab.go('back');
  await card.ready();
  const left = await visitor.text('#life');
  await eventually(async () => expect(await visitor.text('#life'), 'the time left runs').not.toBe(left));
  await card.type(await card.code(to));
  await card.succeeds();
});
