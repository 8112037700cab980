/** How a program of the application begins and ends. */

import { connect } from './database.js';
import { MigrationError, connectPatiently, migrate, readMigrations } from './migrations.js';
import { SettingsError, databaseSettings } from './settings.js';

export const log = (text) => console.error(text);

/** Run it; an error of ours is told in one line, any other whole, and both end the process with 1. */
export function main(program) {
  program().catch((error) => {
    const ours = error instanceof SettingsError || error instanceof MigrationError;
    log(ours ? `error: ${error.message}` : error.stack);
    process.exit(1);
  });
}

/** The lock of a database's migrations: the server's, so the database's name is part of it. MySQL takes 64 characters. */
export const lockOf = (name) => `${name}.migrate`.slice(0, 64);

/** The program migrate.js: safe on several machines at once. */
export async function migrateDatabase(folder, { environment = process.env, wait = 60 } = {}) {
  const database = databaseSettings(environment);
  const connection = await connectPatiently(() => connect(database), { wait, say: log });
  try {
    const applied = await migrate(connection, await readMigrations(folder), { lock: lockOf(database.database), wait });
    log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'nothing to apply');
    return applied;
  } finally {
    await connection.end();
  }
}
