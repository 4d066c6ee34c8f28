import { after, before, describe, test } from 'node:test';
import { randomWord } from '../../crypto/random.ts';
import { storageContract } from '../contract.ts';
import { openStorage } from '../open.ts';
import { openPostgres } from './postgres.ts';

const url = process.env.AUTH_AGENT_TEST_POSTGRES;

if (url === undefined) {
  test('Postgres keeps the storage contract', {
    skip: process.env.CI === undefined && 'AUTH_AGENT_TEST_POSTGRES is not set; try tools/postgres.sh run',
  }, () => {
    throw new Error('CI must run the storage contract on Postgres: set AUTH_AGENT_TEST_POSTGRES, for example with tools/postgres.sh run');
  });
} else {
  onOwnDatabase(url);
}

function onOwnDatabase(adminUrl: string): void {
  describe('a fresh database', () => {
    const name = `auth_agent_${randomWord(12).toLowerCase()}`;
    const own = new URL(adminUrl);
    own.pathname = `/${name}`;
    const admin = openPostgres(adminUrl, { max: 1 });
    before(() => admin.write([{ text: `create database ${name}`, values: [] }]));
    after(async () => {
      await admin.write([{ text: `drop database ${name} with (force)`, values: [] }]);
      await admin.close();
    });

    storageContract('Postgres', async () => openStorage(openPostgres(own.href, { max: 20 })));
  });
}
