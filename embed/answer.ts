// The answer to a demand of work, for the element and for the page of a work.

/** Work as the server asks for it. */
export interface Work {
  challenge: string;
  /** Zero bits that the result has to begin with. */
  bits: number;
  /** Rounds of PBKDF2. */
  rounds: number;
  /** Seconds after which the challenge itself is an answer. */
  retry_after: number;
}

/** The challenge with the number that solves it; without one where the wait is over first. */
export async function answer({ challenge, bits, rounds, retry_after: wait }: Work): Promise<string> {
  const end = performance.now() + wait * 1_000;
  // Absent on pages without TLS.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) {
    await new Promise((done) => setTimeout(done, wait * 1_000));
    return challenge;
  }
  const bytes = (text: string) => new TextEncoder().encode(text);
  const key = await subtle.importKey('raw', bytes(challenge), 'PBKDF2', false, ['deriveBits']);
  // Browsers compute outside of the page's thread, several at once.
  const step = 8;
  for (let first = 0; performance.now() < end; first += step) {
    const numbers = Array.from({ length: step }, (_, index) => first + index);
    const results = await Promise.all(
      numbers.map((number) => {
        const salt = bytes(String(number));
        const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds };
        return subtle.deriveBits(algorithm, key, 32);
      }),
    );
    const found = results.findIndex((result) => new DataView(result).getUint32(0) >>> (32 - bits) === 0);
    if (found >= 0) return `${challenge}-${numbers[found]}`;
  }
  return challenge;
}
