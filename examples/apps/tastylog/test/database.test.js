/** The pool on a server that fails in its own ways: a few bytes of MySQL's protocol are enough of one. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { createPool } from '../lib/database.js';

const packet = (number, ...parts) => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([content.length, 0, 0, number]), content]);
};
const GREETING = packet(0, [10], '8.0.0\0', [1, 0, 0, 0], '8 bytes.\0', [0, 0x82, 45, 2, 0, 0, 0, 21], Array(10).fill(0), '12 bytes ...\0');
const OK = [0, 0, 0, 2, 0, 0, 0];
const READ_ONLY = [0xff, 1290 & 0xff, 1290 >> 8];
const DUPLICATE = [0xff, 1062 & 0xff, 1062 >> 8];

/** A server that answers the first query on its first connection as `fail` does and all others with OK; gives a pool of one connection. */
async function poolOf(t, fail) {
  const sockets = [];
  let queries = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(GREETING);
    socket.once('data', () => {
      socket.write(packet(2, OK)); // whatever the password
      socket.on('data', () => ((queries += 1) === 1 ? fail(socket) : socket.write(packet(1, OK))));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address();
  return { sockets, pool: createPool({ host: '127.0.0.1', port, user: 'x', password: 'only-for-tests', database: 'x' }, 1) };
}

for (const [what, fail, code, connections] of [
  ['that falls silent', () => {}, 'PROTOCOL_SEQUENCE_TIMEOUT', 2],
  ['that is hung up', (socket) => socket.destroy(), 'PROTOCOL_CONNECTION_LOST', 2],
  ['to a server that only reads', (socket) => socket.write(packet(1, READ_ONLY, '#HY000read only')), 'ER_OPTION_PREVENTS_STATEMENT', 2],
  ['that refuses a query', (socket) => socket.write(packet(1, DUPLICATE, '#23000there is one')), 'ER_DUP_ENTRY', 1],
]) {
  test(`a connection ${what} is ${connections === 1 ? 'kept' : 'given up for a new one'}`, { timeout: 30_000 }, async (t) => {
    const { pool, sockets } = await poolOf(t, fail);
    await assert.rejects(pool.query('INSERT'), { code });
    await pool.query('INSERT');
    assert.equal(sockets.length, connections);
    await pool.end();
  });
}
