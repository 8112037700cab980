/** The site as a person sees it: pages and forms. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createSite } from '../shops/site.js';
import { MemoryShops } from '../testing/shops.js';
import { PERSON, served } from '../testing/site.js';

const ICHI = { slug: 'sushi-ichi', name: 'Sushi Ichi', category: 'Sushi', area: 'Ginza', description: 'Eight seats.' };

async function site(t) {
  const shops = new MemoryShops();
  await shops.add(ICHI);
  const { ask, origin } = await served(t, createSite({ shops, migrations: [], host: 'machine-1', log: () => {} }));
  const sent = { ...PERSON, origin, 'sec-fetch-site': 'same-origin' };
  return { shops, get: (path) => ask(path, { headers: PERSON }), post: (path, form, headers = sent) => ask(path, { method: 'POST', form, headers }) };
}

test('search, open a shop, write a review', async (t) => {
  const { get, post } = await site(t);
  assert.equal((await get('/')).headers.get('location'), '/shops');
  const found = await get('/shops?search=ginza');
  assert.match(found.text, /1 restaurant for ginza/);
  assert.match(found.text, /<a href="\/shops\/sushi-ichi">Sushi Ichi<\/a>/);
  assert.match((await get('/shops/sushi-ichi')).text, /No review yet\./);
  const sent = await post('/shops/sushi-ichi/reviews', { author: 'Ada', score: '5', comment: 'Superb.' });
  assert.deepEqual([sent.status, sent.headers.get('location')], [303, '/shops/sushi-ichi']);
  assert.match((await get('/shops/sushi-ichi')).text, /5\.0 of 5 from 1 review\.[\s\S]*by Ada[\s\S]*Superb\.[\s\S]*Served by <code>machine-1/);
});

test('a refused review comes back with what was typed and why', async (t) => {
  const { post } = await site(t);
  const { status, text } = await post('/shops/sushi-ichi/reviews', { author: 'Ada', score: '9', comment: 'Superb.' });
  assert.equal(status, 400);
  assert.match(text, /score: found &#39;9&#39;, expected a whole number from 1 to 5/);
  assert.match(text, /value="Ada"[\s\S]*>Superb\.<\/textarea>/);
});

test('what people typed is text, never markup', async (t) => {
  const { shops, get } = await site(t);
  const evil = `<script>alert("x")</script>`;
  await shops.add({ ...ICHI, slug: 'evil', name: evil, description: evil });
  await shops.addReview('evil', { author: evil, score: 1, comment: evil });
  for (const path of ['/shops', '/shops/evil', `/shops?search=${encodeURIComponent(evil)}`]) {
    const { text } = await get(path);
    assert.doesNotMatch(text, /<script/, path);
    assert.match(text, /&lt;script&gt;/, path);
  }
});

test("another site's page cannot write a review", async (t) => {
  const { post, shops } = await site(t);
  const { status } = await post('/shops/sushi-ichi/reviews', { author: 'Eva', score: '1' }, { ...PERSON, 'sec-fetch-site': 'cross-site' });
  assert.equal(status, 403);
  assert.equal((await shops.reviews('sushi-ichi', 1, 20)).count, 0);
});

test('a search that is too long is cut between characters', async (t) => {
  const { get } = await site(t);
  const { status, text } = await get(`/shops?search=${encodeURIComponent(`${'x'.repeat(99)}🍣🍣`)}`);
  assert.equal(status, 200);
  assert.match(text, /0 restaurants for x{99}🍣</u);
});

test('pages of a search keep what was searched', async (t) => {
  const { shops, get } = await site(t);
  for (let number = 1; number <= 25; number += 1) await shops.add({ ...ICHI, slug: `bar-${number}`, name: `Bar & Grill ${number}` });
  assert.match((await get('/shops?search=bar%20%26')).text, /Page 1 of 2\s+<a rel="next" href="\?search=bar%20%26&amp;page=2">Next/);
});
