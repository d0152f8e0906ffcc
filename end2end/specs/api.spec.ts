// The JSON API as used by clients that were written from the documents, and by a generic tool.
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Latchkey } from '../harness/latchkey.ts';
import { expect, test, wrong } from '../harness/test.ts';

const here = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const run = promisify(execFile);

/** Folder of the Python tools that scripts/setup.sh has installed. */
const python = process.env.LATCHKEY_PYTHON ?? '';

test('a shell script signs a person up', async ({ latchkey }) => {
  const { stdout } = await run(here('clients/curl.sh'), [latchkey.origin, 'jane@example.com']);
  expect(stdout.trim()).toBe('approved');
});

test('the back end of a mobile app signs a person up', async ({ latchkey }) => {
  const environment = { ...process.env, LATCHKEY_URL: latchkey.origin, LATCHKEY_KEY: 'lk_sec_demo' };
  const server = spawn('python3', [here('clients/mobile_back_end.py')], { env: environment });
  try {
    const { port } = await new Promise<{ port: number }>((resolve) => {
      server.stdout.once('data', (line) => resolve(JSON.parse(String(line))));
    });
    const app = async (path: string, body: object) => {
      const options = { method: 'POST', body: JSON.stringify({ intent: randomUUID(), ...body }) };
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, options);
      return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
    };
    const typo = await app('/sign-up', { phone: '07400' });
    expect(typo).toMatchObject({ status: 422, why: 'invalid_recipient' });
    const signUp = { phone: '07400 123456', intent: randomUUID() };
    const begun = await app('/sign-up', signUp);
    expect(begun).toMatchObject({ status: 200, sent_to: '+44 ••• ••56', digits: 6 });
    expect((await app('/sign-up', signUp)).status, 'a retry of the app').toBe(200);
    const { ticket } = begun as unknown as { ticket: string };
    const code = await latchkey.code();
    const guess = { ticket, code: wrong(code), intent: randomUUID() };
    const missed = await app('/code', guess);
    expect(missed).toMatchObject({ signed_up: false, why: 'incorrect', left: 4 });
    expect(await app('/code', guess), 'a retry of the app').toEqual(missed);
    expect(await app('/again', { ticket })).toMatchObject({ status: 429, wait: expect.any(Number) });
    const typed = `${code.slice(0, 3)} ${code.slice(3)}`;
    expect(await app('/code', { ticket, code: typed })).toMatchObject({ signed_up: true });
    const again = await app('/code', { ticket, code });
    expect(again).toMatchObject({ signed_up: false, why: 'already_used' });
    expect(await latchkey.caught(), 'messages').toHaveLength(1);
  } finally {
    server.kill();
  }
});

test('Schemathesis finds nothing with every check it has', async ({}, testInfo) => {
  test.setTimeout(240_000);
  // Without waits and limits, which other tests cover.
  const latchkey = await Latchkey.start({
    LATCHKEY_POLICY__RESEND_WAITS: '0',
    LATCHKEY_LIMITS__CALLER_SENDS_PER_5_MINUTES: '1000000',
    LATCHKEY_LIMITS__CALLER_CHECKS_PER_MINUTE: '1000000',
    LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_10_MINUTES: '1000',
    LATCHKEY_LIMITS__RECIPIENT_SENDS_PER_HOUR: '1000',
    LATCHKEY_WORK__ENABLED: 'false',
    LATCHKEY_DELIVERY__CHANNELS: 'email,sms,whatsapp,voice',
    LATCHKEY_LOG__LEVEL: 'warn,server=info',
  });
  try {
    const folder = testInfo.outputPath('schemathesis');
    cpSync(here('python'), folder, { recursive: true });
    const description = `${latchkey.origin}/v1/openapi.json`;
    const options = ['run', description, '--checks', 'all', '--no-color'];
    // Without these variables it would draw a progress bar.
    const env = { ...process.env, FORCE_COLOR: undefined, TERM: 'dumb' };
    const tool = run(join(python, 'st'), options, { cwd: folder, env, maxBuffer: 1e8 });
    const outcome = await tool.catch((error) => error);
    expect(outcome.code ?? 0, `${outcome.stdout}${outcome.stderr}`).toBe(0);
    // Every operation must have been accepted at least once, or the run would prove nothing.
    const seen: Record<string, number[]> = JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8'));
    expect(Object.keys(seen).sort()).toEqual([
      'DELETE /v1/verifications/{id}',
      'GET /.well-known/jwks.json',
      'GET /v1/verifications/{id}',
      'POST /v1/tokens/redeem',
      'POST /v1/verifications',
      'POST /v1/verifications/{id}/checks',
      'POST /v1/verifications/{id}/sends',
    ]);
    for (const [operation, statuses] of Object.entries(seen)) {
      expect(statuses.some((status) => status < 300), `${operation} was never accepted`).toBe(true);
    }
  } finally {
    await latchkey.end();
  }
});
