// A stand-in for Twilio and the text messages sent to it.
import { fileURLToPath } from 'node:url';

import { Child, type Event } from './child.ts';
import type { Settings } from './latchkey.ts';

const sid = `AC${'5'.repeat(32)}`;
const token = 'a token of the account';

export interface TextMessage {
  to: string;
  from: string;
  body: string;
  /** `ValidityPeriod` in seconds: Twilio discards the message after it. */
  validity: number;
  code: string;
}

export class TextGateway {
  readonly sender = '+447700900009';
  #child!: Child;
  #port!: number;

  static async start(): Promise<TextGateway> {
    const gateway = new TextGateway();
    const program = fileURLToPath(new URL('../servers/twilio.mjs', import.meta.url));
    gateway.#child = new Child(program, '--sid', sid, '--token', token);
    gateway.#port = (await gateway.#child.event('listening')).port as number;
    return gateway;
  }

  /** Settings with which Latchkey uses it, by the names of common Twilio scripts. */
  get settings(): Settings {
    return {
      TWILIO_SID: sid,
      TWILIO_AUTH_TOKEN: token,
      SENDER_NUMBER: this.sender,
      LATCHKEY_TWILIO__BASE_URL: `http://127.0.0.1:${this.#port}`,
    };
  }

  /** Waits for the message to a number. */
  async message(to: string): Promise<TextMessage> {
    const isFor = (event: Event) => (event.fields as Record<string, string>).To === to;
    const fields = (await this.#child.event('message', isFor)).fields as Record<string, string>;
    const code = /^@\S+ #(\d{4,10})(?: @\S+)?$/m.exec(fields.Body)?.[1];
    if (!code) throw new Error('the message has no line that binds a code to an origin');
    return {
      to: fields.To,
      from: fields.From,
      body: fields.Body,
      validity: Number(fields.ValidityPeriod),
      code,
    };
  }

  /** Waits for the message to a number; gives the URL of its status callbacks. */
  async callback(to: string): Promise<string> {
    const isFor = (event: Event) => (event.fields as Record<string, string>).To === to;
    return ((await this.#child.event('message', isFor)).fields as Record<string, string>).StatusCallback;
  }

  async end(): Promise<void> {
    await this.#child.end();
  }
}
