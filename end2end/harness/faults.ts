// What must not happen while a page is shown: errors in the console (violations of the
// Content-Security-Policy are among them), faults in a script, requests that fail.
import { type BrowserContext, expect } from '@playwright/test';

export class Faults {
  readonly #seen: string[] = [];
  readonly #awaited: RegExp[] = [];
  readonly #allowed: RegExp[] = [];

  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#note(message.text());
    });
    context.on('weberror', (fault) => this.#note(String(fault.error())));
    context.on('response', (response) => {
      if (response.status() >= 400) this.#note(`status of ${response.status()}: ${response.url()}`);
    });
    context.on('requestfailed', (request) => {
      // Whoever leaves a page calls off what it was still fetching, and what was loading in its frames.
      const leaving = request.failure()?.errorText === 'net::ERR_ABORTED';
      if (!leaving || (request.isNavigationRequest() && !request.frame().parentFrame())) {
        this.#note(`${request.failure()?.errorText}: ${request.url()}`);
      }
    });
  }

  /** The test is about such a fault: it has to happen, and is none. */
  expect(...faults: RegExp[]): void {
    this.#awaited.push(...faults);
  }

  /** Such a fault may happen and says nothing. */
  allow(...faults: RegExp[]): void {
    this.#allowed.push(...faults);
  }

  /** The test is about an answer with this status. */
  expectStatus(status: number): void {
    this.expect(new RegExp(`status of ${status}\\b`));
  }

  verify(): void {
    const known = [...this.#awaited, ...this.#allowed];
    const unexpected = this.#seen.filter((text) => !known.some((fault) => fault.test(text)));
    expect(unexpected, 'no errors in the console and no failed requests').toEqual([]);
    const missing = this.#awaited.filter((fault) => !this.#seen.some((text) => fault.test(text)));
    expect(missing, 'what the test is about has happened').toEqual([]);
  }

  #note(text: string): void {
    this.#seen.push(text);
  }
}
