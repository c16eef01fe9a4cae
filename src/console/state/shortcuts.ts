import { useLayoutEffect, useRef } from 'react';
import { flushSync } from 'react-dom';

/** Handlers by key; the ones that were mounted last go first, so that a screen may take a key from the shell. */
type Handlers = Readonly<Record<string, (() => void) | undefined>>;

const layers: { current: Handlers }[] = [];
/** The first key of a sequence such as `g i`, and when it was hit. */
let pending: { readonly key: string; readonly at: number } | undefined;
const SEQUENCE_MS = 1200;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
  );
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) || document.querySelector('dialog:modal') !== null) return;
  const prefix = pending !== undefined && event.timeStamp - pending.at < SEQUENCE_MS ? `${pending.key} ` : '';
  pending = undefined;
  const handler = find(prefix + event.key);
  if (handler !== undefined) {
    event.preventDefault();
    // At once: the next key may be meant for a box that this one opens.
    flushSync(handler);
  } else if (event.key === 'g') {
    pending = { key: event.key, at: event.timeStamp };
  }
});

function find(key: string): (() => void) | undefined {
  for (const layer of [...layers].reverse()) {
    const handler = layer.current[key];
    if (handler !== undefined) return handler;
  }
  return undefined;
}

/** Keys that work wherever nobody is typing: `/`, `?`, or a sequence such as `g i`. */
export function useShortcuts(handlers: Handlers): void {
  const layer = useRef(handlers);
  // Before the screen is drawn: whoever sees it may hit a key.
  useLayoutEffect(() => {
    layer.current = handlers;
  });
  useLayoutEffect(() => {
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
    };
  }, []);
}
