// `<otp-verification>`: a form-associated custom element for one verification.
//
// Its value is the result token, so it is invalid until the person is verified, and the form submits a
// token that the back end of the page redeems. The page learns the token, which is useless without the
// secret key, and the state of the verification, but never the code.
import { Connection } from './connection.ts';
import { type Probe, look, probeStyle } from './look.ts';
import { type FromFrame, path as verificationPath } from './messages.ts';
import { type Reply, request } from './request.ts';

/** Origin of this script, from which the frame is loaded too. */
const origin = new URL(import.meta.url).origin;

/** Name of the form field, unless the page sets `name`. */
const defaultName = 'otp_token';

/** Time-out for the page in the frame to cancel its verification, in milliseconds. */
const cancelTimeout = 1_500;

/** Attributes of the verification; a change starts a new one. */
const verificationAttributes = ['site-key', 'to', 'channel', 'country', 'state'];
/** Attributes of the display; a change reloads the frame. */
const displayAttributes = ['locale', 'theme'];

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host{display:block}
div{min-block-size:410px}
:host([hidden]){display:none}
iframe{display:block;box-sizing:content-box;inline-size:calc(100% - 2px);block-size:408px;
border:1px solid color-mix(in srgb,currentcolor 22%,transparent);border-radius:var(--otp-radius,12px)}
[hidden]{display:none}${probeStyle}`);

/** The browser's own message for a required field, in the person's language. */
function requiredMessage(): string {
  const field = document.createElement('input');
  field.required = true;
  return field.validationMessage;
}

export class OtpVerification extends HTMLElement {
  static readonly formAssociated = true;
  static readonly observedAttributes = [...verificationAttributes, ...displayAttributes, 'name'];

  readonly #internals = this.attachInternals();
  readonly #container = document.createElement('div');
  readonly #fallback = document.createElement('slot');
  readonly #probe: Probe = document.createElement('i');
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  #frame: HTMLIFrameElement | undefined;
  #connection: Connection | undefined;
  #token = '';
  /** Tokens by the path of their verification: the frame has one only in the answer to its form. */
  readonly #proofs = new Map<string, string>();
  /** Path of the verification in the frame, which is loaded again when the element is moved. */
  #path = '';
  /** The look in the current URL of the frame. */
  #look = '';
  /** Number in the last `sent` event. */
  #sent = 0;
  #isReady = false;
  /** The verification in the frame is being canceled; its other messages are ignored. */
  #isResetting = false;
  /** Number of starts; a response for an earlier start is ignored. */
  #run = 0;
  /** A button that submits the form is being pressed. */
  #isSubmitting = false;
  /** Action after attribute changes, run in a microtask. */
  #due: 'restart' | 'reload' | undefined;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [sheet];
    this.#fallback.hidden = true;
    this.#probe.className = 'probe';
    root.append(this.#container, this.#fallback, this.#probe);
    this.addEventListener('invalid', (event) => this.#toldInvalid(event));
  }

  /** Enter in a field presses the button of its form too. */
  readonly #pressed = ({ target }: Event) => {
    const button = target instanceof Element ? target.closest<HTMLButtonElement>('button, input') : null;
    if (!button || button.form !== this.#internals.form || !/^(submit|image)$/.test(button.type)) return;
    this.#isSubmitting = true;
    setTimeout(() => (this.#isSubmitting = false));
  };

  /**
   * The form was pressed and is not valid without a verification. Browsers put no message at a frame, and some leave
   * the focus where it is, so the page in the frame tells it. Scripts that ask `checkValidity()` change nothing.
   */
  #toldInvalid(event: Event): void {
    if (!this.#isSubmitting || !this.#connection?.send({ type: 'required' })) return;
    const controls = [...(this.#internals.form?.elements ?? [])] as HTMLInputElement[];
    if (controls.find((control) => control.validity?.valid === false) !== this as HTMLElement) return;
    event.preventDefault();
    this.#frame?.focus();
  }

  /** The frame has the custom colours in its URL, so it is reloaded when the colour scheme changes them. */
  readonly #schemeChanged = () => {
    if (this.#path && !this.#token && this.#look !== String(this.#currentLook())) this.#schedule('reload');
  };

  connectedCallback(): void {
    this.#scheme.addEventListener('change', this.#schemeChanged);
    document.addEventListener('click', this.#pressed, true);
    this.#setToken(this.#token);
    if (this.#path) this.#show(this.#path);
    else this.#schedule('restart');
  }

  /** Called for `moveBefore`, which does not reload the frame. */
  connectedMoveCallback(): void {}

  disconnectedCallback(): void {
    this.#scheme.removeEventListener('change', this.#schemeChanged);
    document.removeEventListener('click', this.#pressed, true);
    this.#run += 1;
    this.#close();
    // Otherwise the old frame would load its first URL when the element is inserted again.
    this.#container.replaceChildren();
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return;
    const startsNew = verificationAttributes.includes(name);
    if (name === 'name') this.#setToken(this.#token);
    else if (this.isConnected) this.#schedule(startsNew ? 'restart' : 'reload');
    else if (startsNew) this.#clear();
  }

  formResetCallback(): void {
    this.reset();
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.#container.inert = isDisabled;
  }

  /** Clears the token, cancels a pending verification and starts a new one. */
  reset(): void {
    this.#clear();
    if (!this.isConnected) return;
    const run = (this.#run += 1);
    this.#isResetting = true;
    // Canceled first, so that a code still in delivery is no longer accepted.
    if (this.#connection?.send({ type: 'reset' })) {
      setTimeout(() => {
        if (run === this.#run) void this.#start();
      }, cancelTimeout);
    } else {
      void this.#start();
    }
  }

  /** The result token; empty until the person is verified. */
  get token(): string {
    return this.#token;
  }

  get value(): string {
    return this.#token;
  }

  get name(): string {
    return this.getAttribute('name') ?? '';
  }

  set name(name: string) {
    this.setAttribute('name', name);
  }

  get type(): string {
    return this.localName;
  }

  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  get validity(): ValidityState {
    return this.#internals.validity;
  }

  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  get willValidate(): boolean {
    return this.#internals.willValidate;
  }

  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  /** Runs an action once after all attribute changes of the current task. */
  #schedule(action: 'restart' | 'reload'): void {
    const isDue = this.#due !== undefined;
    if (this.#due !== 'restart') this.#due = action;
    if (isDue) return;
    queueMicrotask(() => {
      const due = this.#due;
      this.#due = undefined;
      if (!this.isConnected) return;
      if (due === 'reload' && this.#path) this.#show(this.#path);
      else if (this.#connection) this.reset();
      else void this.#start();
    });
  }

  async #start(): Promise<void> {
    const run = (this.#run += 1);
    this.#clear();
    this.#proofs.clear();
    this.#sent = 0;
    this.#isReady = this.#isResetting = false;
    const to = this.getAttribute('to');
    if (!to) return this.#show('/embed');

    this.#close();
    this.#container.replaceChildren(this.#createFrame());
    const fields = {
      site_key: this.getAttribute('site-key') ?? '',
      to,
      channel: this.getAttribute('channel') || undefined,
      country: this.getAttribute('country') || undefined,
      locale: this.#locale || undefined,
      state: this.getAttribute('state') ?? undefined,
    };
    let reply: Reply;
    try {
      reply = await request(origin, fields, () => run === this.#run);
    } catch {
      if (run === this.#run) this.#showFallback();
      return;
    }
    if (run !== this.#run) return;
    const { url, code, limit, problem, retry_after: wait } = reply;
    if (typeof url === 'string' && verificationPath.test(url)) {
      this.#path = url;
      this.#show(url);
    } else {
      // Refused: the frame shows the reason, with a button to try again.
      this.#show('/embed', { refused: String(limit ?? problem ?? code), wait: String(wait ?? '') });
    }
  }

  /** URL of the frame, with all parameters of its pages. */
  #frameUrl(path: string, more: Record<string, string>): string {
    const url = new URL(path, origin);
    const query: Record<string, string | null> = {
      site_key: this.getAttribute('site-key'),
      origin: location.origin,
      channel: this.getAttribute('channel'),
      country: this.getAttribute('country'),
      state: this.getAttribute('state'),
      locale: this.#locale,
      to: this.getAttribute('to') ? 'given' : '',
      ...more,
    };
    const looks = this.#currentLook();
    this.#look = String(looks);
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
    for (const [name, value] of looks) if (value) url.searchParams.set(name, value);
    return url.href;
  }

  #currentLook(): URLSearchParams {
    return new URLSearchParams(look(this, this.#probe));
  }

  get #locale(): string {
    return this.getAttribute('locale') ?? this.closest<HTMLElement>('[lang]')?.lang ?? '';
  }

  #show(path: string, more: Record<string, string> = {}): void {
    this.#close();
    const frame = this.#createFrame();
    frame.src = this.#frameUrl(path, more);
    this.#connection = new Connection(frame, origin, {
      message: (message) => this.#received(message),
      timeout: () => this.#showFallback(),
    });
    this.#container.replaceChildren(frame);
  }

  /** An empty frame in the size of the previous one, so that the layout does not shift. */
  #createFrame(): HTMLIFrameElement {
    const frame = document.createElement('iframe');
    frame.title = this.title || this.ariaLabel || this.#frame?.title || 'OTP';
    frame.allow = `otp-credentials ${origin}`;
    // Scripts and forms run with Latchkey's origin. The frame cannot navigate the embedding page, open
    // windows or dialogs, or start downloads.
    frame.sandbox.add('allow-forms', 'allow-same-origin', 'allow-scripts');
    frame.referrerPolicy = 'no-referrer';
    frame.setAttribute('part', 'frame');
    frame.style.blockSize = this.#frame?.style.blockSize ?? '';
    this.#frame = frame;
    this.#container.hidden = false;
    this.#fallback.hidden = true;
    return frame;
  }

  #close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #received(message: FromFrame): void {
    const frame = this.#frame;
    if (!frame || (this.#isResetting && message.type !== 'restart')) return;
    switch (message.type) {
      case 'page':
        frame.title = this.title || this.ariaLabel || message.title;
        // Another verification, by a form in the frame or by the history. The value follows the page.
        if (message.path !== this.#path) {
          this.#clear();
          this.#path = message.path;
          this.#sent = 0;
        }
        if (!this.#isReady) this.#dispatch('ready');
        this.#isReady = true;
        break;
      case 'size':
        frame.style.blockSize = `${message.height}px`;
        break;
      case 'sent':
        if (message.number > this.#sent) this.#dispatch('sent', { number: message.number });
        this.#sent = Math.max(this.#sent, message.number);
        break;
      case 'verified':
        this.#proofs.set(this.#path, message.token);
        // The answer to a form that was sent again has the same one.
        if (message.token === this.#token) break;
        this.#setToken(message.token);
        this.#dispatch('verified', { token: message.token, state: message.state });
        break;
      case 'expired':
        this.#proofs.delete(this.#path);
        this.#setToken('');
        this.#dispatch('expired');
        break;
      case 'error':
        // The code was typed in this frame before its page was loaded again.
        if (message.code === 'elsewhere' && this.#proofs.has(this.#path)) {
          this.#setToken(this.#proofs.get(this.#path) ?? '');
          break;
        }
        this.#dispatch('error', { code: message.code });
        break;
      case 'restart':
        void this.#start();
    }
  }

  /** Shows the content of the element: another way to verify. */
  #showFallback(): void {
    this.#close();
    this.#container.hidden = true;
    this.#fallback.hidden = false;
    this.#dispatch('error', { code: 'unreachable' });
  }

  #clear(): void {
    this.#path = '';
    this.#setToken('');
  }

  #setToken(token: string): void {
    this.#token = token;
    let entry: FormData | null = null;
    if (token) {
      entry = new FormData();
      entry.append(this.name || defaultName, token);
    }
    this.#internals.setFormValue(entry);
    if (token) this.#internals.setValidity({});
    else this.#internals.setValidity({ valueMissing: true }, requiredMessage(), this.#container);
  }

  /** Events do not bubble: error trackers would take a bubbling `error` for one of the page. */
  #dispatch(type: string, detail?: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// Properties that reflect the attributes, for frameworks that set properties.
for (const attribute of [...verificationAttributes, ...displayAttributes]) {
  const property = attribute.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  Object.defineProperty(OtpVerification.prototype, property, {
    configurable: true,
    enumerable: true,
    get(this: HTMLElement) {
      return this.getAttribute(attribute) ?? '';
    },
    set(this: HTMLElement, value: string | null | undefined) {
      if (value === null || value === undefined) this.removeAttribute(attribute);
      else this.setAttribute(attribute, value);
    },
  });
}
