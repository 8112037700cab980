/** The site as a program sees it: JSON. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createSite } from '../students/site.js';
import { served } from '../testing/site.js';
import { MemoryStudents } from '../testing/students.js';

const ADA = { name: 'Ada', email: 'ada@example.org', city: 'London' };

async function site(t, students = new MemoryStudents()) {
  return served(t, createSite({ students, database: undefined, migrations: [], host: 'machine-1', log: () => {} }));
}

test('a student is added, read, listed, replaced and removed', async (t) => {
  const { ask } = await site(t);
  const added = await ask('/students', { method: 'POST', json: ADA });
  assert.equal(added.status, 201);
  assert.equal(added.headers.get('location'), '/students/1');
  assert.deepEqual(added.json, { id: 1, ...ADA });
  assert.deepEqual((await ask('/students/1')).json, { id: 1, ...ADA });
  assert.deepEqual((await ask('/students')).json, { students: [{ id: 1, ...ADA }], count: 1, page: 1, pages: 1 });
  const replaced = await ask('/students/1', { method: 'PUT', json: { name: 'Ada L.', email: ADA.email } });
  assert.deepEqual(replaced.json, { id: 1, name: 'Ada L.', email: ADA.email, city: '' });
  assert.equal((await ask('/students/1', { method: 'DELETE' })).status, 204);
  assert.deepEqual((await ask('/students/1')).json, { errors: 'there is no student 1' });
});

test('every answer names the machine and holds a strict content policy', async (t) => {
  const { ask } = await site(t);
  for (const path of ['/students', '/nowhere', '/static/style.css']) {
    const { headers } = await ask(path);
    assert.equal(headers.get('x-served-by'), 'machine-1', path);
    assert.match(headers.get('content-security-policy'), /default-src 'none'/, path);
  }
});

test('every wrong field is told at once', async (t) => {
  const { ask } = await site(t);
  const { status, json } = await ask('/students', { method: 'POST', json: { name: ' ', email: 'ada', city: 7, age: '3' } });
  assert.equal(status, 400);
  assert.deepEqual(json.errors, {
    age: ['age is not known; known are name, email, city'],
    name: ['name: is missing'],
    email: ["email: found 'ada', expected an address such as ada@example.org"],
    city: ['city: found number, expected text'],
  });
});

test('two students cannot have one address', async (t) => {
  const { ask } = await site(t);
  await ask('/students', { method: 'POST', json: ADA });
  const second = await ask('/students', { method: 'POST', json: { ...ADA, name: 'Eva' } });
  assert.equal(second.status, 409);
  assert.deepEqual(second.json.errors, { email: ["email: ada@example.org is another student's"] });
});

test('fifty to a page', async (t) => {
  const students = new MemoryStudents();
  for (let number = 1; number <= 51; number += 1) await students.add({ name: 'A', email: `${number}@example.org`, city: '' });
  const { ask } = await site(t, students);
  const { json } = await ask('/students?page=2');
  assert.deepEqual([json.students.length, json.students[0].id, json.count, json.page, json.pages], [1, 51, 51, 2, 2]);
  assert.equal((await ask('/students?page=x')).json.page, 1);
});

for (const [what, request, status, errors] of [
  ['a body that is no JSON', { method: 'POST', form: { name: 'Ada' }, headers: { 'content-type': 'application/json' } }, 400, /JSON/],
  ['a list', { method: 'POST', json: [] }, 400, /found a list/],
  ['another kind of body', { method: 'POST', headers: { 'content-type': 'text/plain' } }, 415, /found text\/plain/],
  ['a body that is too large', { method: 'POST', json: { name: 'a'.repeat(20_000) } }, 413, /too large/],
]) {
  test(`${what} is refused`, async (t) => {
    const { ask } = await site(t);
    const answer = await ask('/students', request);
    assert.equal(answer.status, status);
    assert.match(answer.json.errors, errors);
  });
}

test("an address that is none is the asker's fault", async (t) => {
  const { ask } = await site(t);
  const { status, json } = await ask('/students/%E0%A4%A');
  assert.equal(status, 400);
  assert.match(json.errors, /%E0%A4%A/);
});

test('an id that is none is not there', async (t) => {
  const { ask } = await site(t);
  for (const id of ['0', 'x', '1e3', '99999999999']) assert.equal((await ask(`/students/${id}`)).status, 404, id);
});

test('a database that does not answer is 503, and what went wrong is in the log only', async (t) => {
  const said = [];
  const students = { list: () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED 10.0.2.7:3306'), { code: 'ECONNREFUSED' })) };
  const { ask } = await served(t, createSite({ students, host: 'machine-1', migrations: [], log: (text) => said.push(text) }));
  const answer = await ask('/students');
  assert.equal(answer.status, 503);
  assert.doesNotMatch(answer.text, /10\.0\.2\.7/);
  assert.match(said[0], /GET \/students: .*10\.0\.2\.7/);
});
