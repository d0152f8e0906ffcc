// Checks of a page at the width of a phone and a desktop, light and dark, and with large text.
import { AxeBuilder } from '@axe-core/playwright';
import { type Page, expect } from '@playwright/test';

const pictures = new URL('../screenshots/', import.meta.url).pathname;

/** The page does not scroll horizontally, and nothing overflows the card. */
async function hasNoOverflow(page: Page): Promise<void> {
  const tooWide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const card = document.querySelector('main')!.getBoundingClientRect();
    const overflows = (element: Element) => {
      const { left, right, width } = element.getBoundingClientRect();
      // Clipped elements, such as texts for screen readers, may have any size.
      const isClipped = getComputedStyle(element).clipPath !== 'none';
      return width > 0 && !isClipped && (left < card.left - 0.5 || right > card.right + 0.5);
    };
    const found = [...document.querySelectorAll('main *')].filter(overflows);
    return [scrollWidth - clientWidth, ...found.map((element) => element.outerHTML)];
  });
  expect(tooWide).toEqual([0]);
}

/** Checks accessibility and overflow, and takes screenshots with this name. */
export async function looksRight(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [width, height] of [
      [360, 740],
      [1280, 800],
    ]) {
      await page.setViewportSize({ width, height });
      await hasNoOverflow(page);
      await page.screenshot({ path: `${pictures}${name}-${width}-${colorScheme}.png` });
    }
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  }

  // The narrowest phone with text of twice the size.
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 320, height: 640 });
  await hasNoOverflow(page);
  await page.evaluate(() => {
    document.documentElement.style.fontSize = '200%';
  });
  await hasNoOverflow(page);
  await page.screenshot({ path: `${pictures}${name}-320-twice.png`, fullPage: true });
}
