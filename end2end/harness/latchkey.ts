// The real binary, in a temporary folder and on a free port.
import { fileURLToPath } from 'node:url';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Environment variables. */
export type Settings = Record<string, string>;

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = ['target/release/latchkey', 'target/debug/latchkey'].map((path) => join(root, path));

function binary(): string {
  const named = process.env.LATCHKEY_BIN;
  const found = named ? resolve(root, named) : built.find((path) => existsSync(path));
  if (!found) throw new Error('there is no latchkey to test: build one, or name it in LATCHKEY_BIN');
  return found;
}

/** A message in the development inbox. */
export interface Caught {
  number: number;
  channel: 'email' | 'sms' | 'whatsapp' | 'voice';
  to: string;
  subject: string;
  text: string;
  code: string;
}

export class Latchkey {
  /** The whole log. */
  log = '';
  origin = '';
  readonly #listening = new Set<() => void>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  #process!: ChildProcess;

  /** Starts it with environment variables and the text of a configuration file. */
  static async start(settings: Settings, configuration = ''): Promise<Latchkey> {
    const latchkey = new Latchkey();
    writeFileSync(join(latchkey.#folder, 'latchkey.toml'), configuration);
    await latchkey.#start(settings);
    return latchkey;
  }

  async #start(settings: Settings): Promise<void> {
    const own = {
      PATH: process.env.PATH,
      LATCHKEY_SERVER__BIND: '127.0.0.1:0',
      LATCHKEY_LOG__FORMAT: 'json',
      LATCHKEY_LOG__LEVEL: 'info,server=trace',
      LATCHKEY_SERVER__SHUTDOWN_TIMEOUT: '1',
    };
    const env = { ...own, ...settings };
    const child = spawn(binary(), ['serve'], { cwd: this.#folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    const listening = new Promise<void>((ready, failed) => {
      child.once('error', failed);
      child.once('exit', (code) => failed(new Error(`latchkey ended with ${code}:\n${this.log}`)));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
        for (const look of this.#listening) look();
        const line = /^.*"message":"listening".*$/m.exec(this.log);
        if (!line || this.origin) return;
        this.origin = JSON.parse(line[0]).origin;
        ready();
      });
    });
    await listening;
    while (!(await this.#isReady()));
  }

  async #isReady(): Promise<boolean> {
    return (await fetch(`${this.origin}/health/ready`)).ok;
  }

  /** Output of another command of the same installation. */
  run(...command: string[]): string {
    return execFileSync(binary(), command, {
      cwd: this.#folder,
      env: { PATH: process.env.PATH },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  /** Waits until the log contains a text. */
  async logged(text: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.log.includes(text)) return;
        this.#listening.delete(look);
        resolve();
      };
      this.#listening.add(look);
      look();
    });
  }

  /** Messages in the development inbox, newest first, once there are at least `count`. */
  async caught(count = 1): Promise<Caught[]> {
    for (;;) {
      const answer = await fetch(`${this.origin}/dev/inbox.json`);
      const messages = (await answer.json()) as Caught[];
      if (messages.length >= count) return messages;
    }
  }

  /** The code of the n-th message. */
  async code(n = 1): Promise<string> {
    return (await this.caught(n)).find((message) => message.number === n)!.code;
  }

  /** The link "this wasn't me" in the n-th message, which is its last line. */
  async notMe(n = 1): Promise<string> {
    const { text } = (await this.caught(n)).find((message) => message.number === n)!;
    return text.trimEnd().split('\n').at(-1)!;
  }

  async end(): Promise<void> {
    const ended = new Promise((done) => this.#process.once('exit', done));
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true });
  }
}
