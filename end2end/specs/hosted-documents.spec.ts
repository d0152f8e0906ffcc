// The examples of docs/HOSTED.md.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test as base, wrong } from '../harness/test.ts';

const page = readFileSync(new URL('../../docs/HOSTED.md', import.meta.url), 'utf8');
const secretKey = 'lk_sec_of-an-example-of-the-documents';

/** The first code block in a language, which is a complete program. */
function program(language: string): string {
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  return blocks.find(([, name]) => name === language)![2];
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, 'localhost'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

interface Example {
  port: number;
  folder: string;
}

const test = base.extend<{ example: Example }>({
  example: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-example-'));
    const port = await freePort();
    const digest = createHash('sha256').update(secretKey).digest('hex');
    const site = `[[sites]]\nname = "shop"\nsecret_keys = ["sha256:${digest}"]\n`;
    const urls = `return_urls = ["http://localhost:${port}/return"]\nbrand.name = "Example Shop"\n`;
    writeFileSync(join(folder, 'latchkey.toml'), site + urls);
    await use({ port, folder });
    rmSync(folder, { recursive: true });
  },
  settings: async ({ example }, use) => use({ LATCHKEY_CONFIG: join(example.folder, 'latchkey.toml') }),
});

for (const [language, command, file] of [
  ['js', 'node', 'shop.mjs'],
  ['python', 'python3', 'shop.py'],
]) {
  test(`the example in ${language} signs people in by a redeemed token only`, async ({
    browser,
    example,
    faults,
    journey,
    latchkey,
    page,
  }) => {
    // The examples have no icon.
    faults.expectStatus(404);
    const shop = `http://localhost:${example.port}`;
    const path = join(example.folder, file);
    writeFileSync(path, program(language));
    const env = {
      PATH: process.env.PATH,
      LATCHKEY: latchkey.origin,
      SECRET_KEY: secretKey,
      PORT: String(example.port),
    };
    const child: ChildProcess = spawn(command, [path], { env, stdio: 'ignore' });
    try {
      await expect.poll(() => fetch(shop).then((answer) => answer.status, () => 0)).toBe(200);
      const start = async () => {
        await page.goto(shop);
        await page.getByRole('textbox', { name: 'E-mail' }).fill('jo@example.com');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await journey.hydrated();
      };

      await start();
      await page.getByRole('button', { name: /^Cancel and return to .Example Shop.$/ }).click();
      await expect(journey.heading('Not signed in: canceled')).toBeVisible();

      // An attacker who begins with a victim's address and lets the victim type the code is not signed in,
      // neither by the page that is left open nor by loading it again (S31).
      await start();
      const address = page.url();
      const victim = journey.on(await browser.newPage());
      await victim.page.goto(address);
      await victim.hydrated();
      await victim.type(await latchkey.code(2));
      await expect(victim.heading('Not signed in: nothing has come back')).toBeVisible();
      await victim.page.close();
      await page.bringToFront();
      await expect(journey.heading('Verified')).toBeVisible({ timeout: 20_000 });
      await page.reload();
      await expect(journey.heading('Verified')).toBeVisible();
      await expect(page.locator('form')).toHaveCount(0);
      await page.goto(`${shop}/done`);
      await expect(page.getByRole('heading', { name: /^Not signed in/ })).toBeVisible();

      await start();
      const code = await latchkey.code(3);
      await journey.type(wrong(code));
      await expect(journey.error).toHaveText(/^Incorrect OTP!/);
      await journey.type(code);
      await expect(journey.heading('Signed in as jo@example.com')).toBeVisible();

      // A forged return form is refused.
      const body = new URLSearchParams({ result: 'approved', state: 'anything', token: 'a.b.c' });
      const forged = await fetch(`${shop}/return`, { method: 'POST', body });
      expect(await forged.text()).toContain('Not signed in');
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
}
