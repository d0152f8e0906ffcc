// "This wasn't me": the link in each mail, with and without script.
import type { Page } from '@playwright/test';

import { expect, test } from '../harness/test.ts';

const button = (page: Page) => page.getByRole('button', { name: "THIS WASN'T ME" });

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with script' : 'without script', () => {
    test.use({ javaScriptEnabled });

    test('S35: a person ends a verification that they did not begin', async ({
      context,
      faults,
      journey,
      latchkey,
      page,
    }) => {
      await journey.byEmail('victim@example.com');
      const mailbox = await context.newPage();
      await mailbox.goto(await latchkey.notMe());
      await expect(mailbox).toHaveTitle('Did you ask for this code?');
      await expect(mailbox.getByText('Somebody has asked for a code for v***@example.com')).toBeVisible();
      await expect(mailbox.getByText('For 24 hours, new codes to this address can then be asked for only')).toBeVisible();
      const address = mailbox.url();
      await button(mailbox).click();
      await expect(journey.on(mailbox).heading('Thank you for telling us')).toBeVisible();
      await expect(button(mailbox)).toHaveCount(0);
      expect(mailbox.url(), 'a redirect to the same page').toBe(address);

      await page.reload();
      await expect(journey.heading('Verification called off')).toBeVisible();
      faults.expectStatus(429);
      await journey.byEmail('victim@example.com');
      await expect(journey.error).toContainText('Too many codes were asked for. Try again in');
      expect(await latchkey.caught(0)).toHaveLength(1);

      // Reloading and coming back later show what was done, and do nothing.
      await mailbox.reload();
      await expect(journey.on(mailbox).heading('Thank you for telling us')).toBeVisible();
    });

    test('S11: loading the link of a mail ends nothing', async ({ context, journey, latchkey, page }) => {
      await journey.byEmail('scanned@example.com');
      const url = await latchkey.notMe();
      const scanner = await context.newPage();
      for (let load = 0; load < 10; load++) {
        await scanner.goto(url);
        await expect(button(scanner)).toBeVisible();
      }
      await page.bringToFront();
      if (javaScriptEnabled) await journey.hydrated();
      await journey.type(await latchkey.code());
      if (!javaScriptEnabled) await journey.submit.click();
      await journey.succeeded();
    });

    test('a code that was used cannot be taken back, and the page says so', async ({ journey, latchkey, page }) => {
      await journey.byEmail('used@example.com');
      if (javaScriptEnabled) await journey.hydrated();
      await journey.type(await latchkey.code());
      if (!javaScriptEnabled) await journey.submit.click();
      await journey.succeeded();
      await page.goto(await latchkey.notMe());
      await expect(page.getByText('cannot be undone here')).toBeVisible();
      await button(page).click();
      await expect(journey.heading('This code has been used')).toBeVisible();
      await expect(page.getByText("If it wasn't you, tell Latchkey")).toBeVisible();
    });
  });
}

test('a link that was not copied whole leads to a page that says so', async ({ faults, journey, latchkey, page }) => {
  await journey.byEmail('cut@example.com');
  faults.expectStatus(404);
  await page.goto((await latchkey.notMe()).slice(0, -1));
  await expect(journey.heading('There is nothing left to do')).toBeVisible();
  await expect(button(page)).toHaveCount(0);
});
