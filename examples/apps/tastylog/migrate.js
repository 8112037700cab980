/** The program that brings the database's tables about; any number of machines may run it at once. */

import { main, migrateDatabase } from './lib/main.js';

main(() => migrateDatabase(new URL('migrations/', import.meta.url)));
