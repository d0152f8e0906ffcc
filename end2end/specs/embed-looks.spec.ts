// Accessibility, overflow and screenshots of the shop with the element, at the width of a phone and a
// desktop, light and dark.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { type Element, type Shop, expect, test } from '../harness/shop.ts';
import type { Latchkey } from '../harness/latchkey.ts';

const pictures = new URL('../screenshots/', import.meta.url).pathname;

interface Visitor {
  element: Element;
  latchkey: Latchkey;
  page: Page;
  shop: Shop;
}

const states: Record<string, (visitor: Visitor) => Promise<void>> = {
  home: async ({ page, shop }) => {
    await page.goto(shop.origin);
  },
  'sign-up': async ({ element, page, shop }) => {
    await page.goto(`${shop.origin}/sign-up`);
    await expect(element.email).toBeVisible();
  },
  enter: async (visitor) => {
    await states['sign-up'](visitor);
    await visitor.element.requestCode('jane@example.com');
  },
  malformed: async (visitor) => {
    await states.enter(visitor);
    await visitor.element.type('4813');
    await visitor.page.keyboard.press('Enter');
    await expect(visitor.element.error).toHaveText(/^Invalid OTP:/);
  },
  verified: async (visitor) => {
    await states.enter(visitor);
    await visitor.element.type(await visitor.latchkey.code());
    await visitor.element.succeeded();
  },
  account: async (visitor) => {
    await states.verified(visitor);
    await visitor.page.getByLabel('Your name').fill('Jane');
    await visitor.page.getByRole('button', { name: 'Create account' }).click();
    await expect(visitor.page.getByRole('heading', { name: 'Welcome, Jane' })).toBeVisible();
  },
  contact: async ({ page, shop }) => {
    await page.goto(`${shop.origin}/checkout`);
  },
  checkout: async (visitor) => {
    await states.contact(visitor);
    await visitor.page.getByLabel('Where should we send the receipt?').fill('jane@example.com');
    await visitor.page.getByRole('button', { name: 'Continue' }).click();
    await visitor.element.hydrated();
  },
  order: async (visitor) => {
    await states.checkout(visitor);
    await visitor.element.type(await visitor.latchkey.code());
    await visitor.element.succeeded();
    await visitor.page.getByRole('button', { name: 'Place order' }).click();
    await expect(visitor.page.getByRole('heading', { name: 'Thank you' })).toBeVisible();
  },
};

async function hasNoHorizontalOverflow(page: Page): Promise<void> {
  for (const frame of page.frames()) {
    const tooWide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
    expect(await frame.evaluate(tooWide), frame.url()).toBe(0);
  }
}

/** The frame is as high as its content. */
async function hasNoVerticalOverflow(page: Page): Promise<void> {
  for (const frame of page.frames().slice(1)) {
    const hidden = () => document.documentElement.scrollHeight - innerHeight;
    await expect.poll(() => frame.evaluate(hidden)).toBe(0);
  }
}

// Contrast cannot be measured during a transition.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, reach] of Object.entries(states)) {
    test(`${name}: accessible and without overflow, ${colorScheme}`, async ({ element, latchkey, page, shop }) => {
      await page.emulateMedia({ colorScheme });
      await reach({ element, latchkey, page, shop });
      for (const width of [1280, 360, 320]) {
        await page.setViewportSize({ width, height: 900 });
        await hasNoVerticalOverflow(page);
        await hasNoHorizontalOverflow(page);
        await page.screenshot({ path: `${pictures}shop-${name}-${width}-${colorScheme}.png`, fullPage: true });
      }
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    });
  }
}
