import { Store } from './store.js';

export interface Toast {
  readonly id: number;
  readonly tone: 'done' | 'failed';
  readonly text: string;
  readonly undo?: () => void;
}

/** What has just happened, newest last. */
export const toasts = new Store<readonly Toast[]>([]);

let last = 0;

/** Errors stay longer: they are to be read; what can be undone stays longest. */
const SHOWN_MS = { done: 4000, undo: 9000, failed: 12_000 };

export function toast(
  text: string,
  { tone = 'done', undo }: Partial<Pick<Toast, 'tone' | 'undo'>> = {},
): void {
  const id = ++last;
  toasts.set([...toasts.get().slice(-2), { id, tone, text, ...(undo && { undo }) }]);
  const shown = tone === 'failed' ? SHOWN_MS.failed : undo ? SHOWN_MS.undo : SHOWN_MS.done;
  setTimeout(() => {
    dismiss(id);
  }, shown);
}

export function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}
