// A mail server for tests: real SMTP with STARTTLS and AUTH, which delivers to its standard output.
//
//   node smtp.mjs --tls DIR [--security starttls|tls|plain] [--user NAME --password WORD] [--port N]
//
// DIR holds key.pem and cert.pem (certificate.sh makes them). Every event is one JSON object on a
// line: `listening` with its port first, then `connection`, `auth`, `sender`, `recipient` and
// `message` as they happen. The line `disconnect` on its standard input cuts every connection; the
// server ends when its standard input is closed.
//
// How it answers a recipient follows from the local part, before a plus sign:
//   greylist  450 for the first try of each address, accepted from the second one on
//   unknown   550, repeating the address as servers do
//   nowhere   550 without an enhanced status
//   denied    554, as a relay that does not know us
//   spam      550 for the message, once it has read it
//   full      552 once it has read the message
//   busy      451 once it has read the message
//   hang      reads the message and never answers
//   silent    never answers the recipient
//   drop      reads the message and cuts the connection
// Every other address gets the mail.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { SMTPServer } from 'smtp-server';

const { values: options } = parseArgs({
  options: {
    tls: { type: 'string' },
    security: { type: 'string', default: 'starttls' },
    user: { type: 'string' },
    password: { type: 'string' },
    port: { type: 'string', default: '0' },
  },
});

const report = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code });
const behaviour = (address) => address.split('@')[0].split('+')[0];
const seen = new Set();

const recipients = {
  greylist(address, done) {
    if (seen.has(address)) return done();
    seen.add(address);
    return done(refusal(450, `4.7.1 <${address}>: greylisted, try again later`));
  },
  unknown: (address, done) => done(refusal(550, `5.1.1 <${address}>: no such mailbox`)),
  nowhere: (address, done) => done(refusal(550, 'no such mailbox')),
  denied: (address, done) => done(refusal(554, `5.7.1 <${address}>: Relay access denied`)),
  silent() {},
};

const messages = {
  full: (address, done) => done(refusal(552, `5.2.2 <${address}>: mailbox is full`)),
  spam: (address, done) => done(refusal(550, '5.7.1 message refused')),
  busy: (address, done) => done(refusal(451, '4.3.0 try again later')),
  hang() {},
  drop: (address, done, session) =>
    [...server.connections].filter(({ id }) => id === session.id).forEach(cut),
};

const protectedBy = options.security === 'plain' ? {} : {
  key: readFileSync(join(options.tls, 'key.pem')),
  cert: readFileSync(join(options.tls, 'cert.pem')),
};

const server = new SMTPServer({
  ...protectedBy,
  secure: options.security === 'tls',
  disabledCommands: [
    ...(options.security === 'plain' ? ['STARTTLS'] : []),
    ...(options.user ? [] : ['AUTH']),
  ],
  allowInsecureAuth: options.security === 'plain',
  authOptional: !options.user,
  disableReverseLookup: true,
  onConnect(session, done) {
    report('connection');
    done();
  },
  onAuth({ username, password }, session, done) {
    const accepted = username === options.user && password === options.password;
    report('auth', { accepted, secure: session.secure });
    return accepted
      ? done(null, { user: username })
      : done(refusal(535, `5.7.8 ${username}: authentication failed`));
  },
  onMailFrom({ address }, session, done) {
    report('sender', { address, secure: session.secure });
    done();
  },
  onRcptTo({ address }, session, done) {
    report('recipient', { address });
    const answer = recipients[behaviour(address)];
    return answer ? answer(address, done) : done();
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      const { mailFrom, rcptTo } = session.envelope;
      report('message', {
        from: mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        user: session.user ?? null,
        secure: session.secure,
        raw: Buffer.concat(chunks).toString('utf8'),
      });
      const [{ address }] = rcptTo;
      const answer = messages[behaviour(address)];
      return answer ? answer(address, done, session) : done();
    });
  },
});

// Handshakes that clients break off end here; the client's side is what a test looks at.
server.on('error', (error) => report('error', { message: error.message }));

// Not part of smtp-server's interface: it has no way of cutting a connection.
const cut = (connection) => connection._socket.destroy();

server.listen(Number(options.port), '127.0.0.1', () => {
  report('listening', { port: server.server.address().port });
});
createInterface({ input: process.stdin })
  .on('line', (command) => {
    if (command !== 'disconnect') return;
    server.connections.forEach(cut);
    report('disconnected');
  })
  .on('close', () => process.exit(0));
