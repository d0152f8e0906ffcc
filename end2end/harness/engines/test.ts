// Playwright's `test` for the journeys, which run in every engine: one browser and one Latchkey for each worker.
import { test as base, expect } from '@playwright/test';

import { Latchkey, type Settings } from '../latchkey.ts';
import { RelyingParty } from '../relying-party.ts';
import { Shop, freePort, site } from '../shop.ts';
import { Card } from './card.ts';
import { Chromium } from './chromium.ts';
import type { Engine } from './engine.ts';
import { Firefox } from './firefox.ts';
import { Visitor } from './visitor.ts';
import { WebKit } from './webkit.ts';

export interface Options {
  engineName: 'chromium' | 'firefox' | 'webkit';
  /** Whether pages may run scripts. */
  script: boolean;
  /** Environment variables of the server. */
  settings: Settings;
}

interface Shared {
  engine: Engine;
  latchkey: Latchkey;
  party: RelyingParty;
  port: number;
  shop: Shop;
}

interface Fixtures {
  visitor: Visitor;
  card: Card;
  tea: RelyingParty;
  /** An address of its own for each test, since a recipient gets only so many codes. */
  to: string;
}

/** The tests of a worker are one caller, who would be refused after a while. */
const unlimited: Settings = {
  LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE: '10000',
  LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES: '10000',
  LATCHKEY_WORK__ENABLED: 'false',
};

export const test = base.extend<Fixtures, Options & Shared>({
  engineName: ['chromium', { option: true, scope: 'worker' }],
  script: [true, { option: true, scope: 'worker' }],
  settings: [{ LATCHKEY_POLICY__RESEND_WAITS: '0' }, { option: true, scope: 'worker' }],

  engine: [
    async ({ engineName, launchOptions, playwright, script }, use) => {
      const start = {
        chromium: async () => new Chromium(await playwright.chromium.launch(launchOptions), { script }),
        firefox: () => Firefox.start({ script }),
        webkit: () => WebKit.start({ script }),
      };
      const engine = await start[engineName]();
      await use(engine);
      await engine.end();
    },
    // Browsers start slowly on machines that are busy with builds.
    { scope: 'worker', timeout: 60_000 },
  ],

  party: [
    async ({}, use) => {
      const party = await RelyingParty.start();
      await use(party);
      await party.end();
    },
    { scope: 'worker' },
  ],

  port: [async ({}, use) => use(await freePort()), { scope: 'worker' }],

  latchkey: [
    async ({ party, port, settings }, use) => {
      const latchkey = await Latchkey.start({ ...unlimited, ...settings }, site(`http://localhost:${port}`) + party.site);
      party.latchkey = latchkey.origin;
      await use(latchkey);
      await latchkey.end();
    },
    { scope: 'worker' },
  ],

  shop: [
    async ({ latchkey, port }, use) => {
      const shop = await Shop.start(port, latchkey.origin);
      await use(shop);
      await shop.end();
    },
    { scope: 'worker' },
  ],

  visitor: async ({ engine, latchkey: _ }, use, info) => {
    const tab = await engine.tab();
    await use(new Visitor(tab));
    if (info.status !== info.expectedStatus) await tab.picture(info.outputPath('page.png')).catch(() => {});
    await tab.close();
    tab.faults.verify();
  },

  to: async ({}, use, { testId }) => use(`p.${testId.split('-').at(-1)!.slice(0, 12)}@example.com`),

  card: async ({ latchkey, script, visitor }, use) => {
    await use(new Card(visitor, latchkey, script));
  },

  /** The relying party without the returns of earlier tests. */
  tea: async ({ party, latchkey: _ }, use) => {
    party.returns.length = 0;
    await use(party);
  },
});

export { expect };
export { wrong } from '../journey.ts';
export { email, field } from './card.ts';
export { eventually } from './engine.ts';
