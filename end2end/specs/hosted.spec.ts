// The hosted flow: a relying party on another site redirects people to our page and gets them back.
import { back, expect, leave, test, visit } from '../harness/hosted.ts';
import { looksRight } from '../harness/looks.ts';
import { type Journey, wrong } from '../harness/test.ts';

/** Types wrong codes until none are left; without script each one is submitted by the button. */
async function guess(journey: Journey, code: string, submits: boolean): Promise<void> {
  for (let n = 1; n <= 5; n += 1) {
    await journey.type(wrong(code, n));
    if (submits) await journey.submit.click();
    if (n < 5) await expect(journey.error).toHaveText(new RegExp(`${5 - n} tr(ies|y) left`));
  }
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with script' : 'without script', () => {
    test.use({ javaScriptEnabled });

    test.describe('with a mail server', () => {
      test.use({
        carriers: ['mail'],
        settings: async ({ tea }, use) => use(tea.settings),
      });

      test('after a failed delivery a button leads back', async ({
        journey,
        latchkey,
        page,
        tea,
      }) => {
        tea.recipient = 'unknown@example.com';
        await visit(tea, latchkey, page);
        await expect(async () => {
          if (!javaScriptEnabled) await page.reload();
          await expect(journey.heading('We could not reach you')).toBeVisible({ timeout: 500 });
        }).toPass();
        await back(page).click();
        await expect(journey.heading('Not signed in: failed')).toBeVisible();
      });
    });
  });
}

test.describe('with the shortest lifetime of codes', () => {
  test.use({
    settings: async ({ tea }, use) => {
      await use({ ...tea.settings, LATCHKEY_POLICY__LIFETIME: '30', LATCHKEY_POLICY__WINDOW: '30' });
    },
  });
  test.setTimeout(60_000);

  test('after the expiry a button leads back', async ({
    browser,
    faults,
    journey,
    latchkey,
    page,
    tea,
  }) => {
    faults.expectStatus(404);
    await visit(tea, latchkey, page);
    await journey.hydrated();
    await expect(journey.heading('This OTP has expired')).toBeVisible({ timeout: 40_000 });
    const plain = await browser.newPage({ javaScriptEnabled: false });
    await plain.goto(page.url());
    await expect(back(plain)).toBeVisible();
    await plain.close();
    expect(tea.returns).toEqual([]);
    await back(page).click();
    await expect(journey.heading('Not signed in: expired')).toBeVisible();
  });
});

test('navigating back after a success does not lead to a second one', async ({
  browser,
  faults,
  journey,
  latchkey,
  page,
  tea,
}) => {
  await visit(tea, latchkey, page);
  await journey.hydrated();
  const address = page.url();
  await journey.type(await latchkey.code());
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  const { fields } = tea.returns[0];

  // The answer with the return form is no longer in the history. A browser that has kept it asks before it
  // sends the form of the code again.
  faults.allow(/ERR_CACHE_MISS/);
  await page.reload();
  await page.goBack().catch(() => {});
  await expect(journey.heading('Verified').or(journey.heading('Confirm Form Resubmission'))).toBeVisible();
  await page.goForward();
  await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
  expect(tea.returns).toHaveLength(1);

  // Opened again, the page has no return form.
  await page.goto(address);
  await expect(journey.heading('Verified')).toBeVisible();
  await expect(page.locator('form')).toHaveCount(0);
  expect(tea.returns).toHaveLength(1);

  // The token cannot be redeemed again, neither by the relying party nor by another browser that posts
  // the same form.
  const again = await tea.call('/v1/tokens/redeem', { token: fields.token });
  expect([again.status, again.answer.code]).toEqual([409, 'token_already_redeemed']);
  const other = await browser.newPage();
  await other.route(`${tea.origin}/replay`, (route) => {
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    const body = `<form method="post" action="/return">${inputs.join('')}<button>Replay</button></form>`;
    return route.fulfill({ contentType: 'text/html', body });
  });
  await other.goto(`${tea.origin}/replay`);
  await other.getByRole('button').click();
  await expect(journey.on(other).heading('Not signed in: nothing is known of you')).toBeVisible();
  await other.close();
});

test.describe('with custom colours', () => {
  test.use({ contextOptions: { reducedMotion: 'reduce' } });

  test('every step is accessible and without overflow, light and dark', async ({
    journey,
    latchkey,
    page,
    tea,
  }) => {
    test.slow();
    await visit(tea, latchkey, page);
    await journey.hydrated();
    const address = page.url();
    await looksRight(page, 'visited');
    await guess(journey, await latchkey.code(), false);
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-too-many');

    await visit(tea, latchkey, page);
    await journey.hydrated();
    await leave(page).click();
    await expect(journey.heading('Not signed in: canceled')).toBeVisible();
    await page.goBack();
    await expect(back(page)).toBeVisible();
    await looksRight(page, 'visited-canceled');

    await visit(tea, latchkey, page);
    await journey.hydrated();
    const another = page.url();
    expect(another).not.toBe(address);
    await journey.type(await latchkey.code(3));
    await expect(journey.heading('Welcome, jo@example.com')).toBeVisible();
    await page.goto(another);
    await expect(journey.heading('Verified')).toBeVisible();
    await looksRight(page, 'visited-elsewhere');
  });
});
