// The hosted flow: a relying party on another site that redirects people to our page.
import type { Page } from '@playwright/test';

import { RelyingParty } from './relying-party.ts';
import { expect, test as base } from './test.ts';

export const test = base.extend<{ tea: RelyingParty; urls: string[] }>({
  tea: async ({}, use) => {
    const tea = await RelyingParty.start();
    await use(tea);
    await tea.end();
  },
  settings: async ({ tea }, use) => use(tea.settings),
  // S8, S15: no recipient and no token is in any URL or referrer.
  urls: [
    async ({ context, tea }, use) => {
      const seen: string[] = [];
      context.on('request', (request) => {
        seen.push(request.url());
        if (request.url().startsWith(tea.origin)) seen.push(request.headers().referer ?? '');
      });
      await use(seen);
      const tokens = tea.returns.map(({ fields }) => fields.token).filter(Boolean);
      for (const secret of ['example.com', ...tokens]) {
        expect(seen.filter((url) => url.includes(secret))).toEqual([]);
      }
      const referrers = tea.returns.map(({ headers }) => headers.referer);
      const foreign = referrers.filter((referrer) => referrer && !referrer.startsWith(tea.origin));
      expect(foreign, 'no referrer holds the URL of a verification').toEqual([]);
    },
    { auto: true },
  ],
});

/** Goes from the relying party to our page. */
export async function visit(tea: RelyingParty, latchkey: { origin: string }, page: Page): Promise<void> {
  tea.latchkey = latchkey.origin;
  await page.goto(tea.origin);
  await page.getByRole('link', { name: 'Sign in' }).click();
}

// Invisible isolation marks surround the name.
export const leave = (page: Page) => page.getByRole('button', { name: /^Cancel and return to .Tea & Co.$/ });
export const back = (page: Page) => page.getByRole('button', { name: 'Return to Tea & Co', exact: true });

export { expect };
