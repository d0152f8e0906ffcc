// One frame, and the conversation with whichever page is in it.
//
// A page that arrives says hello to the exact origin that the server wrote into it; the element
// answers that window, at the exact origin of Latchkey, with a fresh port. Nothing is taken from
// any other window or origin, and nothing that is not a greeting is taken from windows at all.
import { type FromElement, type FromFrame, greeting, isFromFrame, isGreeting } from './messages.ts';

/** How long the first page of a frame may take, in milliseconds. */
const patience = 15_000;

/** How long a page that has loaded may take to say hello: ours do so before they have loaded. */
const moment = 2_000;

/** Whoever is told what the frame says. */
export interface Listener {
  said(message: FromFrame): void;
  /** Nobody in there answers: the server is away, or the browser has refused to show it. */
  silent(): void;
}

export class Conversation {
  readonly #frame: HTMLIFrameElement;
  readonly #origin: string;
  readonly #listener: Listener;
  readonly #ended = new AbortController();
  #port: MessagePort | undefined;
  #greeted = false;
  #timer = 0;

  constructor(frame: HTMLIFrameElement, origin: string, listener: Listener) {
    this.#frame = frame;
    this.#origin = origin;
    this.#listener = listener;
    const { signal } = this.#ended;
    addEventListener('message', (event) => this.#heard(event), { signal });
    frame.addEventListener('load', () => this.#loaded(), { signal });
    this.#wait(patience);
  }

  /** Passes a request on; `false` where nobody is there to hear it. */
  ask(request: FromElement): boolean {
    this.#port?.postMessage(request);
    return this.#port !== undefined;
  }

  end(): void {
    this.#ended.abort();
    this.#port?.close();
    clearTimeout(this.#timer);
  }

  #heard({ source, origin, data }: MessageEvent): void {
    const window = this.#frame.contentWindow;
    if (!window || source !== window || origin !== this.#origin || !isGreeting(data, 'hello')) return;
    clearTimeout(this.#timer);
    this.#greeted = true;
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => {
      if (isFromFrame(data)) this.#listener.said(data);
    };
    window.postMessage(greeting('port'), this.#origin, [port2]);
  }

  /** Each page has to say hello for itself. */
  #loaded(): void {
    if (!this.#greeted) this.#wait(moment);
    this.#greeted = false;
  }

  #wait(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#port?.close();
      this.#port = undefined;
      this.#listener.silent();
    }, milliseconds);
  }
}
