/**
 * The site: every address answers people with pages and programs with JSON, as their Accept header asks.
 *
 * GET /shops?search=ginza&page=1   POST /shops   GET, DELETE /shops/<slug>
 * GET /shops/<slug>/reviews?page=1   POST /shops/<slug>/reviews
 */

import express from 'express';

import { createApplication } from '../lib/application.js';
import { healthCheck } from '../lib/health.js';
import { Refused, fieldsOf, pageOf, wantsPage } from '../lib/requests.js';
import { searchPage, shopPage } from './pages.js';
import { checkedReview, checkedShop } from './rules.js';

const SHOPS = 20;
const REVIEWS = 20;
const MOST_WORDS = 8;
const MOST_CHARACTERS = 100;
const FILES = new URL('../public', import.meta.url).pathname;

export function createSite({ shops, database, migrations, host, log }) {
  return createApplication({
    site: { name: 'tastylog', home: '/shops' },
    router: routes(shops),
    health: healthCheck({ database, migrations, host, log }),
    files: FILES,
    host,
    log,
  });
}

function routes(shops) {
  const router = express.Router();

  router.get('/', (_request, response) => response.redirect('/shops'));

  router.get('/shops', async (request, response) => {
    const search = typeof request.query.search === 'string' ? beginningOf(request.query.search.trim(), MOST_CHARACTERS) : '';
    const page = pageOf(request);
    const found = await shops.search(search.split(/\s+/).filter(Boolean).slice(0, MOST_WORDS), page, SHOPS);
    const answer = { ...found, page, pages: pagesOf(found.count, SHOPS) };
    if (wantsPage(request)) show(response, searchPage({ ...answer, search }));
    else response.json(answer);
  });

  router.post('/shops', async (request, response) => {
    const added = await shops.add(checkedShop(fieldsOf(request)));
    response.status(201).location(`/shops/${added.slug}`).json(added);
  });

  router.get('/shops/:slug', async (request, response) => {
    const { slug } = request.params;
    if (wantsPage(request)) show(response, shopPage(await reviewed(slug, pageOf(request))));
    else response.json(await shops.find(slug));
  });

  router.delete('/shops/:slug', async (request, response) => {
    await shops.remove(request.params.slug);
    response.status(204).end();
  });

  router.get('/shops/:slug/reviews', async (request, response) => {
    const { slug } = request.params;
    if (wantsPage(request)) return response.redirect(`/shops/${encodeURIComponent(slug)}`);
    const page = pageOf(request);
    const found = await shops.reviews(slug, page, REVIEWS);
    return response.json({ ...found, page, pages: pagesOf(found.count, REVIEWS) });
  });

  router.post('/shops/:slug/reviews', async (request, response) => {
    const { slug } = request.params;
    const fields = fieldsOf(request);
    try {
      const added = await shops.addReview(slug, checkedReview(fields));
      if (wantsPage(request)) response.redirect(303, `/shops/${encodeURIComponent(slug)}`);
      else response.status(201).json(added);
    } catch (error) {
      if (!(error instanceof Refused) || !wantsPage(request) || typeof error.errors === 'string') throw error;
      show(response, shopPage({ ...(await reviewed(slug, 1)), review: fields, errors: error.errors }), error.status);
    }
  });

  return router;

  async function reviewed(slug, page) {
    const [shop, { reviews, count }] = await Promise.all([shops.find(slug), shops.reviews(slug, page, REVIEWS)]);
    return { shop, reviews, page, pages: pagesOf(count, REVIEWS) };
  }
}

/** Cut between characters: half of one, as slice() can leave it, fits in no address. */
function beginningOf(text, length) {
  return [...text].slice(0, length).join('');
}

function pagesOf(count, size) {
  return Math.max(1, Math.ceil(count / size));
}

function show(response, { title, content }, status = 200) {
  response.page(title, content, status);
}
