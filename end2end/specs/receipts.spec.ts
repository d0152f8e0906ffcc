// Status callbacks of Twilio, signed and checked by Twilio's own libraries.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import twilio from 'twilio';

import { Latchkey } from '../harness/latchkey.ts';
import { expect, test } from '../harness/test.ts';
import { TextGateway } from '../harness/texts.ts';

type Fields = Record<string, string | string[]>;
interface Case {
  token: string;
  url: string;
  fields: Fields;
}

const script = fileURLToPath(new URL('../python/sign.py', import.meta.url));

/** The signature of each case by PyPI `twilio`, and whether it accepts that of npm `twilio`. */
async function python(cases: (Case & { signature: string })[]): Promise<{ signature: string; accepted: boolean }[]> {
  const child = spawn(join(process.env.LATCHKEY_PYTHON ?? '', 'python'), [script]);
  child.stderr.pipe(process.stderr);
  child.stdin.end(JSON.stringify(cases));
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8')) said += text;
  return JSON.parse(said);
}

const node = ({ token, url, fields }: Case) => twilio.getExpectedTwilioSignature(token, url, fields);

/** Posts fields, repeated ones in their order. */
async function post(url: string, signature: string, fields: Fields): Promise<number> {
  const body = new URLSearchParams();
  for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) body.append(name, value);
  return (await fetch(url, { method: 'POST', body, headers: { 'x-twilio-signature': signature } })).status;
}

test('S22: callbacks that npm and PyPI twilio sign are accepted, and altered ones are refused', async () => {
  const gateway = await TextGateway.start();
  const latchkey = await Latchkey.start({ ...gateway.settings, LATCHKEY_DELIVERY__RECEIPTS: 'on' });
  try {
    const token = gateway.settings.TWILIO_AUTH_TOKEN;
    const api = (path: string, init = {}) =>
      fetch(`${latchkey.origin}/v1/verifications${path}`, {
        headers: { authorization: 'Bearer lk_sec_demo', 'content-type': 'application/json' },
        ...init,
      });
    /** A verification by text: its id, and the URL of the callbacks for its message. */
    const begin = async (to: string) => {
      const begun = await api('', { method: 'POST', body: JSON.stringify({ to }) });
      const { id } = await begun.json();
      return { id, url: await gateway.callback(to) };
    };
    const state = async (id: string) => (await (await api(`/${id}`)).json()).delivery.state;

    const statuses: [Fields, string][] = [
      [{ MessageSid: 'SM1', MessageStatus: 'delivered', To: '+447400123450' }, 'delivered'],
      [{ CallStatus: 'no-answer', Caller: 'J\u00fcrgen & "co" +%20', Empty: '' }, 'undelivered'],
      [{ MessageStatus: 'delivered', Repeated: ['b', 'a', 'b'], a: 'Z', Z: 'a', AA: '\u20ac' }, 'delivered'],
      [{ MessageStatus: 'failed', ErrorCode: '30003', ErrorMessage: '' }, 'undelivered'],
    ];
    for (const [index, [fields, expected]] of statuses.entries()) {
      const { id, url } = await begin(`+44740012345${index}`);
      const port = new URL(url).port;
      const signed = [url, url.replace(`:${port}`, '')].map((url) => ({ token, url, fields }));
      const altered: Case[] = [
        { token: 'another', url, fields },
        { token, url: `${url}?x=1`, fields },
        { token, url: url.replace(port, '1'), fields },
        { token, url: url.replace('127.0.0.1', 'localhost'), fields },
        { token, url, fields: { ...fields, MessageStatus: 'sent' } },
        { token, url, fields: { ...fields, More: '' } },
      ];
      const cases = [...signed, ...altered].map((one) => ({ ...one, signature: node(one) }));
      const byPython = await python(cases);
      for (const [at, { signature }] of cases.entries()) {
        expect(byPython[at], 'both libraries agree').toEqual({ signature, accepted: true });
        if (at < signed.length) continue;
        expect(twilio.validateRequest(token, signature, url, fields), `${index} ${at}`).toBe(false);
        expect(await post(url, signature, fields), `${index} ${at}`).toBe(404);
      }
      expect(await state(id)).toBe('sent');
      for (const { signature } of cases.slice(0, signed.length)) {
        expect(twilio.validateRequest(token, signature, url, fields)).toBe(true);
        expect(await post(url, signature, fields)).toBe(204);
      }
      expect(await state(id)).toBe(expected);
    }
  } finally {
    await latchkey.end();
    await gateway.end();
  }
});

test('S22: a body of another type, which is signed by its digest, is refused', async () => {
  const gateway = await TextGateway.start();
  const latchkey = await Latchkey.start({ ...gateway.settings, LATCHKEY_DELIVERY__RECEIPTS: 'on' });
  try {
    const begun = await fetch(`${latchkey.origin}/v1/verifications`, {
      method: 'POST',
      headers: { authorization: 'Bearer lk_sec_demo', 'content-type': 'application/json' },
      body: JSON.stringify({ to: '+447400123459' }),
    });
    expect(begun.status).toBe(201);
    const token = gateway.settings.TWILIO_AUTH_TOKEN;
    const body = JSON.stringify({ MessageStatus: 'delivered' });
    const url = `${await gateway.callback('+447400123459')}?bodySHA256=${twilio.getExpectedBodyHash(body)}`;
    const signature = twilio.getExpectedTwilioSignature(token, url, {});
    expect(twilio.validateRequestWithBody(token, signature, url, body)).toBe(true);
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      const headers = { 'content-type': type, 'x-twilio-signature': signature };
      expect((await fetch(url, { method: 'POST', body, headers })).status, type).toBe(404);
    }
  } finally {
    await latchkey.end();
    await gateway.end();
  }
});
