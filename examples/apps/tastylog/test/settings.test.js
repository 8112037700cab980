/** What the environment may say. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { serverSettings } from '../lib/settings.js';

const DATABASE = { DB_HOST: 'db', DB_NAME: 'shop', DB_USER: 'admin', DB_PASSWORD: 'only-for-tests' };
const settings = (environment) => serverSettings({ ...DATABASE, ...environment }, 2);

test('what is not said', () => {
  const { listen, workers, database } = settings({});
  assert.deepEqual(listen, { port: 3000, host: '::' });
  assert.equal(workers, 2);
  assert.deepEqual(database, { host: 'db', port: 3306, database: 'shop', user: 'admin', password: 'only-for-tests', ssl: undefined });
});

test('where it listens', () => {
  assert.deepEqual(settings({ PORT: '8080', HOST: '127.0.0.1' }).listen, { port: 8080, host: '127.0.0.1' });
  assert.deepEqual(settings({ LISTEN: '/run/shop/node.sock' }).listen, { path: '/run/shop/node.sock' });
  assert.deepEqual(settings({ LISTEN_FDS: '1', PORT: '8080' }).listen, { fd: 3 }, "systemd's socket wins");
});

test('encryption', () => {
  assert.deepEqual(settings({ DB_TLS: 'require' }).database.ssl, { rejectUnauthorized: false });
  const { ca, verifyIdentity } = settings({ DB_TLS: 'verify' }).database.ssl;
  assert.match(ca[0], /BEGIN CERTIFICATE/);
  assert.equal(verifyIdentity, true, "a certificate of another's database will not do");
});

for (const [environment, words] of [
  [{ DB_HOST: '', DB_PASSWORD: '' }, 'DB_HOST, DB_PASSWORD not set in the environment; they say where the database is'],
  [{ PORT: 'http' }, "PORT is 'http', expected a whole number from 0 to 65535"],
  [{ DB_PORT: '70000' }, "DB_PORT is '70000', expected a whole number from 1 to 65535"],
  [{ WORKERS: '0' }, "WORKERS is '0', expected a whole number from 1 to 64"],
  [{ LISTEN: '/run/x', PORT: '1' }, 'both LISTEN and PORT are set; set one of them'],
  [{ LISTEN_FDS: '2' }, 'systemd passed 2 sockets, expected 1'],
  [{ DB_TLS: 'maybe' }, "DB_TLS is 'maybe', expected one of off, require, verify"],
]) {
  test(`refused: ${words}`, () => assert.throws(() => settings(environment), { message: words }));
}
