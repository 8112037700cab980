/** The health check: is this machine fit to be sent requests? */

import { appliedNames, pending } from './migrations.js';

/** A handler that answers 200 when the database answers and has every table of this release, 503 with the reason otherwise. */
export function healthCheck({ database, migrations, host, log }) {
  let migrated = false; // what has been applied stays so, hence one good answer is kept

  async function state() {
    try {
      if (migrated) {
        await database.query('SELECT 1');
      } else {
        migrated = pending(migrations, await appliedNames(database.query)).length === 0;
      }
      return migrated ? 'ok' : 'migrations missing';
    } catch (error) {
      log(`health check: ${error.message}`); // names hosts and users: not for the answer
      return 'unreachable';
    }
  }

  return async (_request, response) => {
    const found = await state();
    const healthy = found === 'ok';
    response.status(healthy ? 200 : 503).json({ status: healthy ? 'ok' : 'unavailable', database: found, host });
  };
}
