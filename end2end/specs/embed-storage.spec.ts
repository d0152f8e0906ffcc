// The element in browsers that block third-party cookies and storage.
import { expect, test } from '../harness/shop.ts';

test.use({
  launchOptions: async ({ launchOptions }, use) => {
    const args = [...(launchOptions.args ?? []), '--test-third-party-cookie-phaseout', '--block-third-party-cookies'];
    await use({ ...launchOptions, args });
  },
});

test('it needs no cookie and no storage', async ({ context, element, latchkey, page, shop }) => {
  // Every access to cookies or storage fails and is recorded.
  const kept: string[] = [];
  await context.exposeFunction('kept', (what: string) => kept.push(what));
  await context.addInitScript(() => {
    const note = (window as unknown as { kept(what: string): void }).kept;
    const refuse = (owner: object, name: string) =>
      Object.defineProperty(owner, name, {
        get() {
          note(name);
          throw new DOMException('refused', 'SecurityError');
        },
        set() {
          note(name);
        },
      });
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookieStore']) refuse(window, name);
    refuse(Document.prototype, 'cookie');
  });
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await element.requestCode('jo@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Jo' })).toBeVisible();

  expect(kept).toEqual([]);
  expect(await context.cookies(latchkey.origin)).toEqual([]);
});
