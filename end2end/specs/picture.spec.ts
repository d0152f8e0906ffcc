// The picture in the README; UPDATE_SCREENSHOTS=1 replaces it.
import { existsSync } from 'node:fs';

import { states } from '../harness/states.ts';
import { expect, test } from '../harness/test.ts';

const picture = new URL('../../docs/images/verification.png', import.meta.url).pathname;

test.use({ viewport: { width: 800, height: 560 }, deviceScaleFactor: 2 });

test('the README has its picture', async ({ faults, journey, latchkey, page }) => {
  await states['enter-half']({ faults, journey, latchkey });
  if (process.env.UPDATE_SCREENSHOTS === '1') {
    await page.screenshot({ path: picture, caret: 'initial' });
  }
  expect(existsSync(picture)).toBe(true);
});
