// Fern & Pine, a shop that verifies its customers with Latchkey.
//
// It shows everything that a relying party has to do, in plain Node without a package: put the
// element into a form, and trust nothing but what the back end has redeemed with its secret key.
//
//   LATCHKEY_ORIGIN      where Latchkey is              http://127.0.0.1:3000
//   LATCHKEY_SITE_KEY    the public key, for browsers   lk_pub_demo
//   LATCHKEY_SECRET_KEY  the secret key, for this       lk_sec_demo
//   PORT                 where the shop is              3001, on localhost
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

import { Latchkey } from './latchkey.mjs';
import { Pages } from './pages.mjs';
import { Sessions } from './sessions.mjs';

const { LATCHKEY_ORIGIN = 'http://127.0.0.1:3000', LATCHKEY_SITE_KEY = 'lk_pub_demo' } = process.env;
const { LATCHKEY_SECRET_KEY = 'lk_sec_demo', PORT = '3001' } = process.env;

const latchkey = new Latchkey(LATCHKEY_ORIGIN, LATCHKEY_SECRET_KEY);
const pages = new Pages(LATCHKEY_ORIGIN, LATCHKEY_SITE_KEY);
const sessions = new Sessions();
const style = readFileSync(new URL('shop.css', import.meta.url));

const routes = {
  'GET /': () => pages.home(),
  'GET /shop.css': () => ({ type: 'text/css', body: style }),

  // Signing up: the person types an address into the element, and the shop learns it by redeeming.
  'GET /sign-up': ({ session }) => pages.signUp(session.state),
  'POST /sign-up': async ({ session, form }) => {
    const name = form.get('name') ?? '';
    const proof = await prove(session, form.get('otp_token'), 'embedded');
    if (!proof.ok) return pages.signUp(session.state, name, proof.reason);
    session.account = { name, email: proof.recipient };
    return redirect('/account');
  },
  'GET /account': ({ session }) => (session.account ? pages.account(session.account) : redirect('/sign-up')),

  // Checkout: the shop knows whom it has to reach, so the element is given the address.
  'GET /checkout': ({ session }) => pages.contact(session.email),
  'POST /checkout': ({ session, form }) => {
    session.email = (form.get('email') ?? '').trim().toLowerCase();
    return redirect(session.email ? '/checkout/verify' : '/checkout');
  },
  'GET /checkout/verify': ({ session }) =>
    session.email ? pages.verify(session.email, session.state) : redirect('/checkout'),
  'POST /checkout/verify': async ({ session, form }) => {
    if (!session.email) return redirect('/checkout');
    const proof = await prove(session, form.get('otp_token'), 'embedded', session.email);
    if (!proof.ok) return pages.verify(session.email, session.state, proof.reason);
    session.order = { email: proof.recipient };
    return redirect('/order');
  },
  'GET /order': ({ session }) => (session.order ? pages.order(session.order) : redirect('/checkout')),

  // Without script: to Latchkey's own page and back. The forms of the element's fallback lead here.
  'POST /sign-up/hosted': ({ session, form, origin }) => {
    session.pending = { name: form.get('name') ?? '', email: '' };
    return hosted(session, form.get('email') ?? '', 'sign-up', origin);
  },
  'POST /checkout/hosted': ({ session, origin }) => {
    if (!session.email) return redirect('/checkout');
    session.pending = { email: session.email };
    return hosted(session, session.email, 'checkout', origin);
  },
  // The person comes back by a form on Latchkey's page. Browsers send no cookie with it, since it is
  // another site's, so it is not known yet whose session this is. What the form says goes back to
  // this very browser, in a cookie that comes along with the redirect. Were it kept under its `state`
  // instead, somebody could begin, have another person verify, and fetch the proof.
  'POST /return': ({ form }) => redirect('/return', returned(form.toString())),
  'GET /return': async ({ session, cookies }) => {
    const { pending } = session;
    const form = new URLSearchParams(decodeURIComponent(/(?:^|; )returned=([^;]*)/.exec(cookies)?.[1] ?? ''));
    if (!pending || form.get('state') !== session.state) return redirect('/', returned(''));
    session.pending = undefined;
    const isOrder = pending.email !== '';
    const again = (reason) =>
      isOrder ? pages.verify(pending.email, session.state, reason) : pages.signUp(session.state, pending.name, reason);
    if (form.get('result') !== 'approved') return again('You have not been verified.');
    const purpose = isOrder ? 'checkout' : 'sign-up';
    const proof = await prove(session, form.get('token'), purpose, pending.email);
    if (!proof.ok) return again(proof.reason);
    if (isOrder) session.order = { email: proof.recipient };
    else session.account = { name: pending.name, email: proof.recipient };
    return redirect(isOrder ? '/order' : '/account', returned(''));
  },
};

/**
 * Is this token the proof that the person in this session has verified, and whom?
 *
 * All questions are asked here and none in the browser: has Latchkey approved it, and is this the first
 * time that it is redeemed (redeeming answers both); was a message sent at all; was it made for this
 * session and this step (so that one person's proof is useless to another, and that of one step in another);
 * and is it about the right recipient.
 */
async function prove(session, token, purpose, expected = '') {
  const redeemed = token ? await latchkey.redeem(token) : undefined;
  if (!redeemed) return { ok: false, reason: 'Please verify your address again: this proof is no longer good.' };
  // No message was sent: the proof of a site or recipient for tests. A real shop takes none of these.
  if (redeemed.test) return { ok: false, reason: 'This proof is good for tests only.' };
  if (redeemed.page_state !== session.state || redeemed.purpose !== purpose) {
    return { ok: false, reason: 'This proof was made for somebody else. Please verify your address yourself.' };
  }
  if (expected && redeemed.recipient !== expected) {
    return { ok: false, reason: 'You have verified another address than the one of this order.' };
  }
  sessions.renewState(session);
  return { ok: true, recipient: redeemed.recipient };
}

async function hosted(session, to, purpose, origin) {
  const url = await latchkey.start({ to, purpose, state: session.state, return_url: `${origin}/return` });
  if (url) return redirect(url);
  const reason = 'No code can be sent to this address.';
  return session.email && purpose === 'checkout'
    ? pages.verify(session.email, session.state, reason)
    : pages.signUp(session.state, session.pending?.name, reason);
}

const redirect = (location, cookie) => ({
  status: 303,
  headers: { location, ...(cookie && { 'set-cookie': cookie }) },
  body: '',
});

/** What came back, for the browser to keep until it follows the redirect; nothing to forget it. */
const returned = (fields) =>
  `returned=${encodeURIComponent(fields)}; Path=/return; Max-Age=${fields ? 60 : 0}; HttpOnly; SameSite=Lax`;

// The page may load from and lead to itself and Latchkey. Nothing else is needed for the
// element, and no exception for inline styles or scripts.
const policy = [
  "default-src 'none'",
  `script-src ${LATCHKEY_ORIGIN}`,
  `connect-src ${LATCHKEY_ORIGIN}`,
  `frame-src ${LATCHKEY_ORIGIN}`,
  "style-src 'self'",
  'img-src data:',
  `form-action 'self' ${LATCHKEY_ORIGIN}`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  const route = routes[`${request.method} ${pathname}`];
  const { session, cookie } = sessions.of(request.headers.cookie);
  // Only looking at a page begins a session. A form without a cookie comes from another site, and its
  // answer must not replace the cookie that the browser has kept back.
  const begins = cookie && request.method === 'GET';
  let answer;
  try {
    const form = request.method === 'POST' ? await read(request) : undefined;
    const origin = `http://${request.headers.host}`;
    answer = route ? await route({ session, form, origin, cookies: request.headers.cookie ?? '' }) : { ...pages.nothing(), status: 404 };
  } catch (error) {
    console.error(error);
    answer = { ...pages.nothing('Something went wrong', 'Please try again in a moment.'), status: 500 };
  }
  response.writeHead(answer.status ?? 200, {
    'content-type': `${answer.type ?? 'text/html'}; charset=utf-8`,
    'content-security-policy': policy,
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...(begins && { 'set-cookie': cookie }),
    ...answer.headers,
  });
  response.end(answer.body);
});

/** The fields of a form. */
async function read(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > 16_384) throw new Error('a form of this shop is shorter');
  }
  return new URLSearchParams(body);
}

server.on('error', (error) => {
  console.error(`the example shop cannot listen on port ${PORT}: ${error.code}`);
  process.exitCode = 1;
});
server.listen(Number(PORT), 'localhost', () => {
  console.log(`  Shop       http://localhost:${server.address().port}/   (an example that verifies with Latchkey)\n`);
});
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
