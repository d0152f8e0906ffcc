// Reduced motion, forced colours, and no layout shifts.
import type { Page } from '@playwright/test';

import { expect, test, wrong } from '../harness/test.ts';

/** Number of endless animations. */
const animations = (page: Page) =>
  page.evaluate(() => {
    const timings = document.getAnimations().map((animation) => animation.effect!.getComputedTiming());
    return timings.filter(({ iterations }) => iterations === Infinity).length;
  });

test.describe('while a message is deferred', () => {
  test.use({ carriers: ['mail'] });

  test('a dot pulses, unless the person prefers reduced motion', async ({ journey, page }) => {
    await journey.byEmail('greylist+motion@example.com');
    await expect(page.getByText('Sending a code to')).toBeVisible();
    expect(await animations(page)).toBe(1);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await animations(page)).toBe(0);
  });
});

test('with forced colours every control keeps an outline', async ({ journey, latchkey, page }) => {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  const border = (element: Element) => {
    const { borderTopStyle, borderTopWidth } = getComputedStyle(element);
    return `${borderTopStyle} ${parseFloat(borderTopWidth) > 0}`;
  };
  await journey.open();
  const address = page.getByRole('textbox', { name: 'E-mail address' });
  const send = page.getByRole('button', { name: 'SEND OTP' });
  for (const control of [address, send, page.getByRole('main')]) {
    expect(await control.evaluate(border)).toBe('solid true');
  }
  await journey.byEmail('forced@example.com');
  await journey.hydrated();
  for (const control of [journey.submit, journey.resend]) {
    expect(await control.evaluate(border)).toBe('solid true');
  }
  const colour = (element: Element) => getComputedStyle(element).borderTopColor;
  const [ready, waiting] = [await journey.submit.evaluate(colour), await journey.resend.evaluate(colour)];
  expect(waiting, 'the resend button looks disabled').not.toBe(ready);

  // The boxes are siblings of the field.
  const box = (element: Element) => {
    const drawn = element.parentElement!.querySelector('span > :first-child')!;
    const { borderTopStyle, borderTopWidth } = getComputedStyle(drawn);
    return `${borderTopStyle} ${parseFloat(borderTopWidth) > 0}`;
  };
  expect(await journey.field.evaluate(box)).toBe('solid true');
  await journey.type(wrong(await latchkey.code()));
  await expect(journey.error).toHaveText(/^Incorrect OTP!/);
  expect(await journey.field.evaluate(box)).toBe('dashed true');
  await page.screenshot({
    path: new URL('../screenshots/forced-colors.png', import.meta.url).pathname,
  });
});

for (const width of [360, 1280]) {
  test(`nothing shifts while a code is typed, ${width} pixels wide`, async ({
    journey,
    latchkey,
    page,
  }) => {
    await page.setViewportSize({ width, height: 740 });
    await page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        // Shifts after a key press (`hadRecentInput`) count too.
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await journey.byEmail('steady@example.com');
    await journey.hydrated();
    await expect(page.getByText('We sent a code to')).toBeVisible();
    const code = await latchkey.code();
    await journey.type('12');
    await page.keyboard.press('Enter');
    await expect(journey.error).toHaveText(/^Invalid OTP/);
    await page.keyboard.press('ControlOrMeta+a');
    for (const n of [1, 2]) {
      await journey.type(wrong(code, n));
      await expect(journey.error).toHaveText(`Incorrect OTP! ${5 - n} tries left.`);
    }
    await page.keyboard.press('Delete');
    await expect(journey.error).toHaveText('');
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
    expect(shifts).toEqual([]);
  });
}
