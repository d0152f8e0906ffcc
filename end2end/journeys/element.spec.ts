// The element in the example shop, which is on another origin.
import type { Card } from '../harness/engines/card.ts';
import { email, eventually, expect, field, test, wrong } from '../harness/engines/test.ts';
import type { Visitor, What } from '../harness/engines/visitor.ts';

const element = 'otp-verification';

async function token(visitor: Visitor): Promise<string> {
  return visitor.of(element, (host: HTMLElement & { token: string }) => host.token);
}

async function succeeds(visitor: Visitor, card: Card): Promise<void> {
  await card.succeeds();
  await eventually(async () => expect(await token(visitor)).not.toBe(''));
}

test('an account is created with the address that was verified', async ({ card, shop, to, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await visitor.on(element, (host: HTMLElement & { events: object[] }) => {
    host.events = [];
    for (const type of ['sent', 'verified', 'error', 'expired']) {
      host.addEventListener(type, (event) => host.events.push({ type, detail: (event as CustomEvent).detail }));
    }
  });
  await visitor.fill(['textbox', 'Your name'], 'Jo');
  await card.framed.askFor(to);
  await visitor.frame.hasFocus(field);
  const code = await card.code(to);
  await card.framed.type(wrong(code));
  await card.framed.says('Incorrect OTP! 4 tries left.');
  await card.framed.type(code);
  await succeeds(visitor, card.framed);

  const [events, state] = await visitor.of(element, (host: HTMLElement & { events: object[] }) => [
    host.events,
    host.getAttribute('state'),
  ]);
  expect(events).toEqual([
    { type: 'sent', detail: { number: 1 } },
    { type: 'verified', detail: { token: await token(visitor), state } },
  ]);
  await visitor.click(['button', 'Create account']);
  await card.ends('Welcome, Jo');
  await visitor.reads(`${to} is verified`);
});

test('an order is placed with the address that the shop has given', async ({ card, shop, to, visitor }) => {
  await visitor.tab.open(`${shop.origin}/checkout`);
  await visitor.fill(['textbox', 'Where should we send the receipt?'], to);
  await visitor.click(['button', 'Continue']);
  await card.framed.ready();
  await visitor.frame.reads('We sent a code to p***@example.com');
  // A recipient given by the page cannot be changed in the frame.
  await visitor.frame.seesNo(['button', 'Change where the code goes']);
  await card.framed.type(await card.code(to));
  await succeeds(visitor, card.framed);
  await visitor.click(['button', 'Place order']);
  await card.ends('Thank you');
  await visitor.reads(to);
});

test('the form cannot be submitted before the verification', async ({ card, shop, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await visitor.frame.sees(email);
  await visitor.fill(['textbox', 'Your name'], 'Jo');
  await visitor.click(['button', 'Create account']);
  const [isValid, message] = await visitor.of('form', (form: HTMLFormElement) => {
    const host = form.querySelector('otp-verification') as HTMLInputElement;
    return [form.checkValidity(), host.validationMessage];
  });
  expect(isValid).toBe(false);
  expect(message).not.toBe('');
  await visitor.frame.reads('Verify yourself here to continue');
  await eventually(async () => {
    expect(await visitor.of(element, (host) => document.activeElement === host)).toBe(true);
  });
  expect(await visitor.url()).toBe(`${shop.origin}/sign-up`);
  // Nothing has been broken by the attempt.
  await card.framed.askFor('before@example.com');
  await card.framed.type(await card.code('before@example.com'));
  await succeeds(visitor, card.framed);
});

test('too many wrong codes end it, and the person can start again', async ({ card, shop, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await card.framed.askFor('guess@example.com');
  await card.framed.lock(await card.code('guess@example.com'));
  await visitor.frame.click(['link', 'START AGAIN']);
  await card.framed.askFor('again.and.again@example.com');
  await card.framed.type(await card.code('again.and.again@example.com'));
  await succeeds(visitor, card.framed);
});

test('a code pasted into the frame is accepted', async ({ card, shop, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await card.framed.askFor('paste@example.com');
  await visitor.frame.paste(field, await card.code('paste@example.com'));
  await succeeds(visitor, card.framed);
});

test('resetting the form starts again', async ({ card, shop, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await card.framed.askFor('first@example.com');
  await card.framed.type(await card.code('first@example.com'));
  await succeeds(visitor, card.framed);
  await visitor.on('form', (form: HTMLFormElement) => form.reset());
  await visitor.frame.sees(email);
  expect(await token(visitor)).toBe('');
  await card.framed.askFor('second@example.com');
  await card.framed.type(await card.code('second@example.com'));
  await succeeds(visitor, card.framed);
});

test('going back and forward keeps the token of the page in the frame', async ({ card, shop, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await card.framed.askFor('back@example.com');
  await card.framed.type(await card.code('back@example.com'));
  await succeeds(visitor, card.framed);
  const first = await token(visitor);
  await visitor.run(() => history.back());
  // The page that was replaced by the answer to the check is not in the history of WebKit.
  const heading: What = ['heading', /^(Verified|OTP Verification)$/];
  if ((await visitor.frame.text(heading)) === 'Verified') {
    expect(await token(visitor)).toBe(first);
    await visitor.run(() => history.back());
  }
  await visitor.frame.sees(email);
  await eventually(async () => expect(await token(visitor)).toBe(''));
  await visitor.run(() => history.forward());
  await visitor.frame.sees(['heading', 'Verified']);
  await eventually(async () => expect(await token(visitor)).toBe(first));
});

test('a code by text message to a number that the page has given is verified', async ({ card, shop, visitor }) => {
  await visitor.tab.open(`${shop.origin}/sign-up`);
  await visitor.on(element, (host) => {
    host.setAttribute('channel', 'sms');
    host.setAttribute('to', '+447700900177');
  });
  await card.framed.ready();
  await card.framed.type(await card.code('+447700900177'));
  await succeeds(visitor, card.framed);
});
