// Script of the pages in a frame: reports the state of the verification to the element.
//
// It reads data attributes, which the server writes and the island updates, so the island needs no
// code for frames. It sends its greeting to the one origin that the server wrote into the page, and
// accepts a port from there only.
import { type FromFrame, greeting, isFromElement, isGreeting } from './messages.ts';

const main = document.querySelector<HTMLElement>('main[data-embedder]');

/** Path of the page of a verification, also in the answer to its form; empty on other pages. */
const path = /^\/embed\/v\/[^/]+/.exec(location.pathname)?.[0] ?? '';

function connect(main: HTMLElement, embedder: string): void {
  let port: MessagePort | undefined;
  const send = (message: FromFrame) => port?.postMessage(message);

  addEventListener('message', ({ source, origin, data, ports }) => {
    const isPort = source === parent && origin === embedder && isGreeting(data, 'port');
    if (!isPort || port || ports.length !== 1) return;
    [port] = ports;
    port.onmessage = ({ data }) => {
      if (!isFromElement(data)) return;
      if (data.type === 'required') tellRequired();
      else void reset();
    };
    start();
  });

  function start(): void {
    send({ type: 'page', title: document.title, path });
    const measure = () => {
      send({ type: 'size', height: Math.ceil(main.getBoundingClientRect().height) });
    };
    new ResizeObserver(measure).observe(main);
    reportSent();
    reportEnding();
  }

  /** Tells the person, who pressed the button of the form, and leads to the first field. */
  function tellRequired(): void {
    const alert = document.getElementById('required');
    // Emptied first, so that the same text is announced again.
    alert?.replaceChildren();
    requestAnimationFrame(() => alert?.append(main.dataset.required ?? ''));
    main.querySelector<HTMLElement>('input:not([type="hidden"], [type="radio"]), a, button')?.focus();
  }

  /** Reports each code that was sent. */
  function reportSent(): void {
    const delivery = main.querySelector<HTMLElement>('[data-number]');
    if (!delivery) return;
    const report = () => {
      const { state, number } = delivery.dataset;
      if (state === 'sent' || state === 'delivered') send({ type: 'sent', number: Number(number) });
    };
    new MutationObserver(report).observe(delivery, { attributes: true });
    report();
  }

  /** Reports the final state. The server rendered it, and it does not change. */
  function reportEnding(): void {
    const { ending, token, staleIn, pageState = '' } = main.dataset;
    const look = () => location.replace(path + location.search);
    // Shows the state after the token has expired.
    if (staleIn) setTimeout(look, Math.max(1_000, Number(staleIn)));
    if (token) {
      send({ type: 'verified', token, state: pageState });
      // This page is the answer to a form, which going back and forward would have to send again.
      history.replaceState(null, '', path + location.search);
    } else if (ending === 'expired') {
      send({ type: 'expired' });
    } else if (ending) {
      send({ type: 'error', code: ending });
    }
  }

  /** Cancels a pending verification and lets the element start again. */
  async function reset(): Promise<void> {
    const form = document.querySelector<HTMLFormElement>('form#cancel');
    try {
      if (form) await fetch(form.action, { method: 'POST', redirect: 'manual' });
    } catch {
      // The verification will expire.
    }
    send({ type: 'restart' });
  }

  // Starting again may need the recipient, which only the embedding page knows.
  main.addEventListener('click', (event) => {
    if (!port || !(event.target as Element).closest('[data-restart]')) return;
    event.preventDefault();
    send({ type: 'restart' });
  });

  // Browsers ignore autofocus in frames. The document has focus if a button in the frame led here.
  if (document.hasFocus()) main.querySelector<HTMLElement>('#code, [aria-invalid="true"]')?.focus();

  parent.postMessage(greeting('hello'), embedder);
}

if (main?.dataset.embedder && parent !== window) connect(main, main.dataset.embedder);
