// The small part of a browser that the journeys use, so that each engine can be driven by its own protocol.
import { randomUUID } from 'node:crypto';

import { expect } from '@playwright/test';

import type { Faults } from '../faults.ts';

/** A browser that runs. */
export interface Engine {
  /** Opens an empty tab, which knows nothing of those before it. */
  tab(): Promise<Tab>;
  end(): Promise<void>;
}

export interface Tab {
  /** What the engine tells of errors; WebKit's driver tells of none. */
  readonly faults: Faults;
  open(url: string): Promise<void>;
  go(way: 'back' | 'forward' | 'reload'): Promise<void>;
  /** The value of an expression in the page or in the frame of its first `<otp-verification>`. */
  evaluate(expression: string, inFrame: boolean): Promise<unknown>;
  /** Clicks with the mouse on the element that an expression gives. */
  click(expression: string, inFrame: boolean): Promise<void>;
  /** Types key by key into the element that has the focus. */
  type(text: string): Promise<void>;
  /** Presses keys together: `Enter`, `Control+a`. */
  press(keys: string): Promise<void>;
  picture(path: string): Promise<void>;
  close(): Promise<void>;
}

export interface Options {
  /** Whether pages may run scripts. */
  script: boolean;
}

/** Expression of the frame in the first `<otp-verification>`. */
export const frameOfElement = `document.querySelector('otp-verification')?.shadowRoot?.querySelector('iframe')`;

/** The first path at which a program is, by an environment variable or as systems install it. */
export function installed(variable: string, name: string, exists: (path: string) => boolean, usual: string[]): string {
  const named = process.env[variable];
  const found = named ?? usual.find(exists);
  if (!found || !exists(found)) {
    const place = named ? `it is not at ${named}` : `it is at none of ${usual.join(', ')}`;
    throw new Error(`${name} is not installed: ${place}. Run scripts/setup.sh --with-tests, or set ${variable}.`);
  }
  return found;
}

/** Looks until a check holds, for ten seconds by default; reports its last failure. */
export async function eventually(check: () => Promise<void>, seconds = 10): Promise<void> {
  await expect(check).toPass({ intervals: [20, 50, 100, 200], timeout: seconds * 1_000 });
}

/** Makes a page leave, and waits until another document is shown. */
export async function another(evaluate: (expression: string) => Promise<unknown>, leave: () => Promise<unknown>): Promise<void> {
  const mark = randomUUID();
  await evaluate(`void (document.left = '${mark}')`);
  await leave();
  await eventually(async () => {
    const isShown = `document.left !== '${mark}' && document.readyState === 'complete'`;
    expect(await evaluate(isShown), 'another document is shown').toBe(true);
  });
}
