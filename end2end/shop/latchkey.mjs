// The two calls of Latchkey's API that a shop needs, with its secret key: never in a browser.
import { randomUUID } from 'node:crypto';

export class Latchkey {
  #origin;
  #secretKey;

  constructor(origin, secretKey) {
    this.#origin = origin;
    this.#secretKey = secretKey;
  }

  /** Redeems a result token. What it proves, or `undefined` where it proves nothing (any more). */
  async redeem(token) {
    const response = await this.#post('/v1/tokens/redeem', { token });
    if (response.ok) return response.json();
    // Altered, expired, redeemed before, or another site's: whoever sends such a token gets nothing.
    if (response.status >= 400 && response.status < 500) return undefined;
    throw new Error(`redeeming a token: ${response.status}`);
  }

  /** Starts a verification on Latchkey's own page: where to send the person, or `undefined`. */
  async start(verification) {
    const response = await this.#post('/v1/verifications', verification);
    return response.ok ? (await response.json()).url : undefined;
  }

  /** Posts once, and once more where no answer came: the key makes both one and the same request. */
  async #post(path, body) {
    const request = {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#secretKey}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify(body),
    };
    const post = () => fetch(this.#origin + path, { ...request, signal: AbortSignal.timeout(5_000) });
    return post().catch(post);
  }
}
