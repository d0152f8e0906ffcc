// Request of the element for a verification.
import { type Work, answer } from './answer.ts';

/** Number of demands of work that are met for one request: others can make it harder meanwhile. */
const maxDemands = 5;

/** The URL of the frame, or a problem. */
export type Reply = { url?: unknown; code?: unknown; retry_after?: unknown };

/**
 * Asks the server for a verification, and does the work that it demands while many are asked for. The recipient is
 * sent to the server directly, so that no URL and no message holds it. Ends early once `isNeeded` is false.
 */
export async function request(
  origin: string,
  fields: Record<string, string | undefined>,
  isNeeded: () => boolean,
): Promise<Reply> {
  let work: string | undefined;
  for (let demands = 0; ; demands += 1) {
    const response = await fetch(`${origin}/embed/verifications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...fields, work }),
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
    });
    const reply: Reply & Work = await response.json();
    if (reply.code !== 'work_needed' || demands === maxDemands || !isNeeded()) return reply;
    work = await answer(reply);
    if (!isNeeded()) return reply;
  }
}
