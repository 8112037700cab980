/**
 * Migrations: files of SQL in the order of their names, each with one statement that may run again.
 *
 * MySQL commits every statement that changes a table at once, so a run that is killed can leave a statement done and not
 * noted; hence CREATE TABLE IF NOT EXISTS and INSERT IGNORE.
 */

import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { isUnreachable } from './database.js';

const TABLE = 'schema_migrations';

export class MigrationError extends Error {}

/** [{name, sql}] of a folder. */
export async function readMigrations(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(new URL(name, folder), 'utf8') })));
}

/** Those of `migrations` that are not applied yet. What only the database knows is a newer release's: that is how to go back. */
export function pending(migrations, applied) {
  return migrations.filter(({ name }) => !applied.includes(name));
}

/** The names of the applied migrations; `query` gives rows. */
export async function appliedNames(query) {
  try {
    return (await query(`SELECT name FROM ${TABLE}`)).map(({ name }) => name);
  } catch (error) {
    if (error.code === 'ER_NO_SUCH_TABLE') return [];
    throw error;
  }
}

/** Apply what is missing, one machine at a time. Gives the names of what was applied. */
export async function migrate(connection, migrations, { lock, wait }) {
  const query = async (sql, values) => (await connection.query(sql, values))[0];
  const [{ taken }] = await query('SELECT GET_LOCK(?, ?) AS taken', [lock, wait]);
  if (taken !== 1) {
    throw new MigrationError(`another machine has been migrating for more than ${wait} s; the lock is ${lock}`);
  }
  try {
    await query(`CREATE TABLE IF NOT EXISTS ${TABLE} (name VARCHAR(100) PRIMARY KEY, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)`);
    const missing = pending(migrations, await appliedNames(query));
    for (const { name, sql } of missing) {
      await query(sql);
      await query(`INSERT INTO ${TABLE} (name) VALUES (?)`, [name]);
    }
    return missing.map(({ name }) => name);
  } finally {
    await query('SELECT RELEASE_LOCK(?)', [lock]); // the server lets go by itself when this process dies
  }
}

/** A connection, waited for while the database is not reachable. */
export async function connectPatiently(connect, { wait, say, pause = 2_000, now = Date.now }) {
  const deadline = now() + wait * 1_000;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!isUnreachable(error) || now() + pause > deadline) throw error;
      say(`waiting for the database: ${error.code}`);
    }
    await sleep(pause);
  }
}
