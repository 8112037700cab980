/** Students in a real database. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect, createPool } from '../lib/database.js';
import { migrate, readMigrations } from '../lib/migrations.js';
import { Students } from '../students/store.js';
import { skip, startDatabase } from '../testing/database.js';

const ADA = { name: "Ada O'Neil \u{1F393}", email: 'ada@example.org', city: 'London' };

test('students in the database', { skip }, async (t) => {
  const settings = await startDatabase(t);
  const connection = await connect(settings);
  await migrate(connection, await readMigrations(new URL('../migrations/', import.meta.url)), { lock: 'test.migrate', wait: 5 });
  await connection.end();
  const pool = createPool(settings);
  t.after(() => pool.end());
  const students = new Students(pool);

  await t.test('add and find', async () => {
    assert.deepEqual(await students.add(ADA), { id: 1, ...ADA });
    assert.deepEqual({ ...(await students.find(1)) }, { id: 1, ...ADA });
    await assert.rejects(students.find(2), { status: 404 });
  });

  await t.test('an address belongs to one', async () => {
    await assert.rejects(students.add({ ...ADA, name: 'Eva' }), { status: 409 });
    const { id } = await students.add({ ...ADA, email: 'eva@example.org' });
    await assert.rejects(students.replace(id, ADA), { status: 409 });
  });

  await t.test('replace, also by the same', async () => {
    assert.deepEqual(await students.replace(1, { ...ADA, city: '' }), { id: 1, ...ADA, city: '' });
    await students.replace(1, { ...ADA, city: '' });
    await assert.rejects(students.replace(99, { ...ADA, email: 'x@example.org' }), { status: 404 });
  });

  await t.test('list by pages', async () => {
    const { students: second, count } = await students.list(2, 1);
    assert.equal(second[0].email, 'eva@example.org');
    assert.equal(count, 2);
  });

  await t.test('remove', async () => {
    await students.remove(1);
    await assert.rejects(students.remove(1), { status: 404 });
  });
});
