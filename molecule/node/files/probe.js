/** A program that tells what it may do: /write?<path>, /status, /environment?<name>, /slow. It listens where systemd does. */
'use strict';

const { createServer } = require('node:http');
const { readFileSync, writeFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const answers = {
  '/': () => `process ${process.pid}`,
  '/environment': (query) => process.env[query] ?? 'not set',
  '/slow': () => sleep(2000, 'slow'),
  '/status': () => readFileSync('/proc/self/status', 'utf8'),
  '/write': (query) => {
    writeFileSync(query, 'here I was\n');
    return 'written';
  },
};

const server = createServer(async (request, response) => {
  const [path, query] = request.url.split('?');
  try {
    response.end(await answers[path](query));
  } catch (error) {
    response.end(`refused: ${error.code}`);
  }
});

process.once('SIGTERM', () => server.close(() => process.exit(0)));
server.listen({ fd: 3 }, () => console.log('the probe listens'));
