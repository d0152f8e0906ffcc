// The API reference.
import { AxeBuilder } from '@axe-core/playwright';

import { expect, test } from '../harness/test.ts';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [320, 1280]) {
    test.describe(`at ${width} pixels, ${colorScheme}`, () => {
      test.use({ colorScheme, viewport: { width, height: 800 } });

      test('it needs no script and loads nothing from other origins', async ({
        latchkey,
        page,
      }) => {
        const asked: string[] = [];
        page.on('request', (request) => asked.push(request.url()));
        await page.goto(`${latchkey.origin}/docs/api`);
        await expect(page.getByRole('heading', { name: 'JSON API' })).toBeVisible();
        await page.getByRole('link', { name: '/v1/tokens/redeem' }).click();
        await expect(page.getByRole('heading', { name: 'Redeem a result token' })).toBeInViewport();
        await page.locator('#redeemToken summary').click();
        await expect(page.locator('#redeemToken').getByText('assurance', { exact: true })).toBeVisible();
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, 'no horizontal overflow').toBeLessThanOrEqual(0);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations).toEqual([]);
        // The page itself and its icon.
        const own = [`${latchkey.origin}/docs/api`, `${latchkey.origin}/favicon.svg`];
        const others = asked.map((url) => url.replace(/#.*/, '')).filter((url) => !url.startsWith('data:'));
        expect(others.filter((url) => !own.includes(url))).toEqual([]);
      });
    });
  }
}
