// Every state at the width of a phone and of a desk, light and dark: accessible, nothing sticking
// out, and photographed.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { states } from '../harness/states.ts';
import { expect, test } from '../harness/test.ts';

const pictures = new URL('../screenshots/', import.meta.url).pathname;

async function isNowhereTooWide(page: Page): Promise<void> {
  const excess = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  expect(excess, 'pixels to scroll sideways').toBeLessThanOrEqual(0);
}

// Colours in the middle of a change would be neither here nor there.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

for (const [name, reach] of Object.entries(states)) {
  test(`${name}: accessible and in shape in light and dark`, async ({
    faults,
    journey,
    latchkey,
    page,
  }) => {
    await reach({ faults, journey, latchkey });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [width, height] of [
        [360, 740],
        [1280, 800],
      ]) {
        await page.setViewportSize({ width, height });
        await isNowhereTooWide(page);
        await page.screenshot({ path: `${pictures}${name}-${width}-${colorScheme}.png` });
      }
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    }
  });

  test(`${name}: in shape at 320 pixels with text of twice the size`, async ({
    faults,
    journey,
    latchkey,
    page,
  }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await reach({ faults, journey, latchkey });
    await isNowhereTooWide(page);
    await page.evaluate(() => {
      document.documentElement.style.fontSize = '200%';
    });
    await page.screenshot({ path: `${pictures}${name}-320-twice.png`, fullPage: true });
    await isNowhereTooWide(page);
  });
}
