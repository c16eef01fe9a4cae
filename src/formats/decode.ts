import { isUtf8 } from 'node:buffer';
import { KshotError } from '../errors.js';
import { invalidAt } from './document.js';

/** The longest file that is read, in bytes: a bot of a million examples. Beyond it the file is a mistake. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * A file's bytes as text, without byte order mark: UTF-8, or UTF-16 if a mark says so.
 *
 * @throws KshotError `invalid_file` if it is neither, or is too long.
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > MAX_FILE_BYTES) throw tooLong();
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return decodeUtf16(bytes, 'utf-16le');
  if (first === 0xfe && second === 0xff) return decodeUtf16(bytes, 'utf-16be');
  // ASCII in UTF-16 without a mark is valid UTF-8, half of it NUL.
  if (first === 0 || second === 0) {
    throw new KshotError('invalid_file', 'this is UTF-16 without a byte order mark; save it as UTF-8');
  }
  if (!isUtf8(bytes)) throw notUtf8(bytes);
  return new TextDecoder('utf-8').decode(bytes);
}

export function tooLong(): KshotError {
  const limit = MAX_FILE_BYTES / 1024 / 1024;
  return new KshotError('invalid_file', `longer than ${limit} MiB; split it and import the parts`);
}

function decodeUtf16(bytes: Uint8Array, encoding: 'utf-16le' | 'utf-16be'): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KshotError('invalid_file', 'this is broken UTF-16; save the file as UTF-8', { cause });
  }
}

/** Latin-1 is not guessed: every byte is a letter of a dozen encodings. */
function notUtf8(bytes: Uint8Array): KshotError {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    const invalid = bytes.subarray(start, end);
    if (!isUtf8(invalid)) {
      const byte = invalid.find((one) => one >= 0x80)?.toString(16);
      return invalidAt(
        line,
        `this is not UTF-8 (byte 0x${byte}), but Latin-1, Windows-1252 or the like; save the file as UTF-8`,
      );
    }
    start = end + 1;
  }
  return new KshotError('invalid_file', 'this is not UTF-8; save the file as UTF-8');
}
