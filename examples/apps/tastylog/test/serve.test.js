/** The program as a process: where it listens, how it stops, what it survives. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { listen, serve } from '../lib/serve.js';

const NOWHERE = { DB_HOST: '127.0.0.1', DB_PORT: '1', DB_NAME: 'x', DB_USER: 'x', DB_PASSWORD: 'only-for-tests' };
const SERVER = new URL('../server.js', import.meta.url).pathname;

/** Start the program as systemd does, with the socket as file descriptor 3. */
async function started(t, environment) {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const child = spawn(process.execPath, [SERVER], {
    env: { ...NOWHERE, LISTEN_FDS: '1', ...environment },
    stdio: ['ignore', 'ignore', 'pipe', socket._handle.fd],
  });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  t.after(() => child.kill('SIGKILL'));
  socket.close();
  const ask = () => fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } });
  assert.equal((await eventually(ask)).status, 503, said);
  return { child, ask, said: () => said };
}

async function eventually(action) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (attempt === 300) throw error;
    }
    await sleep(100);
  }
}

for (const workers of ['1', '2']) {
  test(`it listens where systemd does, and ends when it is told to, with ${workers} worker(s)`, async (t) => {
    const { child, said } = await started(t, { WORKERS: workers });
    child.kill('SIGTERM');
    const [code, signal] = await once(child, 'exit');
    assert.deepEqual([code, signal], [0, null], said());
  });
}

test('a worker that dies is replaced', async (t) => {
  const { child, ask, said } = await started(t, { WORKERS: '2' });
  await eventually(async () => assert.equal(said().match(/listening on/g).length, 2));
  const [worker] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ');
  process.kill(Number(worker), 'SIGKILL');
  await eventually(async () => assert.match(said(), /ended \(SIGKILL\); starting another/));
  assert.equal((await eventually(ask)).status, 503);
});

test('when the last worker dies all ends, for systemd to start it anew', async (t) => {
  const { child, said } = await started(t, { WORKERS: '2' });
  await eventually(async () => assert.equal(said().match(/listening on/g).length, 2));
  for (const worker of (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ')) process.kill(Number(worker), 'SIGKILL');
  assert.deepEqual(await once(child, 'exit'), [1, null]);
});

test('a worker that is dead but still in the list of workers does not count', async (t) => {
  const ended = t.mock.method(process, 'exit', () => {});
  t.mock.method(cluster, 'fork', () => {});
  const dead = { isDead: () => true, process: { pid: 1 } };
  cluster.workers = { 1: dead };
  await serve(assert.fail, { workers: 2, log: () => {} });
  t.after(() => {
    cluster.workers = {};
    cluster.removeAllListeners('exit');
  });
  cluster.emit('exit', dead, null, 'SIGKILL');
  assert.deepEqual(ended.mock.calls.map(({ arguments: [code] }) => code), [1]);
});

test('a request that is running is answered before it stops', async () => {
  let closed = false;
  const application = (_request, response) => setTimeout(() => response.end(`closed: ${closed}`), 300);
  const where = { port: 0, host: '127.0.0.1' };
  const { server, stop } = await listen(application, where, { close: async () => (closed = true), log: () => {} });
  const { port } = server.address();
  assert.equal(server.listenerCount('error'), 0, 'what goes wrong later is nobody else\'s to swallow');
  const running = fetch(`http://127.0.0.1:${port}/`);
  await sleep(100);
  const stopped = stop();
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`), 'no new one is taken');
  assert.equal(await (await running).text(), 'closed: false');
  const answered = Date.now();
  await stopped;
  assert.ok(Date.now() - answered < 5_000, 'and the connection, which is kept alive, is not waited for');
  assert.equal(closed, true);
});

test('a setting that is missing ends it, in one line', async () => {
  const child = spawn(process.execPath, [SERVER], { env: { ...NOWHERE, DB_HOST: '' }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.equal(said, 'error: DB_HOST not set in the environment; they say where the database is\n');
});
