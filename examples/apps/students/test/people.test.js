/** The site as a person sees it: pages and forms. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createSite } from '../students/site.js';
import { PERSON, served } from '../testing/site.js';
import { MemoryStudents } from '../testing/students.js';

const ADA = { name: 'Ada', email: 'ada@example.org', city: 'London' };

async function site(t) {
  const students = new MemoryStudents();
  await students.add(ADA);
  const { ask, origin } = await served(t, createSite({ students, migrations: [], host: 'machine-1', log: () => {} }));
  const sent = { ...PERSON, origin, 'sec-fetch-site': 'same-origin' };
  return { students, origin, get: (path) => ask(path, { headers: PERSON }), post: (path, form, headers = sent) => ask(path, { method: 'POST', form, headers }) };
}

test('the list', async (t) => {
  const { get } = await site(t);
  const { status, text, headers } = await get('/students');
  assert.equal(status, 200);
  assert.match(text, /<a href="\/students\/1">Ada<\/a>/);
  assert.match(text, /1 student</);
  assert.match(text, /Served by <code>machine-1<\/code>/);
  assert.equal(headers.get('vary'), 'Accept');
});

test('the front page leads to the list', async (t) => {
  const { get } = await site(t);
  const { status, headers } = await get('/');
  assert.deepEqual([status, headers.get('location')], [302, '/students']);
});

test('a student is added, edited and removed by forms', async (t) => {
  const { get, post } = await site(t);
  assert.match((await get('/students/new')).text, /<form method="post" action="\/students">/);
  const added = await post('/students', { name: 'Grace', email: 'grace@example.org', city: '' });
  assert.deepEqual([added.status, added.headers.get('location')], [303, '/students']);
  assert.match((await get('/students/2/edit')).text, /value="grace@example\.org"/);
  await post('/students/2', { name: 'Grace Hopper', email: 'grace@example.org', city: 'New York' });
  assert.match((await get('/students/2')).text, /<h1>Grace Hopper<\/h1>[\s\S]*New York/);
  assert.match((await get('/students/2/remove')).text, /Remove Grace Hopper\?/);
  await post('/students/2/remove', {});
  const gone = await get('/students/2');
  assert.equal(gone.status, 404);
  assert.match(gone.text, /<p role="alert">there is no student 2<\/p>/);
});

test('a refused form comes back with what was typed and why', async (t) => {
  const { post } = await site(t);
  const { status, text } = await post('/students', { name: 'Eva', email: 'ada@example.org' });
  assert.equal(status, 409);
  assert.match(text, /value="Eva"/);
  assert.match(text, /id="email-error">email: ada@example\.org is another student&#39;s</);
});

test('what people typed is text, never markup', async (t) => {
  const { students, get } = await site(t);
  const name = `<script>alert("x")</script>'&`;
  await students.add({ name, email: 'x@example.org', city: name });
  for (const path of ['/students', '/students/2', '/students/2/edit', '/students/2/remove']) {
    const { text } = await get(path);
    assert.doesNotMatch(text, /<script/, path);
    assert.match(text, /&lt;script&gt;alert\(&quot;x&quot;\)&lt;\/script&gt;&#39;&amp;/, path);
  }
});

test("another site's page cannot change anything", async (t) => {
  const { post, students, origin } = await site(t);
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
    { origin: origin.replace('127.0.0.1', 'localhost') },
  ]) {
    const { status } = await post('/students/1/remove', {}, { ...PERSON, ...headers });
    assert.equal(status, 403, JSON.stringify(headers));
  }
  assert.equal((await students.list(1, 50)).count, 1);
});
