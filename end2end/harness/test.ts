// Playwright's `test` with a Latchkey of its own for each test, and the checks that hold for all.
import { test as base, expect } from '@playwright/test';

import { Faults } from './faults.ts';
import { Journey } from './journey.ts';
import { Latchkey, type Settings } from './latchkey.ts';
import { MailServer } from './mail.ts';
import { TextGateway } from './texts.ts';

interface Options {
  /** Environment variables of the server. */
  settings: Settings;
  /** Its configuration file. */
  file: string;
  /** What carries the messages; by default the development inbox catches them. */
  carriers: ('mail' | 'texts')[];
}

interface Fixtures {
  latchkey: Latchkey;
  journey: Journey;
  faults: Faults;
}

interface Shared {
  mail: MailServer;
  texts: TextGateway;
}

export const test = base.extend<Options & Fixtures, Shared>({
  settings: [{}, { option: true }],
  file: ['', { option: true }],
  carriers: [[], { option: true }],

  mail: [
    async ({}, use) => {
      const mail = await MailServer.start();
      await use(mail);
      await mail.end();
    },
    { scope: 'worker' },
  ],

  texts: [
    async ({}, use) => {
      const texts = await TextGateway.start();
      await use(texts);
      await texts.end();
    },
    { scope: 'worker' },
  ],

  latchkey: async ({ context, settings, file, carriers, mail, texts }, use) => {
    const known = { mail, texts };
    const carrying = carriers.map((name) => known[name].settings);
    const latchkey = await Latchkey.start(Object.assign({}, ...carrying, settings), file);
    await use(latchkey);
    // A page that is still open goes on asking, and finds the server gone.
    await Promise.all(context.pages().map((page) => page.close()));
    const caught = await latchkey.caught(0);
    await latchkey.end();
    // S8, with the log as talkative as it gets. A time of day has six digits too.
    const log = latchkey.log.replaceAll(/"timestamp":"[^"]*"/g, '');
    for (const { code, to } of caught) {
      expect(log, 'the log holds no code').not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`));
      expect(log, 'the log holds no whole recipient').not.toContain(to);
    }
  },

  faults: [
    async ({ context }, use) => {
      const faults = new Faults(context);
      await use(faults);
      faults.verify();
    },
    { auto: true },
  ],

  journey: async ({ page, latchkey }, use) => {
    await use(new Journey(page, latchkey.origin));
  },
});

export { expect };
export { Journey, promise, wrong } from './journey.ts';
