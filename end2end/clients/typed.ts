// A back end with the types that are generated from the description, beside this file as latchkey.ts.
import createClient from 'openapi-fetch';

import type { components, paths } from './latchkey.ts';

type Channel = components['schemas']['Channel'];
type Words = components['schemas'];

const client = createClient<paths>({
  baseUrl: 'https://otp.example.com',
  headers: { Authorization: 'Bearer lk_sec_demo' },
});

/** Starts a verification, and sends another code by the channel of the first one. */
export async function again(to: string, channel: Channel | null): Promise<Words['State']> {
  const begun = await client.POST('/v1/verifications', { body: { to, channel } });
  if (begun.error) throw new Error(explain(begun.error));
  const used: Channel = begun.data.delivery.channel;
  const params = { path: { id: begun.data.id } };
  const sent = await client.POST('/v1/verifications/{id}/sends', { params, body: { channel: used } });
  if (sent.error) throw new Error(explain(sent.error));
  const channels: Channel[] = sent.data.channels;
  return channels.includes(used) ? sent.data.state : 'failed';
}

function explain(problem: Words['Problem']): string {
  const limit: Words['Limit'] | undefined = problem.limit;
  const wrong: Words['RecipientProblem'] | undefined = problem.problem;
  // @ts-expect-error: there is no such code.
  if (problem.code === 'no_such_code') return '';
  return problem.code === 'rate_limited' ? `${limit}` : `${problem.code} ${wrong}`;
}
