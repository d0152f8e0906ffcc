// S31 in the element: the proof reaches only the frame in which the code was typed.
import { expect, test } from '../harness/shop.ts';
import { Journey } from '../harness/test.ts';

test('S31: an element that is left open gets no proof', async ({ browser, element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await element.requestCode('victim@example.com');
  const [, frame] = page.frames();
  const address = frame.url();

  // Anybody can open the address of a frame as a page of its own.
  const victim = new Journey(await browser.newPage(), latchkey.origin);
  await victim.page.goto(address);
  await victim.hydrated();
  await expect(victim.page.getByText('For your account at')).toBeVisible();
  await victim.type(await latchkey.code());
  await victim.succeeded();
  await victim.page.close();

  await page.bringToFront();
  await expect(element.heading('Verified')).toBeVisible({ timeout: 20_000 });
  await expect.poll(() => element.events()).toContainEqual({ type: 'error', detail: { code: 'elsewhere' } });
  expect(await element.token()).toBe('');
  expect((await element.events()).map(({ type }) => type)).not.toContain('verified');
  expect(await frame.content()).not.toContain('eyJ');

  // Loaded again, the frame has none either.
  await element.host.evaluate((host) => host.setAttribute('theme', 'dark'));
  await expect(element.heading('Verified')).toBeVisible();
  expect(await element.token()).toBe('');

  // The person can start again here.
  await element.startAgain();
  await element.requestCode('own@example.com');
  await element.type(await latchkey.code(2));
  await element.succeeded();
});

test('S31: the element gets the token after a lost answer', async ({ element, faults, latchkey, page, shop }) => {
  faults.expect(/ERR_FAILED/);
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await element.requestCode('lost@example.com');
  let isFirst = true;
  await page.route('**/ui/check', async (route) => {
    if (!isFirst) return route.continue();
    isFirst = false;
    expect((await route.fetch()).status()).toBe(200);
    await route.abort();
  });
  await element.type(await latchkey.code());
  await element.succeeded();
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Jo' })).toBeVisible();
});

test('S31: the element keeps its token while its frame is loaded again', async ({ element, latchkey, page, shop }) => {
  await page.goto(`${shop.origin}/sign-up`);
  await page.getByLabel('Your name').fill('Jo');
  await element.requestCode('kept@example.com');
  await element.type(await latchkey.code());
  await element.succeeded();
  const token = await element.token();
  await element.host.evaluate((host) => host.setAttribute('theme', 'dark'));
  await expect(element.heading('Verified')).toBeVisible();
  expect(await element.token()).toBe(token);
  const types = (await element.events()).map(({ type }) => type);
  expect(types.filter((type) => type !== 'sent')).toEqual(['ready', 'verified']);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome, Jo' })).toBeVisible();
});

test('S31: another page gets no token of a verification that it knows the address of', async ({ latchkey, shop }) => {
  const frame = `site_key=lk_pub_the_example_shop&origin=${shop.origin}&state=s`;
  const post = (path: string, fields: Record<string, string>) =>
    fetch(latchkey.origin + path, {
      method: 'POST',
      headers: { origin: latchkey.origin },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    });
  const read = async (path: string) => (await fetch(latchkey.origin + path)).text();
  const begun = await post(`/embed?${frame}`, { channel: 'email', email: 'curl@example.com' });
  const page = begun.headers.get('location')!;
  const check = page.replace('?', '/check?');
  const claim = async () => /name="claim" value="([\w-]{22})"/.exec(await read(page))![1];
  const [attacker, victim] = [await claim(), await claim()];
  const code = await latchkey.code();

  const approved = await post(check, { code, claim: victim });
  expect(approved.status).toBe(200);
  expect(await approved.text()).toContain('data-token="eyJ');
  expect(await read(page)).not.toContain('eyJ');
  const stolen = await post(check, { code, claim: attacker });
  expect([stolen.status, await stolen.text()]).toEqual([303, '']);
  const hosted = page.replace('/embed', '').replace(/\?.*/, '');
  expect((await fetch(latchkey.origin + hosted)).status).toBe(404);
});
