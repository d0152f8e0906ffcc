// Codes that are wrong, malformed or too many.
import { email, eventually, expect, field, test, wrong } from '../harness/engines/test.ts';

test('a wrong code is reported, and selected for overtyping', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const code = await card.code(to);
  await visitor.tab.type(wrong(code));
  await card.says('Incorrect OTP! 4 tries left.');
  await visitor.hasFocus(field);
  expect(await visitor.run(() => document.title)).toBe('Error: OTP Verification');
  expect(await visitor.of(field, (input) => input.getAttribute('aria-invalid'))).toBe('true');
  await eventually(async () => {
    const selected = await visitor.of(field, (input: HTMLInputElement) => [input.selectionStart, input.selectionEnd]);
    expect(selected, 'all of it is selected').toEqual([0, 6]);
  });
  // So the next digit replaces it, and the error goes.
  await visitor.tab.type('1');
  await card.says('');
  expect(await visitor.value(field)).toBe('1');
  await visitor.tab.press('Backspace');
  await visitor.tab.type(code);
  await card.succeeds();
});

test('Enter on a code that was refused costs no try, and is told', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const code = await card.code(to);
  await visitor.tab.type(wrong(code));
  await card.says('Incorrect OTP! 4 tries left.');
  for (let times = 0; times < 4; times += 1) await visitor.tab.press('Enter');
  await card.says('You have tried this code already. Look for the newest message.');
  await card.type(wrong(code, 2));
  await card.says('Incorrect OTP! 3 tries left.');
});

test('after five wrong codes no code is accepted', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  await card.lock(await card.code(to));
  await visitor.hasFocus('h1');
  expect(await visitor.run(() => document.title)).toBe('Error: OTP Verification');
  await visitor.tab.go('reload');
  await card.ends('Too many incorrect OTPs');
  await visitor.click(['link', 'START AGAIN']);
  await visitor.sees(email);
});

test('what is no code is reported and costs no try', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  for (const [guess, detail] of [
    [' ', ''],
    ['12345', '. Some digits are missing.'],
    ['1234567', '. These are too many.'],
    ['12345a', '. Use digits only.'],
  ]) {
    // All at once, since the sixth digit would be checked.
    await visitor.paste(field, guess);
    await visitor.tab.press('Enter');
    await card.says(`Invalid OTP: enter the 6 digits we sent${detail}`);
  }
  await card.type(wrong(await card.code(to)));
  await card.says('Incorrect OTP! 4 tries left.');
});
