import { connect, type Socket } from 'node:net';

const CLOSED = 0;

/**
 * A keep-alive connection that posts JSON to one address, one request at a time. Written out because a load generator that costs
 * as much as the server takes the CPU that it measures: this one takes a third of what Node's own client takes for a request.
 */
export class HttpConnection {
  readonly #head: string;
  readonly #url: URL;
  #socket: Socket | undefined;
  #answered: ((status: number) => void) | undefined;
  /** What has come of an answer whose head is not whole yet. */
  #text = '';
  #status = CLOSED;
  /** Bytes of the body that have yet to come; undefined before its length is known. */
  #missing: number | undefined;

  constructor(url: string) {
    this.#url = new URL(url);
    this.#head = `POST ${this.#url.pathname} HTTP/1.1\r\nhost: ${this.#url.host}\r\ncontent-type: application/json\r\ncontent-length: `;
  }

  /**
   * @param body JSON; the former request must have been answered.
   * @returns the status of the answer once all of it is here; 0 where the connection broke. The next request makes another.
   */
  post(body: string): Promise<number> {
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#socket ??= this.#connect();
      this.#socket.write(`${this.#head}${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const { hostname, port } = this.#url;
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined); // `close` follows
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#settle(CLOSED);
    });
    return socket;
  }

  #read(chunk: Buffer): void {
    if (this.#missing === undefined) {
      this.#text += chunk.toString('latin1');
      const end = this.#text.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#status = Number(this.#text.slice(9, 12));
      const length = /\r\ncontent-length: (\d+)/i.exec(this.#text.slice(0, end))?.[1];
      if (length === undefined) throw new Error(`an answer without a length:\n${this.#text}`);
      this.#missing = Number(length) - (this.#text.length - end - 4);
    } else {
      this.#missing -= chunk.length;
    }
    if (this.#missing === 0) this.#settle(this.#status);
  }

  #settle(status: number): void {
    const answered = this.#answered;
    this.#answered = undefined;
    this.#missing = undefined;
    this.#text = '';
    answered?.(status);
  }
}
