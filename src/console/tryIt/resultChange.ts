import { useState } from 'react';
import type { ClassifyResult } from '../../client/index.js';

export interface ResultChange {
  readonly before: ClassifyResult;
  readonly now: ClassifyResult;
}

/**
 * What a write to the bot has done to the answer to a text: remembers the answer of the revision before, for as long as the
 * text is the same. `version` tells answers of the bot from those of its versions.
 */
export function useResultChange(
  result: ClassifyResult | undefined,
  version: string | undefined,
): ResultChange | undefined {
  const [memory, setMemory] = useState<{
    readonly before?: ClassifyResult;
    readonly now?: ClassifyResult;
    readonly version?: string | undefined;
  }>({});
  if (result !== undefined && result !== memory.now) {
    const { now } = memory;
    const isSameText = now?.text === result.text && memory.version === version;
    const isWritten = isSameText && now.model.revision !== result.model.revision;
    const before = isWritten ? now : isSameText ? memory.before : undefined;
    setMemory({ now: result, version, ...(before && { before }) });
  }
  return memory.before && memory.now && { before: memory.before, now: memory.now };
}
