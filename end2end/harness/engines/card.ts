// The steps of a verification on our pages, the same in every engine.
import { expect } from '@playwright/test';

import { hint, wrong } from '../journey.ts';
import type { Latchkey } from '../latchkey.ts';
import { eventually } from './engine.ts';
import type { Visitor, What } from './visitor.ts';

export const field: What = ['textbox', /^Enter the \d+-digit code$/];
export const email: What = ['textbox', 'E-mail address'];

export class Card {
  readonly visitor: Visitor;
  readonly #latchkey: Latchkey;
  readonly #script: boolean;

  constructor(visitor: Visitor, latchkey: Latchkey, script: boolean) {
    this.visitor = visitor;
    this.#latchkey = latchkey;
    this.#script = script;
  }

  /** The card in the frame of the element. */
  get framed(): Card {
    return new Card(this.visitor.frame, this.#latchkey, this.#script);
  }

  /** Opens the start page and asks for a code. */
  async byEmail(address: string): Promise<void> {
    await this.visitor.tab.open(this.#latchkey.origin);
    await this.askFor(address);
  }

  /** Asks for a code on a start page that is shown. */
  async askFor(address: string): Promise<void> {
    await this.visitor.fill(email, address);
    await this.visitor.click(['button', 'SEND OTP']);
    await this.ready();
  }

  /** Waits until a code can be typed. */
  async ready(): Promise<void> {
    await this.visitor.sees(field);
    if (!this.#script) return;
    await eventually(async () => {
      const [text, visibility] = await this.visitor.of('#hint', (shown) => [
        shown.textContent!,
        getComputedStyle(shown).visibility,
      ]);
      expect([text.trim(), visibility], 'the card is hydrated').toEqual([hint, 'visible']);
    });
  }

  /** The code in the newest message to a recipient, once `count` have been sent to it. */
  async code(to: string, count = 1): Promise<string> {
    let code = '';
    await eventually(async () => {
      const messages = (await this.#latchkey.caught(0)).filter((message) => message.to === to);
      expect(messages.length, `messages to ${to}`).toBe(count);
      code = messages[0].code;
    });
    return code;
  }

  /** Types key by key into the field, over what it holds, and presses SUBMIT where no script does. */
  async type(code: string): Promise<void> {
    await this.visitor.fill(field, code);
    if (!this.#script) await this.visitor.click(['button', 'SUBMIT']);
  }

  async says(problem: string | RegExp): Promise<void> {
    await eventually(async () => {
      const said = await this.visitor.text('[role="alert"]');
      if (typeof problem === 'string') expect(said).toBe(problem);
      else expect(said).toMatch(problem);
    });
  }

  async ends(heading: string): Promise<void> {
    await this.visitor.sees(['heading', heading]);
  }

  async succeeds(): Promise<void> {
    await this.ends('Login Success!');
  }

  /** Types wrong codes until none are left. */
  async lock(code: string): Promise<void> {
    for (const [n, left] of ['4 tries', '3 tries', '2 tries', '1 try'].entries()) {
      await this.type(wrong(code, n + 1));
      await this.says(`Incorrect OTP! ${left} left.`);
    }
    await this.type(wrong(code, 5));
    await this.ends('Too many incorrect OTPs');
  }
}
