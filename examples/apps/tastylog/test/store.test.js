/** Shops and reviews in a real database. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect, createPool } from '../lib/database.js';
import { migrate, readMigrations } from '../lib/migrations.js';
import { Shops, containing } from '../shops/store.js';
import { skip, startDatabase } from '../testing/database.js';

const ICHI = { slug: 'sushi-ichi', name: 'Sushi Ichi 寿司', category: 'Sushi', area: 'Ginza', description: '' };
const BAR = { slug: 'bar', name: "100% O'Grill", category: 'Bar', area: 'Ginza', description: '' };

test('a pattern takes signs of LIKE for themselves', () => {
  assert.equal(containing('100%_\\'), '%100\\%\\_\\\\%');
});

test('shops in the database', { skip }, async (t) => {
  const settings = await startDatabase(t);
  const connection = await connect(settings);
  await migrate(connection, await readMigrations(new URL('../migrations/', import.meta.url)), { lock: 'test.migrate', wait: 5 });
  await connection.end();
  const pool = createPool(settings);
  t.after(() => pool.end());
  const shops = new Shops(pool);

  await t.test('add and find', async () => {
    assert.deepEqual(await shops.add(ICHI), { ...ICHI, reviews: 0, score: null });
    await shops.add(BAR);
    await assert.rejects(shops.add(ICHI), { status: 409 });
    await assert.rejects(shops.find('none'), { status: 404 });
  });

  await t.test('search', async () => {
    const found = async (...words) => (await shops.search(words, 1, 20)).shops.map(({ slug }) => slug);
    assert.deepEqual(await found(), ['bar', 'sushi-ichi']);
    assert.deepEqual(await found('GINZA', '寿司'), ['sushi-ichi']);
    assert.deepEqual(await found('100%'), ['bar']);
    assert.deepEqual(await found('%'), ['bar'], '% is no sign for anything');
    const { shops: second, count } = await shops.search([], 2, 1);
    assert.deepEqual([second[0].slug, count], ['sushi-ichi', 2]);
  });

  await t.test('reviews', async () => {
    await shops.addReview('sushi-ichi', { author: 'Ada', score: 5, comment: '' });
    await shops.addReview('sushi-ichi', { author: 'Grace', score: 4, comment: 'Good.' });
    await assert.rejects(shops.addReview('sushi-ichi', { author: 'Ada', score: 1, comment: '' }), { status: 409 });
    await assert.rejects(shops.addReview('none', { author: 'Ada', score: 1, comment: '' }), { status: 404 });
    const { reviews, count } = await shops.reviews('sushi-ichi', 1, 1);
    assert.deepEqual([reviews[0].author, count], ['Grace', 2]);
    assert.match(reviews[0].written, /^\d{4}-\d\d-\d\d$/);
    const { score, reviews: number } = await shops.find('sushi-ichi');
    assert.deepEqual([score, number], [4.5, 2]);
  });

  await t.test('a shop goes with its reviews', async () => {
    await shops.remove('sushi-ichi');
    await assert.rejects(shops.remove('sushi-ichi'), { status: 404 });
    assert.deepEqual((await pool.query('SELECT COUNT(*) AS count FROM reviews'))[0].count, 0);
  });
});
