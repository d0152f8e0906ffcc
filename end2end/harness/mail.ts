// A real mail server and the messages delivered to it.
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime, { type Email } from 'postal-mime';

import { Child, type Event } from './child.ts';
import type { Settings } from './latchkey.ts';

const servers = fileURLToPath(new URL('../servers', import.meta.url));
const user = 'postmaster@example.com';
const password = 'correct horse battery';

export interface DeliveredMail {
  from: string;
  /** Sent over TLS, by this authenticated user. */
  secure: boolean;
  user: string;
  mail: Email;
  /** The code, which is alone on its line. */
  code: string;
}

/** Requires STARTTLS and AUTH, like mail providers. */
export class MailServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'latchkey-mail-'));
  #child!: Child;
  #port!: number;

  static async start(): Promise<MailServer> {
    const server = new MailServer();
    execFileSync('sh', [join(servers, 'certificate.sh'), server.#folder]);
    const options = ['--tls', server.#folder, '--user', user, '--password', password];
    server.#child = new Child(join(servers, 'smtp.mjs'), ...options);
    server.#port = (await server.#child.event('listening')).port as number;
    return server;
  }

  /** Settings with which Latchkey uses it. */
  get settings(): Settings {
    return {
      SMTP_URL: `smtp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@localhost:${this.#port}`,
      LATCHKEY_SMTP__FROM: 'Latchkey <otp@example.com>',
      LATCHKEY_SMTP__CA_FILE: join(this.#folder, 'cert.pem'),
    };
  }

  /** Waits for the n-th message to an address. */
  async message(to: string, n = 1): Promise<DeliveredMail> {
    const isFor = (event: Event) => (event.to as string[]).includes(to);
    const event = await this.#child.event('message', isFor, n);
    const mail = await PostalMime.parse(event.raw as string);
    const code = /^\d{4,10}$/m.exec(mail.text ?? '')?.[0];
    if (!code) throw new Error('the text of the message holds no line with a code alone');
    const { from, secure } = event;
    return { from: from as string, secure: secure as boolean, user: event.user as string, mail, code };
  }

  async end(): Promise<void> {
    await this.#child.end();
    rmSync(this.#folder, { recursive: true });
  }
}
