// Every state at the width of a phone and of a desk, light and dark, and with large text on a small
// phone: accessible, nothing sticking out, and photographed.
import { looksRight } from '../harness/looks.ts';
import { states } from '../harness/states.ts';
import { test } from '../harness/test.ts';

// Colours in the middle of a change would be neither here nor there.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

for (const [name, reach] of Object.entries(states)) {
  test(`${name}: accessible and in shape, light and dark`, async ({
    faults,
    journey,
    latchkey,
    page,
  }) => {
    await reach({ faults, journey, latchkey });
    await looksRight(page, name);
  });
}
