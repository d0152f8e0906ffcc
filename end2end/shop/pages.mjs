// The shop's pages. Everything that concerns verification is in `element` and its style.

const escape = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);

/** Markup with everything that is put into it escaped, unless it is markup itself. */
class Markup extends String {}
const html = (parts, ...values) =>
  new Markup(
    String.raw({ raw: parts }, ...values.map((value) => (value instanceof Markup ? value : escape(value ?? '')))),
  );

export class Pages {
  #origin;
  #siteKey;

  constructor(origin, siteKey) {
    this.#origin = origin;
    this.#siteKey = siteKey;
  }

  /**
   * The element. What is inside it shows where no script runs or Latchkey cannot be reached: the
   * way over Latchkey's own page.
   */
  #element({ to, state, fallback }) {
    return html`<otp-verification
      name="otp_token"
      site-key="${this.#siteKey}"
      channel="email"
      state="${state}"
      ${to ? html`to="${to}"` : html``}
      title="Verify your e-mail address"
    >${fallback}</otp-verification>`;
  }

  home() {
    return this.#page('Plants that forgive', html`
      <p class="lead">House plants for people who forget to water them. This shop is an example: it shows how
        a sign-up form and a checkout verify an e-mail address with Latchkey.</p>
      <div class="cards">
        <a class="card" href="/sign-up">
          ${leaf}
          <h2>Create an account</h2>
          <p>The person types an address into the element; the shop learns it when it redeems the proof.</p>
        </a>
        <a class="card" href="/checkout">
          ${pot}
          <h2>Check out</h2>
          <p>The shop already has an address; the element is given it and sends the code at once.</p>
        </a>
      </div>`);
  }

  signUp(state, name = '', reason = '') {
    return this.#page('Create an account', html`
      ${this.#alert(reason)}
      <form method="post" action="/sign-up">
        <label for="name">Your name</label>
        <input id="name" name="name" autocomplete="name" required value="${name}">
        <h2 id="verify">Your e-mail address</h2>
        ${this.#element({
          state,
          fallback: html`
            <div class="fallback">
              <label for="email">E-mail address</label>
              <input id="email" name="email" type="email" autocomplete="email">
              <button class="quiet" formaction="/sign-up/hosted" formnovalidate>Verify on a separate page</button>
            </div>`,
        })}
        <button>Create account</button>
      </form>`);
  }

  account({ name, email }) {
    return this.#page(`Welcome, ${name}`, html`
      <p class="done" role="status">${tick} <span><strong>${email}</strong> is verified. Your account is ready.</span></p>
      <p><a href="/checkout">Go to the checkout</a></p>`);
  }

  contact(email = '') {
    return this.#page('Checkout', html`
      ${this.#steps(1)}
      ${basket}
      <form method="post" action="/checkout">
        <label for="email">Where should we send the receipt?</label>
        <input id="email" name="email" type="email" autocomplete="email" required value="${email}">
        <button>Continue</button>
      </form>`);
  }

  verify(email, state, reason = '') {
    return this.#page('Checkout', html`
      ${this.#steps(2)}
      ${this.#alert(reason)}
      <form method="post" action="/checkout/verify">
        <p>The receipt goes to <strong>${email}</strong>. <a href="/checkout">Change</a></p>
        ${this.#element({
          to: email,
          state,
          fallback: html`
            <div class="fallback">
              <p>We have to verify your address first.</p>
              <button class="quiet" formaction="/checkout/hosted" formnovalidate>Verify on a separate page</button>
            </div>`,
        })}
        <button>Place order</button>
      </form>`);
  }

  order({ email }) {
    return this.#page('Thank you', html`
      ${this.#steps(3)}
      <p class="done" role="status">${tick} <span>Your order is placed. The receipt is on its way to
        <strong>${email}</strong>.</span></p>
      <p><a href="/">Back to the shop</a></p>`);
  }

  nothing(title = 'Nothing grows here', text = 'This page does not exist.') {
    return this.#page(title, html`<p>${text}</p><p><a href="/">Back to the shop</a></p>`);
  }

  #steps(current) {
    const steps = ['Contact', 'Verify', 'Done'].map((name, n) =>
      html`<li ${n + 1 === current ? html`aria-current="step"` : html``}>${name}</li>`);
    return html`<ol class="steps" aria-label="Steps">${new Markup(steps.join(''))}</ol>`;
  }

  #alert(reason) {
    return reason ? html`<p class="alert" role="alert">${reason}</p>` : html``;
  }

  #page(title, content) {
    const body = html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} · Fern &amp; Pine</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/shop.css">
  <script type="module" src="${this.#origin}/embed.js"></script>
</head>
<body>
  <header><a href="/">${leaf} Fern &amp; Pine</a></header>
  <main>
    <h1>${title}</h1>
    ${content}
  </main>
  <footer>An example shop. Nothing is sold here.</footer>
</body>
</html>
`;
    return { body: String(body) };
  }
}

const icon = (paths) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${new Markup(paths)}</svg>`;
const leaf = icon('<path d="M5 19C5 9 11 5 20 4c0 10-5 15-13 14M5 21c1-5 4-8 8-10"/>');
const pot = icon('<path d="M6 12h12l-1.5 8h-9zM12 12V7m0 0c0-3 2-4 5-4 0 3-2 4-5 4zm0 2c0-3-2-4-5-4 0 3 2 4 5 4z"/>');
const tick = icon('<circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/>');

const basket = html`
  <table>
    <caption>Your basket</caption>
    <tr><th scope="row">Cast-iron plant</th><td>24.00</td></tr>
    <tr><th scope="row">Clay pot, 14 cm</th><td>9.50</td></tr>
    <tr class="sum"><th scope="row">Total</th><td>33.50</td></tr>
  </table>`;
