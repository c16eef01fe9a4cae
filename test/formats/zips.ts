import { deflateRawSync } from 'node:zlib';

/** A file to pack, and what to say of it that is not so. */
export interface Packed {
  readonly name: string;
  readonly content: string | Buffer;
  /** Instead of the true length, in bytes. */
  readonly saysLength?: number;
  readonly isEncrypted?: true;
}

/** Packs files the way an agent's export does; without checksums, which nobody looks at. */
export function zip(files: readonly Packed[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, saysLength, isEncrypted } of files) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const path = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(isEncrypted ? 0x801 : 0x800, 2); // names are UTF-8
    common.writeUInt16LE(8, 4); // deflated
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(saysLength ?? bytes.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, path, packed]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, path);
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

/** Packs JSON files by name. */
export function zipJson(files: Readonly<Record<string, unknown>>): Buffer {
  return zip(Object.entries(files).map(([name, value]) => ({ name, content: JSON.stringify(value) })));
}
