// The voice of a page in a frame: tells the page around it how things stand.
//
// What there is to tell stands in data attributes, which the server writes and the island keeps up
// to date, so the island itself knows nothing of frames. It speaks to the one origin that the
// server wrote into the page, and listens to a port that came from there.
import { type FromFrame, greeting, isFromElement, isGreeting } from './messages.ts';

const main = document.querySelector<HTMLElement>('main[data-embedder]');

function converse(main: HTMLElement, embedder: string): void {
  let port: MessagePort | undefined;
  const say = (message: FromFrame) => port?.postMessage(message);

  addEventListener('message', ({ source, origin, data, ports }) => {
    const isTheirs = source === parent && origin === embedder && isGreeting(data, 'port');
    if (!isTheirs || port || ports.length !== 1) return;
    [port] = ports;
    port.onmessage = ({ data }) => {
      if (isFromElement(data)) void reset();
    };
    begin();
  });

  function begin(): void {
    const { pathname } = location;
    const path = pathname.startsWith('/embed/v/') ? pathname : '';
    say({ type: 'page', title: document.title, path });
    const measure = () => {
      say({ type: 'size', height: Math.ceil(main.getBoundingClientRect().height) });
    };
    new ResizeObserver(measure).observe(main);
    follow();
    ending();
  }

  /** Tells of each message that has gone out. */
  function follow(): void {
    const delivery = main.querySelector<HTMLElement>('[data-number]');
    if (!delivery) return;
    const look = () => {
      const { state, number } = delivery.dataset;
      if (state === 'sent' || state === 'delivered') say({ type: 'sent', number: Number(number) });
    };
    new MutationObserver(look).observe(delivery, { attributes: true });
    look();
  }

  /** Tells how it ended. A page that has ended was written by the server and does not change. */
  function ending(): void {
    const { ending, token, now, pageState = '' } = main.dataset;
    if (token) {
      say({ type: 'verified', token, state: pageState });
      // Once its time is over the server says what has become of it.
      const [, claims = ''] = token.split('.');
      const { exp } = JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/')));
      setTimeout(() => location.reload(), Math.max(1_000, exp * 1_000 - Number(now)));
    } else if (ending === 'expired') {
      say({ type: 'expired' });
    } else if (ending) {
      say({ type: 'error', code: ending });
    }
  }

  /** Calls off what runs, if anything does, and leaves the rest to the element. */
  async function reset(): Promise<void> {
    const form = document.querySelector<HTMLFormElement>('form#cancel');
    try {
      if (form) await fetch(form.action, { method: 'POST', redirect: 'manual' });
    } catch {
      // Then it runs out by itself.
    }
    say({ type: 'restart' });
  }

  // Beginning anew may need the recipient, which the page around has and this one has not.
  main.addEventListener('click', (event) => {
    if (!port || !(event.target as Element).closest('[data-restart]')) return;
    event.preventDefault();
    say({ type: 'restart' });
  });

  // Browsers do not autofocus in frames; whoever has come here by a button of ours goes on typing.
  if (document.hasFocus()) main.querySelector<HTMLElement>('#code, [aria-invalid="true"]')?.focus();

  parent.postMessage(greeting('hello'), embedder);
}

if (main?.dataset.embedder && parent !== window) converse(main, main.dataset.embedder);
