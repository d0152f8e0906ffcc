// Playwright's `test` with a Latchkey for each test, and the checks that all tests share.
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
  /** Providers of the messages; by default the development inbox. */
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
    // An open page would go on polling after the server has ended.
    await Promise.all(context.pages().map((page) => page.close()));
    const caught = await latchkey.caught(0);
    await latchkey.end();
    // S8, at the highest log level. Timestamps are removed, since they may hold the digits of the code.
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
export { Journey, hint, wrong } from './journey.ts';
