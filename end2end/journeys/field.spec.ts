// Codes that are pasted or filled in.
import { field, test, wrong } from '../harness/engines/test.ts';

const inArabic = (code: string) => code.replace(/\d/g, (digit) => '٠١٢٣٤٥٦٧٨٩'[Number(digit)]);

/** Unchanged, in groups, with marks of direction, a whole message, other digits. */
const ways: ((code: string) => string)[] = [
  (code) => code,
  (code) => `${code.slice(0, 3)} ${code.slice(3)}`,
  (code) => `\u200e${code.slice(0, 3)}-${code.slice(3)}\u202c`,
  (code) => `${code} is your Latchkey code. It is valid for 5 minutes.\n@127.0.0.1 #${code}`,
  inArabic,
];

test('codes are read however they are pasted', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const code = await card.code(to);
  for (const [n, write] of ways.entries()) {
    const left = ways.length - 1 - n;
    await visitor.paste(field, write(left ? wrong(code, n + 1) : code));
    if (left) await card.says(`Incorrect OTP! ${left} ${left > 1 ? 'tries' : 'try'} left.`);
  }
  await card.succeeds();
});

test('a code typed in Arabic-Indic digits is accepted', async ({ card }) => {
  await card.byEmail('arabic@example.com');
  await card.type(inArabic(await card.code('arabic@example.com')));
  await card.succeeds();
});

test('a code filled in with one event is checked once', async ({ card, to, visitor }) => {
  await card.byEmail(to);
  const code = await card.code(to);
  // As phone keyboards and password managers do.
  const fillIn = (input: HTMLInputElement, text: string) => {
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  };
  await visitor.on(field, fillIn, wrong(code));
  await card.says('Incorrect OTP! 4 tries left.');
  await visitor.on(field, fillIn, wrong(code, 2));
  await card.says('Incorrect OTP! 3 tries left.');
  await visitor.on(field, fillIn, code);
  await card.succeeds();
});
