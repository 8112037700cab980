/** Migrations, and waiting for the database. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPool, connect } from '../lib/database.js';
import { lockOf, migrateDatabase } from '../lib/main.js';
import { connectPatiently, migrate, pending, readMigrations } from '../lib/migrations.js';
import { skip, startDatabase } from '../testing/database.js';

const FOLDER = new URL('../migrations/', import.meta.url);

test('what is not applied is pending, and what only the database knows is left alone', () => {
  const migrations = [{ name: '001.sql' }, { name: '002.sql' }];
  assert.deepEqual(pending(migrations, ['001.sql', '003.sql']), [{ name: '002.sql' }]);
});

test('they come in the order of their names', async () => {
  const names = (await readMigrations(FOLDER)).map(({ name }) => name);
  assert.deepEqual(names, [...names].sort());
  assert.ok(names.length > 0);
});

test('a database that is not there yet is waited for', async () => {
  const said = [];
  let left = 2;
  const open = async () => {
    if ((left -= 1) >= 0) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    return 'connected';
  };
  assert.equal(await connectPatiently(open, { wait: 10, pause: 1, say: (text) => said.push(text) }), 'connected');
  assert.deepEqual(said, Array(2).fill('waiting for the database: ECONNREFUSED'));
});

test('but not forever, and a wrong password is told at once', async () => {
  const refused = (code) => async () => {
    throw Object.assign(new Error(code), { code });
  };
  let clock = 0;
  const never = connectPatiently(refused('ECONNREFUSED'), { wait: 60, pause: 1, now: () => (clock += 20_000), say: () => {} });
  await assert.rejects(never, /ECONNREFUSED/);
  await assert.rejects(connectPatiently(refused('ER_ACCESS_DENIED_ERROR'), { wait: 60, say: assert.fail }), /ACCESS_DENIED/);
});

test('a setting that is missing is told', async () => {
  await assert.rejects(migrateDatabase(FOLDER, { environment: {} }), /DB_HOST, DB_NAME, DB_USER, DB_PASSWORD not set/);
});

test('the lock has a name that MySQL takes', () => {
  assert.equal(lockOf('shop'), 'shop.migrate');
  assert.equal(lockOf('x'.repeat(64)), 'x'.repeat(64));
});

test('machines that boot together migrate once', { skip }, async (t) => {
  const settings = await startDatabase(t);
  const migrations = await readMigrations(FOLDER);
  const machine = async () => {
    const connection = await connect(settings);
    try {
      return await migrate(connection, migrations, { lock: 'test.migrate', wait: 30 });
    } finally {
      await connection.end();
    }
  };
  const applied = await Promise.all([machine(), machine(), machine()]);
  assert.deepEqual(applied.flat(), migrations.map(({ name }) => name));
  const pool = createPool(settings);
  const { count } = (await pool.query('SELECT COUNT(*) AS count FROM schema_migrations'))[0];
  await pool.end();
  assert.equal(count, migrations.length);

  const holder = await connect(settings);
  await holder.query("SELECT GET_LOCK('test.migrate', 1)");
  const late = await connect(settings);
  await assert.rejects(migrate(late, migrations, { lock: 'test.migrate', wait: 1 }), /another machine has been migrating for more than 1 s/);
  await Promise.all([holder.end(), late.end()]);
});
