/** Listen, and stop without losing a request. */

import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';

const KEEP_ALIVE = 75_000; // longer than a load balancer's 60 s, so that this side is never the first to close
const GRACE = 20_000;
const IDLE_CHECK = 100;
const RESTART_PAUSE = 1_000;

/**
 * Serve from `workers` processes: this one when it is one, else children of this one, which are replaced when they die.
 * With the last of them goes the socket, which came from outside and cannot be opened again: then all ends, and systemd starts anew.
 */
export async function serve(start, { workers, log }) {
  if (workers === 1 || cluster.isWorker) return start();
  let stopping = false;
  cluster.on('exit', (worker, code, signal) => {
    const left = Object.values(cluster.workers).filter((other) => !other.isDead()).length; // the dead stay in until their channel closes
    if (!stopping) log(`worker ${worker.process.pid} ended (${signal ?? code}); ${left > 0 ? 'starting another' : 'it was the last'}`);
    if (left === 0) process.exit(stopping ? 0 : 1);
    else if (!stopping) setTimeout(() => stopping || cluster.fork(), RESTART_PAUSE);
  });
  onStop(() => {
    stopping = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  });
  for (let started = 0; started < workers; started += 1) cluster.fork();
  return undefined;
}

/** A server that, when it is told to stop, takes no new request, answers those that run, and closes what it used. */
export async function listen(application, where, { close, log }) {
  let stopping = false;
  const server = createServer((request, response) => {
    if (stopping) response.setHeader('Connection', 'close');
    application(request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE;
  server.headersTimeout = KEEP_ALIVE + 5_000;
  server.listen({ backlog: 2_048, ...where });
  await once(server, 'listening');
  log(`listening on ${where.fd ? 'the socket of systemd' : (where.path ?? `port ${server.address().port}`)}`);
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    const closed = new Promise((resolve) => server.close(resolve));
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK);
    const forced = setTimeout(() => server.closeAllConnections(), GRACE);
    await closed;
    clearInterval(idle);
    clearTimeout(forced);
    await close();
  };
  onStop(() => stop().then(leave, (error) => leave(error)));
  return { server, stop };

  function leave(error) {
    if (error) log(`stopping: ${error.stack}`);
    process.exit(error ? 1 : 0);
  }
}

function onStop(action) {
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, action);
}
