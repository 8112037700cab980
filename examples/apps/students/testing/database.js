/** A database for tests that need a real one: a MariaDB server of the test's own. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect } from '../lib/database.js';

const SERVER = ['/usr/sbin/mariadbd', '/usr/sbin/mysqld'].find(existsSync);

/** Why tests of the database are skipped, or false. */
export const skip = SERVER === undefined && 'NO DATABASE: install mariadb-server to run the tests that need a real one';

/** Start a server on a socket in a folder of its own; gives the settings of a new database in it. */
export async function startDatabase(test) {
  const folder = await mkdtemp(join(tmpdir(), 'test-database-'));
  // A folder of its own for temporary tables too: servers that start together would take each other's.
  const options = ['--no-defaults', `--user=${userInfo().username}`, `--datadir=${folder}/data`, `--tmpdir=${folder}`];
  await run('mariadb-install-db', [...options, '--auth-root-authentication-method=normal', '--skip-test-db']);
  const socketPath = join(folder, 'socket');
  const server = spawn(SERVER, [...options, `--socket=${socketPath}`, '--skip-networking'], { stdio: 'ignore' });
  test.after(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
    await rm(folder, { recursive: true });
  });
  const settings = { socketPath, user: 'root', database: 'test' };
  for (let attempt = 0; ; attempt += 1) {
    try {
      const connection = await connect({ ...settings, database: undefined });
      await connection.query('CREATE DATABASE test');
      await connection.end();
      return settings;
    } catch (error) {
      if (attempt === 300 || server.exitCode !== null) throw error;
    }
    await sleep(100);
  }
}

async function run(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  child.stderr.on('data', (part) => (told += part));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${told}`);
}
