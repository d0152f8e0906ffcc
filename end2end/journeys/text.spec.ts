// Codes by text message.
import { test } from '../harness/engines/test.ts';

test('a code by text message is typed and verified', async ({ card, latchkey, visitor }) => {
  await visitor.tab.open(latchkey.origin);
  await visitor.click(['radio', 'Text message']);
  await visitor.sees(['combobox', 'Country']);
  await visitor.fill(['textbox', 'Phone number'], '+49 1512 3456789');
  await visitor.click(['button', 'SEND OTP']);
  await card.ready();
  await visitor.reads('We sent a code to +49 ••• ••89');
  await card.type(await card.code('+4915123456789'));
  await card.succeeds();
  await visitor.reads('+49 ••• ••89 is verified.');
});
