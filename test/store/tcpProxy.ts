import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** NotificationResponse, of PostgreSQL's protocol: a byte that says what a message is, then its length without that byte. */
const NOTIFICATION = 'A'.charCodeAt(0);
const LENGTH_BYTES = 4;

/** Stands between kshot and a PostgreSQL server, and plays what can go wrong there. */
export class TcpProxy {
  /** Whether notifications get lost. */
  dropsNotifications = false;
  port = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
  }

  /** Listens, again on the same port after a stop. */
  async start(): Promise<void> {
    const server = createServer((client) => this.#join(client));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.port = (server.address() as AddressInfo).port;
  }

  /** As if the server were stopped: connections are cut, and new ones refused. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #join(client: Socket): void {
    const server = connect(this.#target);
    const both = [client, server];
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const other of both) other.destroy();
      });
    }
    client.on('data', (bytes) => server.write(bytes));
    let unread = Buffer.alloc(0);
    server.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      while (unread.length > LENGTH_BYTES) {
        const length = 1 + unread.readUInt32BE(1);
        if (unread.length < length) break;
        const message = unread.subarray(0, length);
        unread = unread.subarray(length);
        if (!(this.dropsNotifications && message[0] === NOTIFICATION)) client.write(message);
      }
    });
  }
}
