// Accessibility, overflow and screenshots of every state, at the width of a phone and a desktop, light
// and dark, and with large text on a small phone.
import { looksRight } from '../harness/looks.ts';
import { states } from '../harness/states.ts';
import { test } from '../harness/test.ts';

// Contrast cannot be measured during a transition.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

for (const [name, reach] of Object.entries(states)) {
  test(`${name}: accessible and without overflow, light and dark`, async ({
    faults,
    journey,
    latchkey,
    page,
  }) => {
    await reach({ faults, journey, latchkey });
    await looksRight(page, name);
  });
}
