/** The health check on a database that is a function. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import express from 'express';

import { healthCheck } from '../lib/health.js';
import { served } from '../testing/site.js';

const MIGRATIONS = [{ name: '001.sql' }, { name: '002.sql' }];

async function health(t, query) {
  const said = [];
  const check = healthCheck({ database: { query }, migrations: MIGRATIONS, host: 'machine-1', log: (text) => said.push(text) });
  const { ask } = await served(t, express().get('/health', check));
  return { said, ask: () => ask('/health') };
}

test('healthy when the database answers and is migrated', async (t) => {
  const asked = [];
  const { ask } = await health(t, async (sql) => {
    asked.push(sql);
    return MIGRATIONS;
  });
  const { status, json } = await ask();
  assert.deepEqual([status, json], [200, { status: 'ok', database: 'ok', host: 'machine-1' }]);
  await ask();
  assert.equal(asked[1], 'SELECT 1', 'what has been migrated stays so');
});

test('not healthy before the migrations', async (t) => {
  const { ask } = await health(t, async () => [MIGRATIONS[0]]);
  const { status, json } = await ask();
  assert.deepEqual([status, json.database], [503, 'migrations missing']);
});

test('not healthy without the database, and the reason is in the log only', async (t) => {
  const { ask, said } = await health(t, async () => {
    throw new Error('connect ECONNREFUSED 10.0.2.7:3306');
  });
  const { status, json, text } = await ask();
  assert.deepEqual([status, json.database], [503, 'unreachable']);
  assert.doesNotMatch(text, /10\.0\.2\.7/);
  assert.match(said[0], /10\.0\.2\.7/);
});
