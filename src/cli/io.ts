import type { Settings } from '../config.js';

/** What a command reads and writes, so that it can be tested without a process. */
export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };
  /** Results. */
  readonly stdout: Output;
  /** Everything else: notes, progress, errors. */
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  sleep(milliseconds: number): Promise<void>;
  /** Resolves when the operator asks the process to stop. Until it is called, a signal ends the process at once. */
  untilStopped(): Promise<void>;
  /** Calls back whenever the operator asks the process to read anew what it can without a restart. */
  onReload(reload: () => void): void;
}

export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** How commands come to a service; the process's wiring gives it. */
export interface ServiceAccess {
  /** Starts the service and its HTTP server in this process. @param ownKey a key for whoever starts it. */
  start(settings: Settings, ownKey?: string): Promise<RunningService>;
  /** Starts what runs the jobs of servers that share the store of these settings. */
  startWorker(settings: Settings): Promise<RunningService>;
  /** The process that has the store of these settings open; undefined where none has. */
  findOwner(settings: Settings): Promise<StoreOwner | undefined>;
}

export interface RunningService {
  readonly url: string;
  /** Reads the trained heads anew, and logs what comes of it; throws nothing. */
  reload(): Promise<void>;
  /** Finishes what was accepted, then frees everything. */
  close(): Promise<void>;
}

export interface StoreOwner {
  readonly pid: number;
  /** Absent until it serves. */
  readonly url?: string;
}

/** What every command is given. */
export interface Context {
  readonly io: Io;
  readonly access: ServiceAccess;
  readonly version: string;
}
