// Fails a test on console errors (including Content-Security-Policy violations), script errors and
// failed requests.
import { type BrowserContext, expect } from '@playwright/test';

export class Faults {
  readonly #seen: string[] = [];
  readonly #awaited: RegExp[] = [];
  readonly #allowed: RegExp[] = [];

  constructor(context?: BrowserContext) {
    context?.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.note(message.text());
    });
    context?.on('weberror', (fault) => this.note(String(fault.error())));
    context?.on('response', (response) => {
      if (response.status() >= 400) this.note(`status of ${response.status()}: ${response.url()}`);
    });
    context?.on('requestfailed', (request) => {
      // Navigation aborts the pending requests of a page and the loads in its frames.
      const leaving = request.failure()?.errorText === 'net::ERR_ABORTED';
      if (!leaving || (request.isNavigationRequest() && !request.frame().parentFrame())) {
        this.note(`${request.failure()?.errorText}: ${request.url()}`);
      }
    });
  }

  /** These faults must happen. */
  expect(...faults: RegExp[]): void {
    this.#awaited.push(...faults);
  }

  /** These faults may happen. */
  allow(...faults: RegExp[]): void {
    this.#allowed.push(...faults);
  }

  /** A response with this status must happen. */
  expectStatus(status: number): void {
    this.expect(new RegExp(`status of ${status}\\b`));
  }

  verify(): void {
    const known = [...this.#awaited, ...this.#allowed];
    const unexpected = this.#seen.filter((text) => !known.some((fault) => fault.test(text)));
    expect(unexpected, 'no errors in the console and no failed requests').toEqual([]);
    const missing = this.#awaited.filter((fault) => !this.#seen.some((text) => fault.test(text)));
    expect(missing, 'every expected fault has happened').toEqual([]);
  }

  note(text: string): void {
    this.#seen.push(text);
  }
}
