// Messages between the element and the page in its frame (S14).
//
// Only the greeting is sent with `postMessage` between windows, and it holds no data. All other
// messages go through the port that is transferred with it. No message holds the code or the
// recipient. Both sides validate messages with the functions below, which accept exactly the listed
// fields.

/** The page in the frame sends `hello`; the element answers with `port`. */
export type Greeting = 'hello' | 'port';

/** Messages of the page in the frame. */
export type FromFrame =
  /** A page has loaded: its title, and the path of its verification or an empty string. */
  | { type: 'page'; title: string; path: string }
  /** Height of the content in CSS pixels. */
  | { type: 'size'; height: number }
  /** A code was sent; `number` counts the messages of this verification. */
  | { type: 'sent'; number: number }
  /** Approved: the result token, and the `state` that the embedding page gave. */
  | { type: 'verified'; token: string; state: string }
  /** The verification failed or cannot start. */
  | { type: 'error'; code: string }
  /** The verification or its token has expired. */
  | { type: 'expired' }
  /** The person or the embedding page wants to start again. */
  | { type: 'restart' };

/** Messages of the element: start again; tell that the form needs a verification. */
export type FromElement = { type: 'reset' } | { type: 'required' };

type Fields = Record<string, unknown>;
type Test = (value: unknown) => boolean;

const text =
  (pattern: RegExp): Test =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const whole =
  (most: number): Test =>
  (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

/** Path of a verification in a frame. */
export const path = /^\/embed\/v\/[\w-]{1,64}$/;

const schema: Record<string, Record<string, Test>> = {
  page: { title: text(/^.{0,200}$/su), path: (value) => value === '' || text(path)(value) },
  size: { height: whole(4000) },
  sent: { number: whole(100) },
  verified: { token: text(/^[\w-]+\.[\w-]+\.[\w-]+$/), state: text(/^.{0,1000}$/su) },
  error: { code: text(/^[a-z_]{1,64}$/) },
  expired: {},
  restart: {},
};

const fields = (data: unknown): Fields => (typeof data === 'object' && data ? (data as Fields) : {});

/** The greeting of this type. */
export const greeting = (type: Greeting) => ({ latchkey: 1, type });

/** Whether it is the greeting of this type. */
export const isGreeting = (data: unknown, type: Greeting): boolean => {
  const { latchkey, type: actual, ...rest } = fields(data);
  return latchkey === 1 && actual === type && !Object.keys(rest).length;
};

/** Whether it is a valid message of the page in the frame. */
export const isFromFrame = (data: unknown): data is FromFrame => {
  const { type, ...rest } = fields(data);
  const tests = Object.hasOwn(schema, String(type)) ? schema[String(type)] : undefined;
  const names = Object.keys(rest);
  return (
    tests !== undefined &&
    names.length === Object.keys(tests).length &&
    names.every((name) => Object.hasOwn(tests, name) && tests[name](rest[name]))
  );
};

/** Whether it is a valid message of the element. */
export const isFromElement = (data: unknown): data is FromElement => {
  const { type, ...rest } = fields(data);
  return (type === 'reset' || type === 'required') && !Object.keys(rest).length;
};
