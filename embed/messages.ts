// What the element and the page in its frame say to each other (S14).
//
// The greeting is the only thing that goes by `postMessage` between windows, and it holds nothing.
// Everything else goes through the port that the greeting hands over, which nobody else has. Neither
// the code nor the recipient is part of any message. Both sides read what they are told with the
// functions in here, which let through exactly what is listed and nothing beside it.

/** The frame asks for a port; the element sends one. */
export type Greeting = 'hello' | 'port';

/** What the page in the frame tells. */
export type FromFrame =
  /** It is there. The path of a verification, where it shows one, and a title for the frame. */
  | { type: 'page'; title: string; path: string }
  /** How high it would like to be, in CSS pixels. */
  | { type: 'size'; height: number }
  /** A message has gone out; how many of this verification by now. */
  | { type: 'sent'; number: number }
  /** It is proven; the page's own `state` comes back beside the token. */
  | { type: 'verified'; token: string; state: string }
  /** It came to nothing, or cannot begin. */
  | { type: 'error'; code: string }
  /** Nobody typed the code in time, or the token lay about for too long. */
  | { type: 'expired' }
  /** The person, or the page around, wants to begin anew. */
  | { type: 'restart' };

/** What the element asks for. */
export type FromElement = { type: 'reset' };

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

/** Where a verification is shown in a frame. */
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

/** The greeting of this kind. */
export const greeting = (type: Greeting) => ({ latchkey: 1, type });

/** Is it the greeting of this kind? */
export const isGreeting = (data: unknown, type: Greeting): boolean => {
  const { latchkey, type: said, ...rest } = fields(data);
  return latchkey === 1 && said === type && !Object.keys(rest).length;
};

/** Is it something that a page in a frame tells, every field as it should be? */
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

/** Is it something that an element asks for? */
export const isFromElement = (data: unknown): data is FromElement => {
  const { type, ...rest } = fields(data);
  return type === 'reset' && !Object.keys(rest).length;
};
