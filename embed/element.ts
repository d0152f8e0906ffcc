// `<otp-verification>`: one verification as a field of the form around it.
//
// Its value is the result token, so it is invalid until the person has verified, and what the form
// submits is a proof that the page's back end redeems. The page around learns the token, which is
// worthless without the secret key, and how things stand; it never learns the code.
import { Conversation } from './conversation.ts';
import { type Probe, look, probeStyle } from './look.ts';
import { type FromFrame, path as aVerification } from './messages.ts';

/** Where this script came from is where the frame comes from. */
const origin = new URL(import.meta.url).origin;

/** What the hidden field is called unless the page names it. */
const usualName = 'otp_token';

/** How long the page in the frame may take to call its verification off, in milliseconds. */
const farewell = 1_500;

/** Attributes on which the verification itself depends: with other values it is another one. */
const essential = ['site-key', 'to', 'channel', 'country', 'state'];
/** Attributes that only change how it is shown. */
const outward = ['locale', 'theme'];

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host{display:block}
div{min-block-size:410px}
:host([hidden]){display:none}
iframe{display:block;box-sizing:content-box;inline-size:calc(100% - 2px);block-size:408px;
border:1px solid color-mix(in srgb,currentcolor 22%,transparent);border-radius:var(--otp-radius,12px)}
[hidden]{display:none}${probeStyle}`);

/** The browser's own words for a field that has to be filled in, in the person's language. */
function missing(): string {
  const field = document.createElement('input');
  field.required = true;
  return field.validationMessage;
}

export class OtpVerification extends HTMLElement {
  static readonly formAssociated = true;
  static readonly observedAttributes = [...essential, ...outward, 'name'];

  readonly #internals = this.attachInternals();
  readonly #stage = document.createElement('div');
  readonly #fallback = document.createElement('slot');
  readonly #probe: Probe = document.createElement('i');
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  #frame: HTMLIFrameElement | undefined;
  #conversation: Conversation | undefined;
  #token = '';
  /** The verification in the frame, to come back to when the element is moved. */
  #path = '';
  /** How it looks. */
  #look = '';
  /** Messages that were sent, as far as the page was told. */
  #sent = 0;
  #isReady = false;
  /** The verification in the frame is to end, so what it still has to say is of no interest. */
  #isLeaving = false;
  /** Counts beginnings, so that an answer which arrives late is not taken for the newest one. */
  #run = 0;
  /** What attribute changes have asked for and the end of this task will do. */
  #due: 'anew' | 'again' | undefined;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [sheet];
    this.#fallback.hidden = true;
    this.#probe.className = 'probe';
    root.append(this.#stage, this.#fallback, this.#probe);
  }

  /** Colours of the page that come with light and dark do not change in the frame by themselves. */
  readonly #recolour = () => {
    if (this.#path && !this.#token && this.#look !== String(this.#looks())) this.#later('again');
  };

  connectedCallback(): void {
    this.#scheme.addEventListener('change', this.#recolour);
    this.#keep(this.#token);
    if (this.#path) this.#show(this.#path);
    else this.#later('anew');
  }

  /** Moved within the document by `moveBefore`, which leaves the frame as it is. */
  connectedMoveCallback(): void {}

  disconnectedCallback(): void {
    this.#scheme.removeEventListener('change', this.#recolour);
    this.#run += 1;
    this.#close();
    // Put back as it is, it would load what it began with.
    this.#stage.replaceChildren();
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return;
    const isEssential = essential.includes(name);
    if (name === 'name') this.#keep(this.#token);
    else if (this.isConnected) this.#later(isEssential ? 'anew' : 'again');
    else if (isEssential) this.#forget();
  }

  formResetCallback(): void {
    this.reset();
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.#stage.inert = isDisabled;
  }

  /** Forgets the token, calls the verification off if it still runs, and begins anew. */
  reset(): void {
    this.#forget();
    if (!this.isConnected) return;
    const run = (this.#run += 1);
    this.#isLeaving = true;
    // Called off first, so that a code which is still on its way opens nothing.
    if (this.#conversation?.ask({ type: 'reset' })) {
      setTimeout(() => {
        if (run === this.#run) void this.#begin();
      }, farewell);
    } else {
      void this.#begin();
    }
  }

  /** The result token; empty until the person has verified. */
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

  /** Several attributes are often set one after the other; one beginning is enough for them. */
  #later(what: 'anew' | 'again'): void {
    const isDue = this.#due !== undefined;
    if (this.#due !== 'anew') this.#due = what;
    if (isDue) return;
    queueMicrotask(() => {
      const due = this.#due;
      this.#due = undefined;
      if (!this.isConnected) return;
      if (due === 'again' && this.#path) this.#show(this.#path);
      else if (this.#conversation) this.reset();
      else void this.#begin();
    });
  }

  async #begin(): Promise<void> {
    const run = (this.#run += 1);
    this.#forget();
    this.#sent = 0;
    this.#isReady = this.#isLeaving = false;
    const to = this.getAttribute('to');
    if (!to) return this.#show('/embed');

    this.#close();
    this.#stage.replaceChildren(this.#blank());
    let answer: { url?: unknown; code?: unknown; retry_after?: unknown };
    try {
      // The recipient goes from the page straight to the server: it is in no address and in no message.
      const response = await fetch(`${origin}/embed/verifications`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          site_key: this.getAttribute('site-key') ?? '',
          to,
          channel: this.getAttribute('channel') || undefined,
          country: this.getAttribute('country') || undefined,
          locale: this.#locale || undefined,
          state: this.getAttribute('state') ?? undefined,
        }),
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      });
      answer = await response.json();
    } catch {
      if (run === this.#run) this.#unreachable();
      return;
    }
    if (run !== this.#run) return;
    const { url, code, retry_after: wait } = answer;
    if (typeof url === 'string' && aVerification.test(url)) {
      this.#path = url;
      this.#show(url);
    } else {
      // Refused: the frame tells why, in words, and offers to try again when that can help.
      this.#show('/embed', { refused: String(code), wait: String(wait ?? '') });
    }
  }

  /** Where the frame goes, and everything that its pages need to know. */
  #address(path: string, more: Record<string, string>): string {
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
    const looks = this.#looks();
    this.#look = String(looks);
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
    for (const [name, value] of looks) if (value) url.searchParams.set(name, value);
    return url.href;
  }

  #looks(): URLSearchParams {
    return new URLSearchParams(look(this, this.#probe));
  }

  get #locale(): string {
    return this.getAttribute('locale') ?? this.closest<HTMLElement>('[lang]')?.lang ?? '';
  }

  #show(path: string, more: Record<string, string> = {}): void {
    this.#close();
    const frame = this.#blank();
    frame.src = this.#address(path, more);
    this.#conversation = new Conversation(frame, origin, {
      said: (message) => this.#said(message),
      silent: () => this.#unreachable(),
    });
    this.#stage.replaceChildren(frame);
  }

  /** A frame with nothing in it, in the size of the one before, so that nothing around it moves. */
  #blank(): HTMLIFrameElement {
    const frame = document.createElement('iframe');
    frame.title = this.title || this.ariaLabel || this.#frame?.title || 'OTP';
    frame.allow = `otp-credentials ${origin}`;
    // Scripts and forms run as what they are, Latchkey's; what the frame cannot do is lead the page
    // around it elsewhere, open windows or dialogues, or start downloads.
    frame.sandbox.add('allow-forms', 'allow-same-origin', 'allow-scripts');
    frame.referrerPolicy = 'no-referrer';
    frame.setAttribute('part', 'frame');
    frame.style.blockSize = this.#frame?.style.blockSize ?? '';
    this.#frame = frame;
    this.#stage.hidden = false;
    this.#fallback.hidden = true;
    return frame;
  }

  #close(): void {
    this.#conversation?.end();
    this.#conversation = undefined;
  }

  #said(message: FromFrame): void {
    const frame = this.#frame;
    if (!frame || (this.#isLeaving && message.type !== 'restart')) return;
    switch (message.type) {
      case 'page':
        frame.title = this.title || this.ariaLabel || message.title;
        // Another step, or another verification: by a form of the frame, or back in the history. What
        // the form holds is what the person sees.
        if (message.path !== this.#path) {
          this.#forget();
          this.#path = message.path;
          this.#sent = 0;
        }
        if (!this.#isReady) this.#tell('ready');
        this.#isReady = true;
        break;
      case 'size':
        frame.style.blockSize = `${message.height}px`;
        break;
      case 'sent':
        if (message.number > this.#sent) this.#tell('sent', { number: message.number });
        this.#sent = Math.max(this.#sent, message.number);
        break;
      case 'verified':
        // The page in the frame says so again when it is loaded again.
        if (message.token === this.#token) break;
        this.#keep(message.token);
        this.#tell('verified', { token: message.token, state: message.state });
        break;
      case 'expired':
        this.#keep('');
        this.#tell('expired');
        break;
      case 'error':
        this.#tell('error', { code: message.code });
        break;
      case 'restart':
        void this.#begin();
    }
  }

  /** Shows what the page has put into the element: the way to verify without it. */
  #unreachable(): void {
    this.#close();
    this.#stage.hidden = true;
    this.#fallback.hidden = false;
    this.#tell('error', { code: 'unreachable' });
  }

  #forget(): void {
    this.#path = '';
    this.#keep('');
  }

  #keep(token: string): void {
    this.#token = token;
    let entry: FormData | null = null;
    if (token) {
      entry = new FormData();
      entry.append(this.name || usualName, token);
    }
    this.#internals.setFormValue(entry);
    if (token) this.#internals.setValidity({});
    else this.#internals.setValidity({ valueMissing: true }, missing(), this.#stage);
  }

  /** Events do not bubble: an `error` that did would look to every page's error tracker like its own. */
  #tell(type: string, detail?: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// Attributes as properties, the way frameworks set them; also those that were set before this
// script had arrived.
for (const attribute of [...essential, ...outward]) {
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
