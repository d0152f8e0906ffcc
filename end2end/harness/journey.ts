// Page object of the verification pages, which finds elements by role and label only.
import { readFileSync } from 'node:fs';

import { type Locator, type Page, expect } from '@playwright/test';

/** Text of the hint, which is visible once the card is hydrated; read from the catalogue. */
export const hint = /^hint = (.+)$/m.exec(
  readFileSync(new URL('../../server/locales/en/page.ftl', import.meta.url), 'utf8'),
)![1];

export class Journey {
  readonly page: Page;
  readonly #origin: string;

  constructor(page: Page, origin: string) {
    this.page = page;
    this.#origin = origin;
  }

  /** The same page object for another tab or browser. */
  on(page: Page): Journey {
    return new Journey(page, this.#origin);
  }

  async open(path = '/'): Promise<void> {
    await this.page.goto(this.#origin + path);
  }

  async byEmail(address: string): Promise<void> {
    await this.open();
    await this.page.getByRole('textbox', { name: 'E-mail address' }).fill(address);
    await this.send();
  }

  async byPhone(number: string, country = 'United Kingdom (+44)'): Promise<void> {
    await this.open();
    await this.choosePhone();
    await this.page.getByRole('combobox', { name: 'Country' }).selectOption({ label: country });
    await this.page.getByRole('textbox', { name: 'Phone number' }).fill(number);
    await this.send();
  }

  async choosePhone(): Promise<void> {
    await this.page.getByRole('radio', { name: 'Text message' }).check();
  }

  async send(): Promise<void> {
    const answered = this.page.waitForEvent('domcontentloaded');
    await this.page.getByRole('button', { name: 'SEND OTP' }).click();
    await answered;
  }

  get field(): Locator {
    return this.page.getByRole('textbox', { name: /^Enter the \d+-digit code$/ });
  }

  get submit(): Locator {
    return this.page.getByRole('button', { name: /^(SUBMIT|(STILL )?CHECKING…)$/ });
  }

  get resend(): Locator {
    return this.page.getByRole('button', { name: 'RESEND OTP' });
  }

  get error(): Locator {
    return this.page.getByRole('alert');
  }

  heading(text: string): Locator {
    return this.page.getByRole('heading', { level: 1, name: text, exact: true });
  }

  /** Waits until the card is hydrated. */
  async hydrated(): Promise<void> {
    await expect(this.page.getByText(hint)).toBeVisible();
  }

  /** Types key by key. */
  async type(text: string): Promise<void> {
    await this.field.focus();
    await this.page.keyboard.type(text);
  }

  /** Pastes with the keyboard, through the real clipboard. */
  async paste(text: string): Promise<void> {
    await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await this.page.evaluate((text) => navigator.clipboard.writeText(text), text);
    await this.field.focus();
    await this.page.keyboard.press('ControlOrMeta+v');
  }

  async succeeded(): Promise<void> {
    await expect(this.heading('Login Success!')).toBeVisible();
  }
}

/** A wrong guess of the same length, different for each `n`. */
export function wrong(code: string, n = 1): string {
  return String((Number(code[0]) + n) % 10) + code.slice(1);
}
