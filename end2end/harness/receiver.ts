// A webhook receiver that accepts and records all requests.
import { type AddressInfo } from 'node:net';
import { type Server, createServer } from 'node:http';

export interface Delivery {
  headers: Record<string, string>;
  body: string;
}

export class Receiver {
  readonly #server: Server;
  readonly #deliveries: Delivery[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const headers = request.headers as Record<string, string>;
      this.#deliveries.push({ headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(204).end();
      for (const look of this.#waiting) look();
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((listening) => receiver.#server.listen(0, '127.0.0.1', listening));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hooks`;
  }

  /** Waits for the first event of a type. */
  async event(type: string): Promise<Delivery> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.#deliveries.find(({ body }) => JSON.parse(body).type === type);
        if (!found) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
