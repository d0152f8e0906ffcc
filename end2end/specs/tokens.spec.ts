// Result tokens, checked by independent libraries and by the server.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { snippet } from '../harness/documents.ts';
import { expect, test } from '../harness/test.ts';
import { call, forged, genuine } from '../harness/token.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../python/verify.py', import.meta.url));

/** Verifies tokens with PyJWT: the claims of each, or null. */
async function pyjwt(tokens: string[], ...args: string[]): Promise<(object | null)[]> {
  const child = spawn(join(process.env.LATCHKEY_PYTHON ?? '', 'python'), [script, ...args]);
  child.stderr.pipe(process.stderr);
  child.stdin.end(JSON.stringify(tokens));
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8')) said += text;
  return JSON.parse(said);
}

/** Verifies a token with jose: its claims, or null. */
function jose(origin: string) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', origin));
  return async (token: string, otherwise = {}) => {
    const expected = { algorithms: ['EdDSA'], issuer: origin, audience: 'demo', requiredClaims: ['sub', 'exp'] };
    return jwtVerify(token, keys, { ...expected, ...otherwise })
      .then(({ payload }) => payload)
      .catch(() => null);
  };
}

test('S20: jose and PyJWT accept a genuine token and refuse it for another audience, issuer or time', async ({
  latchkey,
}) => {
  const { origin } = latchkey;
  const token = await genuine(latchkey, 'Jane@example.com', 's1');
  const verify = jose(origin);
  const claims = (await verify(token))!;
  expect(claims).toMatchObject({
    iss: origin,
    aud: 'demo',
    channel: 'email',
    assurance: 'address_confirmation',
    state: 's1',
    origin: 'http://localhost:3001',
  });
  expect(claims.jti).toBe(claims.sub);
  expect(claims.exp! - claims.iat!).toBeLessThanOrEqual(300);
  const hash = createHash('sha256').update(`${claims.sub}.jane@example.com`).digest('base64url');
  expect(claims.recipient_hash).toBe(hash);
  expect(JSON.stringify(claims), 'only redeeming reveals the recipient').not.toMatch(/jane/i);
  expect(await pyjwt([token], origin, 'demo')).toEqual([claims]);

  expect(await verify(token, { audience: 'shop' })).toBeNull();
  expect(await verify(token, { issuer: 'https://evil.example' })).toBeNull();
  expect(await verify(token, { currentDate: new Date(claims.exp! * 1000) })).toBeNull();
  expect(await pyjwt([token], origin, 'shop')).toEqual([null]);
  expect(await pyjwt([token], 'https://evil.example', 'demo', '0', origin)).toEqual([null]);
  expect(await pyjwt([token], origin, 'demo', '-300')).toEqual([null]);
});

test('S20: jose, PyJWT and the API refuse forged tokens, and the genuine one is redeemed once', async ({
  latchkey,
}) => {
  const { origin } = latchkey;
  const token = await genuine(latchkey, 'sam@example.com', 's2');
  const { keys } = await (await fetch(`${origin}/.well-known/jwks.json`)).json();
  const corpus = forged(token, keys);
  expect(corpus.length).toBeGreaterThan(40);
  const verify = jose(origin);
  for (const forgery of corpus) expect(await verify(forgery), forgery).toBeNull();
  expect(await pyjwt(corpus, origin, 'demo')).toEqual(corpus.map(() => null));
  for (const forgery of corpus) {
    const refused = await call(latchkey, '/v1/tokens/redeem', { token: forgery });
    expect([refused.status, refused.json.code], forgery).toEqual([422, 'invalid_token']);
  }
  const redeemed = await call(latchkey, '/v1/tokens/redeem', { token });
  expect(redeemed.json).toMatchObject({ state: 'approved', recipient: 'sam@example.com', page_state: 's2' });
  const again = await call(latchkey, '/v1/tokens/redeem', { token });
  expect([again.status, again.json.code]).toEqual([409, 'token_already_redeemed']);
});

test('the snippets of docs/API.md verify a token', async ({ latchkey }) => {
  const example = (language: string) =>
    snippet('docs/API.md', 'Verify a token yourself', language).replaceAll('http://127.0.0.1:3000', latchkey.origin);
  const token = await genuine(latchkey, 'jo@example.com', 's3');
  const claims = (await jose(latchkey.origin)(token))!;

  const js = `${example('js')}\nconsole.log(JSON.stringify(await verify('${token}')));`;
  const options = { cwd: fileURLToPath(new URL('..', import.meta.url)) };
  const node = await run(process.execPath, ['--input-type=module', '-e', js], options);
  expect(JSON.parse(node.stdout)).toEqual(claims);

  const py = `${example('python')}\nimport json\nprint(json.dumps(verify("${token}")))`;
  const python = await run(join(process.env.LATCHKEY_PYTHON ?? '', 'python'), ['-c', py]);
  expect(JSON.parse(python.stdout)).toEqual(claims);
});
