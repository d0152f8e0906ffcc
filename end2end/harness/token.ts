// Genuine result tokens, obtained as a shop's page does, and forged ones.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

import type { Latchkey } from './latchkey.ts';

type Json = Record<string, unknown>;

const shop = 'http://localhost:3001';

/** Calls the JSON API with the secret key of the site `demo`. */
export async function call(latchkey: Latchkey, path: string, body: object, headers: HeadersInit = {}) {
  const answer = await fetch(`${latchkey.origin}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer lk_sec_demo', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, json: (await answer.json()) as Json };
}

/** The token of a verification that was approved in a frame of the shop's page. */
export async function genuine(latchkey: Latchkey, to: string, state: string): Promise<string> {
  return approved(latchkey, 'demo', to, state);
}

/** A token of the site that approves the code 000000 without sending a message. */
export async function rehearsed(latchkey: Latchkey, state: string): Promise<string> {
  return approved(latchkey, 'test_approve', 'jo@example.com', state, '000000');
}

async function approved(latchkey: Latchkey, site: string, to: string, state: string, known = '') {
  const siteKey = `lk_pub_${site}`;
  const begin = { site_key: siteKey, to, channel: 'email', state };
  const sent = known ? 0 : (await latchkey.caught(0)).length;
  const begun = await call(latchkey, '/embed/verifications', begin, { origin: shop });
  const path = String(begun.json.url);
  const code = known || (await latchkey.code(sent + 1));
  const frame = new URLSearchParams({ site_key: siteKey, origin: shop, state });
  // The token is in the answer to the check and nowhere else.
  const checked = await fetch(`${latchkey.origin}${path}/check?${frame}`, {
    method: 'POST',
    headers: { origin: latchkey.origin },
    body: new URLSearchParams({ code }),
  });
  const page = await checked.text();
  return /data-token="([^"]+)"/.exec(page)![1];
}

const part = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url');
const read = (text: string): Json => JSON.parse(Buffer.from(text, 'base64url').toString());

/** Forgeries that an attacker can make from a token and the published keys (S20). */
export function forged(token: string, keys: { kid: string; x: string }[]): string[] {
  const [first, second, signature] = token.split('.');
  const [header, claims] = [read(first), read(second)];
  const tokens: string[] = [];

  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null]) {
    const unsigned = `${part({ ...header, alg })}.${second}`;
    tokens.push(`${unsigned}.`, `${unsigned}.${signature}`);
  }

  // The public key used as an HMAC secret.
  const [key] = keys;
  const secrets = [Buffer.from(key.x, 'base64url'), key.x, JSON.stringify(key), JSON.stringify({ keys })];
  for (const [alg, hash] of [['HS256', 'sha256'], ['HS384', 'sha384'], ['HS512', 'sha512']]) {
    for (const secret of secrets) {
      const body = `${part({ ...header, alg })}.${second}`;
      tokens.push(`${body}.${createHmac(hash, secret).update(body).digest('base64url')}`);
    }
  }

  const altered: Json = {
    aud: 'shop',
    exp: 9_999_999_999,
    iss: 'https://evil.example',
    jti: 'another',
    origin: 'https://evil.example',
    purpose: 'payment',
    recipient_hash: 'AAAA',
    state: 'another',
    sub: 'another',
  };
  for (const [name, value] of Object.entries(altered)) {
    tokens.push(`${first}.${part({ ...claims, [name]: value })}.${signature}`);
  }

  // Valid signatures of another key.
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });
  for (const extra of [
    {},
    { kid: 'evil' },
    { kid: '../../dev/null' },
    { kid: null },
    { jwk },
    { kid: 'evil', jwk },
    { jku: 'https://evil.example/jwks.json' },
    { x5u: 'https://evil.example/cert.pem' },
    { crit: ['exp'] },
    { b64: false, crit: ['b64'] },
  ]) {
    const body = `${part({ ...header, ...extra })}.${second}`;
    tokens.push(`${body}.${sign(null, Buffer.from(body), privateKey).toString('base64url')}`);
  }

  const last = Buffer.from(signature, 'base64url');
  const flipped = (index: number) => last.map((byte, n) => (n === index ? byte ^ 1 : byte));
  for (const index of [0, 31, 32, 63]) {
    tokens.push(`${first}.${second}.${Buffer.from(flipped(index)).toString('base64url')}`);
  }
  tokens.push(
    `${first}.${second}`,
    `${first}.${second}.`,
    `${first}.${second}.${Buffer.alloc(64).toString('base64url')}`,
    `${first}.${second}.${signature.slice(0, 40)}`,
    `${token}.${signature}`,
    `${second}.${first}.${signature}`,
    '..',
    'x',
  );
  return tokens;
}
