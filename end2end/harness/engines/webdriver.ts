// A client of WebDriver (https://www.w3.org/TR/webdriver2/), as far as the journeys need it.

/** An element as it is sent over the wire. */
export type Handle = Record<string, string>;

export class WebDriver {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  static async start(server: string, capabilities: object): Promise<WebDriver> {
    const body = { capabilities: { alwaysMatch: capabilities } };
    const { sessionId } = (await call('POST', `${server}/session`, body)) as { sessionId: string };
    return new WebDriver(`${server}/session/${sessionId}`);
  }

  async send(command: string, body: object = {}): Promise<unknown> {
    return call('POST', `${this.#url}/${command}`, body);
  }

  async read(command: string): Promise<unknown> {
    return call('GET', `${this.#url}/${command}`, undefined, AbortSignal.timeout(5_000));
  }

  /** The value of an expression. WebKit never answers a page that leaves meanwhile, so it is asked again after a while. */
  async evaluate(expression: string, attempts = 3): Promise<unknown> {
    const body = { script: `return ${expression}`, args: [] };
    try {
      return await call('POST', `${this.#url}/execute/sync`, body, AbortSignal.timeout(2_000));
    } catch (error) {
      if ((error as Error).name !== 'TimeoutError' || attempts === 1) throw error;
      return this.evaluate(expression, attempts - 1);
    }
  }

  async click(element: Handle): Promise<void> {
    await this.send(`element/${Object.values(element)[0]}/click`);
  }

  /** Presses and releases keys: each list at once. */
  async keys(...presses: string[][]): Promise<void> {
    const actions = presses.flatMap((keys) => [
      ...keys.map((value) => ({ type: 'keyDown', value })),
      ...[...keys].reverse().map((value) => ({ type: 'keyUp', value })),
    ]);
    await this.send('actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  /** Forgets the cookies of the page. */
  async forget(): Promise<void> {
    await call('DELETE', `${this.#url}/cookie`);
  }

  async end(): Promise<void> {
    await call('DELETE', this.#url);
  }
}

async function call(method: string, url: string, body?: object, signal?: AbortSignal): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal });
  const { value } = (await response.json()) as { value: { error?: string; message?: string } };
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value.error}: ${value.message}`);
  return value;
}
