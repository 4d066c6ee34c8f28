import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { storageContract } from '../contract.ts';
import { openStorage } from '../open.ts';
import { openNodeSqlite } from './node-sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-sqlite-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const inMemory = openStorage(openNodeSqlite(':memory:'));
storageContract('SQLite in memory', async () => inMemory);
storageContract('SQLite in a file with two nodes', async () => openStorage(openNodeSqlite(join(folder, 'contract.db'))));
