// The hosted flow, with and without script: a relying party on another site sends people to our page and gets
// them back.
import type { RelyingParty } from '../relying-party.ts';
import type { Card } from './card.ts';
import { expect, test } from './test.ts';
import type { Visitor } from './visitor.ts';

/** Goes from the relying party to our page. */
export async function visit(tea: RelyingParty, visitor: Visitor, card: Card, recipient: string): Promise<void> {
  tea.recipient = recipient;
  await visitor.tab.open(tea.origin);
  await visitor.click(['link', 'Sign in']);
  await card.ready();
}

export const cancel = 'Cancel and return to Tea & Co';

/** Defines the tests of the ways back. */
export function waysBack(script: boolean): void {
  /** Presses the button back, which a script does by itself. */
  async function leave(visitor: Visitor): Promise<void> {
    if (!script) await visitor.click(['button', 'Return to Tea & Co']);
  }

  test('an approved person returns with a token', async ({ card, tea, to, visitor }) => {
    await visit(tea, visitor, card, to);
    await visitor.sees('img[alt="Tea & Co"]');
    await visitor.sees(['link', 'Help from Tea & Co']);
    await card.type(await card.code(to));
    if (!script) await card.ends('Login Success!');
    await leave(visitor);
    await card.ends(`Welcome, ${to}`);

    const [{ fields, headers }, ...others] = tea.returns;
    expect(others).toEqual([]);
    expect(Object.keys(fields).sort()).toEqual(['result', 'state', 'token']);
    expect(fields.result).toBe('approved');
    // As documented in `docs/HOSTED.md`.
    expect([headers.origin, headers.referer, headers.cookie]).toEqual(['null', undefined, undefined]);
  });

  test('a person who cancels returns without a token', async ({ card, tea, visitor }) => {
    await visit(tea, visitor, card, 'cancels@example.com');
    await visitor.click(['button', cancel]);
    await leave(visitor);
    await card.ends('Not signed in: canceled');
    expect(Object.keys(tea.returns[0].fields).sort()).toEqual(['result', 'state']);
  });

  test('after too many wrong codes a button leads back', async ({ card, tea, to, visitor }) => {
    await visit(tea, visitor, card, to);
    await card.lock(await card.code(to));
    expect(tea.returns).toEqual([]);
    await visitor.click(['button', 'Return to Tea & Co']);
    await card.ends('Not signed in: max_attempts_reached');
  });
}
