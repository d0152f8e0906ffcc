// Webhooks, verified with the public library of Standard Webhooks.
import { createHash } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

import { Latchkey } from '../harness/latchkey.ts';
import { type Delivery, Receiver } from '../harness/receiver.ts';

const key = 'lk_sec_of-the-shop-and-of-nobody-else';

const configuration = (url: string, allowed: string[]) => `
[webhook]
allowed_networks = ${JSON.stringify(allowed)}

[[sites]]
name = "shop"
secret_keys = ["sha256:${createHash('sha256').update(key).digest('hex')}"]
[sites.webhook]
url = "${url}"
`;

/** Calls the API as the shop's back end. */
async function call(latchkey: Latchkey, path: string, body: object): Promise<any> {
  const answer = await fetch(`${latchkey.origin}/v1/verifications${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
  return answer.json();
}

test('the library accepts genuine webhooks and refuses altered ones', async () => {
  const receiver = await Receiver.start();
  const latchkey = await Latchkey.start({}, configuration(receiver.url, ['127.0.0.1']));
  const webhook = new Webhook(latchkey.run('keys', 'webhook', 'shop').trim());

  const { id } = await call(latchkey, '', { to: 'jane@example.com', metadata: { order: '42' } });
  const sent = await receiver.event('delivery.updated');
  const code = await latchkey.code();
  await call(latchkey, `/${id}/checks`, { code });
  const approved = await receiver.event('verification.approved');

  expect(webhook.verify(approved.body, approved.headers)).toMatchObject({
    type: 'verification.approved',
    data: {
      id,
      site: 'shop',
      state: 'approved',
      channel: 'email',
      recipient: 'j***@example.com',
      metadata: { order: '42' },
      delivery: { number: 1, state: 'sent', tries: 1 },
    },
  });
  expect(webhook.verify(sent.body, sent.headers)).toMatchObject({ type: 'delivery.updated' });
  expect(sent.headers['webhook-id']).not.toBe(approved.headers['webhook-id']);

  const old = String(Number(approved.headers['webhook-timestamp']) - 600);
  const altered: Record<string, Delivery> = {
    'another body': { ...approved, body: approved.body.replace(id, 'somebody-elses') },
    'one space more': { ...approved, body: `${approved.body} ` },
    'another id': {
      ...approved,
      headers: { ...approved.headers, 'webhook-id': sent.headers['webhook-id'] },
    },
    'an old time': { ...approved, headers: { ...approved.headers, 'webhook-timestamp': old } },
    'the signature of another event': {
      ...approved,
      headers: { ...approved.headers, 'webhook-signature': sent.headers['webhook-signature'] },
    },
  };
  for (const [what, { body, headers }] of Object.entries(altered)) {
    expect(() => webhook.verify(body, headers), what).toThrow(WebhookVerificationError);
  }
  const others = new Webhook(latchkey.run('keys', 'webhook', 'demo').trim());
  expect(() => others.verify(approved.body, approved.headers)).toThrow(WebhookVerificationError);
  // S8, at the highest log level. Timestamps are removed, since they may hold the digits of the code.
  const said = latchkey.log.replaceAll(/"timestamp":"[^"]*"/g, '') + approved.body + sent.body;
  expect(said).not.toContain('jane@example.com');
  expect(said).not.toMatch(new RegExp(`(?<!\\d)${code}(?!\\d)`));

  await latchkey.end();
  await receiver.end();
});

test('a receiver inside the network gets nothing unless the operator allows it', async () => {
  const receiver = await Receiver.start();
  const named = receiver.url.replace('127.0.0.1', 'localhost');
  for (const url of [receiver.url, named]) {
    const latchkey = await Latchkey.start({}, configuration(url, []));
    const begun = call(latchkey, '', { to: 'jane@example.com' });
    const arrived = receiver.event('delivery.updated').then(() => 'arrived');
    const refused = latchkey.logged('the address is not public').then(() => 'refused');
    await begun;
    expect(await Promise.race([arrived, refused]), url).toBe('refused');
    await latchkey.end();
  }
  await receiver.end();
});
