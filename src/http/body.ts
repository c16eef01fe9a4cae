import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { KshotError } from '../errors.js';
import { invalidField, TransportError } from './problem.js';

type Inflate = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const INFLATE: Readonly<Record<string, Inflate>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/**
 * Reads a JSON body. Written out here because the usual middleware answers a body that is too large only after it has
 * swallowed all of it, and takes bytes that are no UTF-8 for text.
 *
 * @param maxBytes of the body, both as it is sent and after decompression.
 * @throws TransportError `unsupported_media_type`, `body_too_large`; KshotError `invalid_request`, or `cancelled` if the
 *   client leaves halfway.
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(request, maxBytes, checkJsonType);
  if (!isUtf8(bytes)) throw invalidField('body', 'must be UTF-8');
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    throw invalidField(
      'body',
      `is not valid JSON${error instanceof SyntaxError ? `: ${error.message}` : ''}`,
    );
  }
}

/**
 * Reads a body that is a file.
 *
 * @param types that it may have. None of those that a page of another origin may send unasked, such as `text/plain`: a
 *   server without keys on this machine must not be written to by whatever its browser visits.
 * @throws as `readJson`.
 */
export function readFileBody(
  request: IncomingMessage,
  { types, maxBytes }: { readonly types: readonly string[]; readonly maxBytes: number },
): Promise<Uint8Array> {
  return readBody(request, maxBytes, (type) => {
    const [name = ''] = (type ?? '').toLowerCase().split(';');
    if (types.includes(name.trim())) return;
    const advice = 'Say what the file is in content-type; application/octet-stream does for all';
    throw new TransportError('unsupported_media_type', advice, { accept: types.join(', ') });
  });
}

async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  checkType: (type: string | undefined) => void,
): Promise<Buffer> {
  const { headers } = request;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) throw missing();
  checkType(headers['content-type']);
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const decompress = Object.hasOwn(INFLATE, encoding) ? INFLATE[encoding] : undefined;
  if (decompress === undefined && encoding !== 'identity') {
    const known = Object.keys(INFLATE).join(', ');
    throw new TransportError('unsupported_media_type', `Send the body uncompressed, or as one of ${known}`, {
      'accept-encoding': known,
    });
  }
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);

  let bytes = await readBytes(request, maxBytes);
  if (decompress !== undefined) bytes = await decompressed(bytes, decompress, encoding, maxBytes);
  if (bytes.length === 0) throw missing();
  return bytes;
}

function checkJsonType(type: string | undefined): void {
  const [name = '', ...parameters] = (type ?? '').toLowerCase().split(';');
  if (!/^application\/([\w.-]+\+)?json$/.test(name.trim())) {
    throw new TransportError('unsupported_media_type', 'Send JSON, with content-type: application/json', {
      accept: 'application/json',
    });
  }
  for (const parameter of parameters) {
    const charset = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter)?.[1];
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
      throw new TransportError('unsupported_media_type', 'Send JSON as UTF-8, the only encoding that it has');
    }
  }
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (error?: Error) => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      if (error === undefined)
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
      else reject(error);
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        // The answer goes out now; what still arrives is let go by until the request times out.
        settle(tooLarge(maxBytes));
        request.resume();
      } else chunks.push(chunk);
    };
    const onEnd = () => {
      settle();
    };
    const onClose = () => {
      settle(new KshotError('cancelled', 'The client left before its request had arrived'));
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

async function decompressed(
  bytes: Buffer,
  decompress: Inflate,
  encoding: string,
  maxBytes: number,
): Promise<Buffer> {
  try {
    return await decompress(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes);
    throw invalidField('body', `is not valid ${encoding}`);
  }
}

function missing(): KshotError {
  return invalidField('body', 'is missing');
}

function tooLarge(maxBytes: number): TransportError {
  return new TransportError('body_too_large', `The body must be at most ${maxBytes} bytes long`);
}
