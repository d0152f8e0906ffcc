// Sessions: one for each browser, in memory, found by a cookie.
import { randomBytes } from 'node:crypto';

const random = () => randomBytes(16).toString('base64url');

export class Sessions {
  #sessions = new Map();

  /** The session of a request, and the cookie to set where it is a new one. */
  of(cookies = '') {
    const id = /(?:^|; )session=([\w-]+)/.exec(cookies)?.[1];
    const known = this.#sessions.get(id);
    if (known) return { session: known };
    const fresh = random();
    // `state` is what the page hands to the element and what comes back with the proof. It is
    // secret, belongs to this session alone, and is renewed with every proof.
    const session = { state: random() };
    this.#sessions.set(fresh, session);
    return { session, cookie: `session=${fresh}; Path=/; HttpOnly; SameSite=Lax` };
  }

  renewState(session) {
    session.state = random();
  }
}
