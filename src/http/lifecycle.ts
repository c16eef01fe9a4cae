import type { ClassifyService, ServiceStats } from '../classify/service.js';
import { KshotError } from '../errors.js';

/**
 * Where the server is in its life. It listens from the first moment, so that whoever watches sees it alive, but has a
 * service to offer only between `ready` and `stop`; what was begun before `stop` is finished all the same.
 */
export class Lifecycle {
  private offered: ClassifyService | undefined;
  private stopping = false;

  /** For a service that is ready as it is. */
  static of(service: ClassifyService): Lifecycle {
    const lifecycle = new Lifecycle();
    lifecycle.ready(service);
    return lifecycle;
  }

  /** The warm-up is over: from now on requests are served. */
  ready(service: ClassifyService): void {
    this.offered = service;
  }

  /** Takes no new request from now on. */
  stop(): void {
    this.stopping = true;
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  /** @throws KshotError `not_ready` while the server starts or stops. */
  get service(): ClassifyService {
    if (this.stopping) throw new KshotError('not_ready', 'The server is stopping');
    if (this.offered === undefined) throw new KshotError('not_ready', 'The server is starting');
    return this.offered;
  }

  /** What a classification would be refused with, as the service says; undefined while there is none. */
  refusal(): KshotError | undefined {
    return this.stopping ? undefined : this.offered?.refusal();
  }

  /** Figures for metrics; undefined while the server starts. */
  stats(): ServiceStats | undefined {
    return this.offered?.stats();
  }
}
