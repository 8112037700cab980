/** The database: a pool of connections, and whether it is in order. */

import mysql from 'mysql2/promise';

const CONNECT_TIMEOUT = 3_000;
export const QUERY_TIMEOUT = 5_000;

/** Errors of the network or of a server that is going away: not the request's fault, and it may be tried again. */
const UNREACHABLE = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE', 'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT', 'ER_SERVER_SHUTDOWN', 'ER_CON_COUNT_ERROR',
]);

/**
 * Errors that a connection is not to be used after: its answer may come yet and be taken for another's, or since a failover it leads
 * to a server that only reads.
 */
const SPENT = new Set([
  'PROTOCOL_SEQUENCE_TIMEOUT', 'ER_OPTION_PREVENTS_STATEMENT', 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION', 'ER_READ_ONLY_MODE',
]);

export function connect(database) {
  return mysql.createConnection({ ...database, connectTimeout: CONNECT_TIMEOUT });
}

/** A pool whose query() gives the rows, and which gives up on a silent server. */
export function createPool(database, connections = 10) {
  const pool = mysql.createPool({
    ...database,
    connectTimeout: CONNECT_TIMEOUT,
    connectionLimit: connections,
    queueLimit: 1_000,
    enableKeepAlive: true,
  });
  return {
    // Not the pool's own query(): after a time-out that one keeps the connection for good.
    async query(sql, values = []) {
      const connection = await pool.getConnection();
      try {
        const [rows] = await connection.query({ sql, timeout: QUERY_TIMEOUT }, values);
        connection.release();
        return rows;
      } catch (error) {
        if (error.fatal || SPENT.has(error.code)) connection.destroy();
        else connection.release();
        throw error;
      }
    },
    end: () => pool.end(),
  };
}

export function isUnreachable(error) {
  return UNREACHABLE.has(error?.code);
}

export function isDuplicate(error) {
  return error?.code === 'ER_DUP_ENTRY';
}
