// Connection between the element and the page in its frame.
//
// A page that has loaded sends a greeting to the exact origin that the server wrote into it; the
// element answers that window, at the exact origin of Latchkey, with a new port. Messages from other
// windows or origins are ignored, and so are window messages other than the greeting.
import { type FromElement, type FromFrame, greeting, isFromFrame, isGreeting } from './messages.ts';

/** Time-out for the greeting of the first page in a frame, in milliseconds. */
const firstTimeout = 15_000;

/** Time-out for the greeting after a load event, in milliseconds; our pages send it before that. */
const loadTimeout = 2_000;

export interface Listener {
  message(message: FromFrame): void;
  /** No greeting arrived: the server is unavailable, or the browser refused to show the page. */
  timeout(): void;
}

export class Connection {
  readonly #frame: HTMLIFrameElement;
  readonly #origin: string;
  readonly #listener: Listener;
  readonly #closed = new AbortController();
  #port: MessagePort | undefined;
  #greeted = false;
  #timer = 0;

  constructor(frame: HTMLIFrameElement, origin: string, listener: Listener) {
    this.#frame = frame;
    this.#origin = origin;
    this.#listener = listener;
    const { signal } = this.#closed;
    addEventListener('message', (event) => this.#received(event), { signal });
    frame.addEventListener('load', () => this.#loaded(), { signal });
    this.#expectGreeting(firstTimeout);
  }

  /** Sends a request; `false` if there is no page to receive it. */
  send(request: FromElement): boolean {
    this.#port?.postMessage(request);
    return this.#port !== undefined;
  }

  close(): void {
    this.#closed.abort();
    this.#port?.close();
    clearTimeout(this.#timer);
  }

  #received({ source, origin, data }: MessageEvent): void {
    const window = this.#frame.contentWindow;
    if (!window || source !== window || origin !== this.#origin || !isGreeting(data, 'hello')) return;
    clearTimeout(this.#timer);
    this.#greeted = true;
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => {
      if (isFromFrame(data)) this.#listener.message(data);
    };
    window.postMessage(greeting('port'), this.#origin, [port2]);
  }

  /** Every page must send its own greeting. */
  #loaded(): void {
    if (!this.#greeted) this.#expectGreeting(loadTimeout);
    this.#greeted = false;
  }

  #expectGreeting(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#port?.close();
      this.#port = undefined;
      this.#listener.timeout();
    }, milliseconds);
  }
}
