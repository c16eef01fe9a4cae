/** Holds the store named on the command line, says so, and stays until it is killed or its parent is gone. */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/store/sqlite.js';

const [file = '', url = ''] = process.argv.slice(2);
const store = await openSqliteStore(file);
writeSync(1, 'opened\n');
await store.announce(url);
writeSync(1, 'announced\n');
process.stdin.resume().once('end', () => void store.close());
