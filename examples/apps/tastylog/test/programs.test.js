/** The site as a program sees it: JSON. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createSite } from '../shops/site.js';
import { MemoryShops } from '../testing/shops.js';
import { served } from '../testing/site.js';

const ICHI = { name: 'Sushi Ichi', category: 'Sushi', area: 'Ginza', description: 'Eight seats.' };
const NANDU = { name: 'Café Ñandú', category: 'Coffee', area: 'Asakusa', description: '' };

async function site(t) {
  const { ask } = await served(t, createSite({ shops: new MemoryShops(), migrations: [], host: 'machine-1', log: () => {} }));
  return (path, json, method = json ? 'POST' : 'GET') => ask(path, { method, json });
}

test('a shop is added, found, opened and removed', async (t) => {
  const ask = await site(t);
  const added = await ask('/shops', ICHI);
  assert.equal(added.status, 201);
  assert.equal(added.headers.get('location'), '/shops/sushi-ichi');
  assert.deepEqual(added.json, { ...ICHI, slug: 'sushi-ichi', reviews: 0, score: null });
  assert.deepEqual((await ask('/shops/sushi-ichi')).json, added.json);
  assert.equal((await ask('/shops/sushi-ichi', undefined, 'DELETE')).status, 204);
  assert.equal((await ask('/shops/sushi-ichi')).status, 404);
});

test('a search finds what has every word in its name, kind or area', async (t) => {
  const ask = await site(t);
  await ask('/shops', ICHI);
  await ask('/shops', NANDU);
  const found = async (search) => (await ask(`/shops?search=${encodeURIComponent(search)}`)).json.shops.map(({ slug }) => slug);
  assert.deepEqual(await found(''), ['cafe-nandu', 'sushi-ichi']);
  assert.deepEqual(await found('ginza'), ['sushi-ichi']);
  assert.deepEqual(await found(' sushi  ginza '), ['sushi-ichi']);
  assert.deepEqual(await found('sushi asakusa'), []);
});

test('reviews are listed, the newest first, and make the score', async (t) => {
  const ask = await site(t);
  await ask('/shops', ICHI);
  const added = await ask('/shops/sushi-ichi/reviews', { author: 'Ada', score: 5, comment: 'Superb.' });
  assert.equal(added.status, 201);
  assert.deepEqual(added.json, { id: 1, author: 'Ada', score: 5, comment: 'Superb.' });
  await ask('/shops/sushi-ichi/reviews', { author: 'Grace', score: 4 });
  const { reviews, count, page, pages } = (await ask('/shops/sushi-ichi/reviews')).json;
  assert.deepEqual([reviews.map(({ author }) => author), count, page, pages], [['Grace', 'Ada'], 2, 1, 1]);
  const { score, reviews: number } = (await ask('/shops/sushi-ichi')).json;
  assert.deepEqual([score, number], [4.5, 2]);
});

for (const [what, path, body, status, errors] of [
  ['a shop that is there', '/shops', ICHI, 409, { slug: ['slug: there is a shop sushi-ichi already'] }],
  ['a second review by one author', '/shops/sushi-ichi/reviews', { author: 'Ada', score: 1 }, 409, { author: ['author: Ada has reviewed this shop already'] }],
  ['a score that is none', '/shops/sushi-ichi/reviews', { author: 'Eva', score: 6 }, 400, { score: ["score: found '6', expected a whole number from 1 to 5"] }],
  ['a review of no shop', '/shops/none/reviews', { author: 'Eva', score: 5 }, 404, 'there is no shop none'],
  ['a name that makes no address', '/shops', { ...ICHI, name: '寿司' }, 400, { slug: ["slug: '寿司' has no letter for one; give a slug"] }],
  ['what is missing and unknown', '/shops', { name: 'X', city: 'Y' }, 400, {
    city: ['city is not known; known are name, slug, category, area, description'],
    category: ['category: is missing'],
    area: ['area: is missing'],
  }],
]) {
  test(`refused: ${what}`, async (t) => {
    const ask = await site(t);
    await ask('/shops', ICHI);
    await ask('/shops/sushi-ichi/reviews', { author: 'Ada', score: 5 });
    const answer = await ask(path, body);
    assert.equal(answer.status, status);
    assert.deepEqual(answer.json.errors, errors);
  });
}

test('a name of signs that are several letters has a slug that fits', async (t) => {
  const ask = await site(t);
  const { status, json } = await ask('/shops', { ...ICHI, name: '㎒ '.repeat(34).trim() });
  assert.deepEqual([status, json.slug], [201, 'mhz-'.repeat(25).slice(0, -1)]);
  assert.equal((await ask('/shops', { ...ICHI, name: '㎒'.repeat(100) })).json.slug.length, 100);
});

test("an address that is none is the asker's fault", async (t) => {
  const ask = await site(t);
  assert.equal((await ask('/shops/%E0%A4%A')).status, 400);
});

test('a name in other letters is fine with a slug', async (t) => {
  const ask = await site(t);
  assert.equal((await ask('/shops', { ...ICHI, name: '寿司', slug: 'sushi' })).json.slug, 'sushi');
});
