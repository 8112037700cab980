/** A site on a port of its own, for the time of a test. */

import { createServer } from 'node:http';

/** Serve the application and give a function that asks it: ask('/path', {method, json, form, headers}). */
export async function served(test, application) {
  const server = createServer(application);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${server.address().port}`;
  const ask = async (path, { method = 'GET', json, form, headers = {} } = {}) => {
    const type = json === undefined ? form && 'application/x-www-form-urlencoded' : 'application/json';
    const response = await fetch(origin + path, {
      method,
      redirect: 'manual',
      headers: { ...(type && { 'content-type': type }), ...headers },
      body: json === undefined ? form && new URLSearchParams(form).toString() : JSON.stringify(json),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  };
  return { origin, ask };
}

export const PERSON = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
