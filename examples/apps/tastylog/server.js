/** The program that serves the application. */

import { hostname, availableParallelism } from 'node:os';

import { createPool } from './lib/database.js';
import { log, main } from './lib/main.js';
import { readMigrations } from './lib/migrations.js';
import { listen, serve } from './lib/serve.js';
import { serverSettings } from './lib/settings.js';
import { createSite } from './shops/site.js';
import { Shops } from './shops/store.js';

main(async () => {
  const settings = serverSettings(process.env, availableParallelism());
  const start = async () => {
    const database = createPool(settings.database);
    const migrations = await readMigrations(new URL('migrations/', import.meta.url));
    const site = createSite({ shops: new Shops(database), database, migrations, host: hostname(), log });
    await listen(site, settings.listen, { close: database.end, log });
  };
  await serve(start, { workers: settings.workers, log });
});
