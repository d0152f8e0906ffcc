// The states of the pages and the steps that lead to them.
import { expect } from '@playwright/test';

import type { Faults } from './faults.ts';
import { type Journey, wrong } from './journey.ts';
import type { Latchkey } from './latchkey.ts';

export interface Visitor {
  faults: Faults;
  journey: Journey;
  latchkey: Latchkey;
}

/** Goes to a state by ordinary use of the pages. */
export const states: Record<string, (visitor: Visitor) => Promise<void>> = {
  'start-email': async ({ journey }) => {
    await journey.open();
  },
  'start-phone': async ({ journey }) => {
    await journey.open();
    await journey.choosePhone();
  },
  'start-error': async ({ faults, journey }) => {
    faults.expectStatus(422);
    await journey.byEmail('jane@example');
    await expect(journey.error).not.toHaveText('');
  },
  'start-phone-error': async ({ faults, journey }) => {
    faults.expectStatus(422);
    await journey.byPhone('0770');
    await expect(journey.error).not.toHaveText('');
  },
  enter: async ({ journey }) => {
    await journey.byEmail('jane@example.com');
    await journey.hydrated();
    await expect(journey.page.getByText('We sent a code to')).toBeVisible();
  },
  'enter-half': async ({ journey }) => {
    await states.enter({ journey } as Visitor);
    await journey.type('481');
  },
  incorrect: async ({ journey, latchkey }) => {
    await states.enter({ journey } as Visitor);
    await journey.type(wrong(await latchkey.code()));
    await expect(journey.error).toHaveText(/^Incorrect OTP!/);
  },
  malformed: async ({ journey }) => {
    await states.enter({ journey } as Visitor);
    await journey.type('4813');
    await journey.page.keyboard.press('Enter');
    await expect(journey.error).toHaveText(/^Invalid OTP:/);
  },
  success: async ({ journey, latchkey }) => {
    await states.enter({ journey } as Visitor);
    await journey.type(await latchkey.code());
    await journey.succeeded();
  },
  expired: async ({ faults, journey }) => {
    faults.expectStatus(404);
    await journey.open('/v/AAAAAAAAAAAAAAAAAAAAAA');
    await expect(journey.heading('This OTP has expired')).toBeVisible();
  },
  'too-many': async ({ journey, latchkey }) => {
    await states.enter({ journey } as Visitor);
    const code = await latchkey.code();
    for (let n = 1; n <= 5; n += 1) {
      await journey.type(wrong(code, n));
      if (n < 5) await expect(journey.error).toHaveText(`Incorrect OTP! ${5 - n} tr${n < 4 ? 'ies' : 'y'} left.`);
    }
    await expect(journey.heading('Too many incorrect OTPs')).toBeVisible();
  },
  nothing: async ({ faults, journey }) => {
    faults.expectStatus(404);
    await journey.open('/nowhere');
    await expect(journey.heading('Nothing here')).toBeVisible();
  },
  'not-me': async ({ journey, latchkey }) => {
    await states.enter({ journey } as Visitor);
    await journey.page.goto(await latchkey.notMe());
    await expect(journey.heading('Did you ask for this code?')).toBeVisible();
  },
  'not-me-done': async ({ journey, latchkey }) => {
    await states['not-me']({ journey, latchkey } as Visitor);
    await journey.page.getByRole('button', { name: "THIS WASN'T ME" }).click();
    await expect(journey.heading('Thank you for telling us')).toBeVisible();
  },
  'not-me-used': async ({ journey, latchkey }) => {
    await states.success({ journey, latchkey } as Visitor);
    await journey.page.goto(await latchkey.notMe());
    await journey.page.getByRole('button', { name: "THIS WASN'T ME" }).click();
    await expect(journey.heading('This code has been used')).toBeVisible();
  },
  'not-me-over': async ({ faults, journey }) => {
    faults.expectStatus(404);
    await journey.open('/not-me/AAAAAAAAAAAAAAAAAAAAAA');
    await expect(journey.heading('There is nothing left to do')).toBeVisible();
  },
  inbox: async ({ journey, latchkey }) => {
    await states.enter({ journey } as Visitor);
    await latchkey.code();
    await journey.open('/dev/inbox');
    await expect(journey.heading('Development inbox')).toBeVisible();
  },
};
