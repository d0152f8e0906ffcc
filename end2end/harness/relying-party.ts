// A relying party on another site that redirects people to Latchkey: a real server with sessions in
// cookies.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, type Server, createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Settings } from './latchkey.ts';

const secretKey = 'lk_sec_of-a-product-under-test';

/** A return form, as posted by the browser. */
export interface Return {
  fields: Record<string, string>;
  headers: IncomingHttpHeaders;
}

export class RelyingParty {
  origin = '';
  /** Origin of Latchkey. */
  latchkey = '';
  /** Address of the next visitor. */
  recipient = 'jo@example.com';
  /** All return forms that were posted. */
  readonly returns: Return[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'relying-party-'));
  readonly #server: Server = createServer((request, response) => {
    this.#answer(request).then(
      ({ status = 200, headers = {}, body = '' }) => {
        response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', ...headers });
        response.end(body && `<!DOCTYPE html><html lang="en"><title>Tea</title><h1>${body}</h1></html>`);
      },
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  /** Greetings of the people who are signed in, by the `state` in the cookie of their browser. */
  readonly #welcome = new Map<string, string>();

  static async start(): Promise<RelyingParty> {
    const party = new RelyingParty();
    await once(party.#server.listen(0, 'localhost'), 'listening');
    party.origin = `http://localhost:${(party.#server.address() as AddressInfo).port}`;
    writeFileSync(party.#configuration, party.site);
    writeFileSync(party.#logo, logo);
    return party;
  }

  /** Configuration of this site. */
  get site(): string {
    const digest = createHash('sha256').update(secretKey).digest('hex');
    return `
      [[sites]]
      name = "tea"
      secret_keys = ["sha256:${digest}"]
      return_urls = ["${this.origin}/return"]
      brand.name = "Tea & Co"
      brand.logo = "${this.#logo}"
      brand.accent = "#7a0019"
      brand.support = "mailto:help@tea.example"
    `;
  }

  get #configuration(): string {
    return join(this.#folder, 'latchkey.toml');
  }

  get #logo(): string {
    return join(this.#folder, 'logo.svg');
  }

  /** Settings with which Latchkey knows this site. */
  get settings(): Settings {
    return { LATCHKEY_CONFIG: this.#configuration };
  }

  /** Calls the API with the secret key. */
  async call(path: string, body: object): Promise<{ status: number; answer: Record<string, unknown> }> {
    const headers = { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' };
    const response = await fetch(this.latchkey + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
    rmSync(this.#folder, { recursive: true });
  }

  async #answer(request: IncomingMessage): Promise<{ status?: number; headers?: object; body?: string }> {
    switch (`${request.method} ${request.url}`) {
      case 'GET /':
        return { body: '<a href="/sign-in">Sign in</a>' };
      case 'GET /sign-in': {
        const state = randomBytes(16).toString('base64url');
        const { recipient } = this;
        const { answer } = await this.call('/v1/verifications', {
          to: recipient,
          return_url: `${this.origin}/return`,
          state,
        });
        const cookie = `state=${state}; Path=/; HttpOnly; SameSite=Lax`;
        return { status: 303, headers: { location: answer.url, 'set-cookie': cookie } };
      }
      // A cross-site request, so browsers send no cookie with it. The form is stored in a cookie of this
      // browser, which sends it with the redirected request.
      case 'POST /return': {
        const body = await text(request);
        const fields = Object.fromEntries(new URLSearchParams(body));
        this.returns.push({ fields, headers: request.headers });
        const cookie = `returned=${encodeURIComponent(body)}; Path=/done; Max-Age=60; HttpOnly; SameSite=Lax`;
        return { status: 303, headers: { location: '/done', 'set-cookie': cookie } };
      }
      case 'GET /done': {
        const state = cookieOf(request, 'state');
        const fields = Object.fromEntries(new URLSearchParams(decodeURIComponent(cookieOf(request, 'returned'))));
        if (state && fields.state === state && !this.#welcome.has(state)) {
          const said = await this.#outcome(fields);
          if (!said.startsWith('Welcome')) return { body: said };
          this.#welcome.set(state, said);
        }
        return { body: this.#welcome.get(state) ?? 'Not signed in: nothing is known of you' };
      }
      case 'GET /favicon.ico':
        return { status: 204 };
      default:
        return { status: 404, body: 'Nothing here' };
    }
  }

  /** Only a redeemed token is a proof; all other fields come from the browser. */
  async #outcome({ result, token, state }: Record<string, string>): Promise<string> {
    if (!token) return `Not signed in: ${result}`;
    const { status, answer } = await this.call('/v1/tokens/redeem', { token });
    if (status !== 200 || answer.page_state !== state) return `Not signed in: ${answer.code ?? 'not yours'}`;
    return `Welcome, ${answer.recipient}`;
  }
}

function cookieOf(request: IncomingMessage, name: string): string {
  return new RegExp(`(?:^|; )${name}=([^;]*)`).exec(request.headers.cookie ?? '')?.[1] ?? '';
}

async function text(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 140 32">
  <style>
    :root { color: #7a0019 }
    @media (prefers-color-scheme: dark) { :root { color: #e8a0ae } }
  </style>
  <path d="M6 8h20v8a10 10 0 0 1-20 0zM26 10h3a3 3 0 0 1 0 7h-3" fill="none" stroke="currentColor" stroke-width="3"/>
  <text x="42" y="23" font-family="sans-serif" font-size="18" font-weight="700" fill="currentColor">Tea &amp; Co</text>
</svg>`;
