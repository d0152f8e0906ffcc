// A server in a child process that reports events as JSON, one object per line.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Event {
  event: string;
  [field: string]: unknown;
}

/** The process exits when its standard input closes, so it never outlives a test. */
export class Child {
  readonly events: Event[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();

  constructor(program: string, ...args: string[]) {
    this.#process = spawn(process.execPath, [program, ...args]);
    this.#process.stderr.pipe(process.stderr);
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line));
      for (const look of this.#waiting) look();
    });
  }

  /** Waits for the n-th event of this name that `fits`. */
  async event(name: string, fits: (event: Event) => boolean = () => true, n = 1): Promise<Event> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.events.filter((event) => event.event === name && fits(event))[n - 1];
        if (!found) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    await ended;
  }
}
