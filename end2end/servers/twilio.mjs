// A stand-in for Twilio's Messages API, for tests.
//
//   node twilio.mjs --sid AC... --token WORD [--port N]
//
// It knows one account and is as strict as the original about path, Basic auth and content type.
// Every event is one JSON object on a line: `listening` with its port first, then for each request
// `message` with the form's fields, or `refused` with the status. The server ends when its
// standard input is closed.
//
// How it answers follows from the last digits of the recipient:
//   0100  400 with code 21211, no such number
//   0101  429 for the first try of each recipient, accepted from the second one on
// Every other number gets the message.

import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    sid: { type: 'string' },
    token: { type: 'string' },
    port: { type: 'string', default: '0' },
  },
});

const report = (event, fields = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
const account = `/2010-04-01/Accounts/${options.sid}`;
const expected = Buffer.from(
  `Basic ${Buffer.from(`${options.sid}:${options.token}`).toString('base64')}`,
);
const held = new Set();

const isAuthorized = ({ authorization = '' }) => {
  const given = Buffer.from(authorization);
  return given.length === expected.length && timingSafeEqual(given, expected);
};

const read = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

const refusal = (status, code, message) => ({ status, body: { code, message, status } });

const create = async (request) => {
  const type = request.headers['content-type'] ?? '';
  const fields = Object.fromEntries(new URLSearchParams(await read(request)));
  if (!type.startsWith('application/x-www-form-urlencoded') || !fields.To || !fields.Body) {
    return refusal(400, 21604, "A 'To' phone number is required.");
  }
  if (!fields.From && !fields.MessagingServiceSid) {
    return refusal(400, 21603, "A 'From' phone number is required.");
  }
  if (fields.To.endsWith('0100')) return refusal(400, 21211, `Invalid 'To' Phone Number: ${fields.To}`);
  if (fields.To.endsWith('0101') && !held.has(fields.To)) {
    held.add(fields.To);
    return refusal(429, 20429, 'Too Many Requests');
  }
  report('message', { fields });
  const sid = `SM${'0'.repeat(32)}`;
  return { status: 201, body: { sid, status: 'queued', to: fields.To, from: fields.From } };
};

const answer = async (request) => {
  if (!isAuthorized(request.headers)) return refusal(401, 20003, 'Authenticate');
  if (request.method === 'GET' && request.url === `${account}.json`) {
    return { status: 200, body: { sid: options.sid, status: 'active' } };
  }
  if (request.method === 'POST' && request.url === `${account}/Messages.json`) {
    return create(request);
  }
  return refusal(404, 20404, 'The requested resource was not found');
};

const server = createServer(async (request, response) => {
  const { status, body } = await answer(request);
  if (status >= 400) report('refused', { status, method: request.method, path: request.url });
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

server.listen(Number(options.port), '127.0.0.1', () => {
  report('listening', { port: server.address().port });
});
process.stdin.on('close', () => process.exit(0)).resume();
