/**
 * The site: every address answers people with pages and programs with JSON, as their Accept header asks.
 *
 * GET /students?page=1   POST /students   GET, PUT, DELETE /students/<id>
 * A browser's forms know no PUT and no DELETE: they send POST /students/<id> and POST /students/<id>/remove.
 */

import express from 'express';

import { createApplication } from '../lib/application.js';
import { healthCheck } from '../lib/health.js';
import { Refused, fieldsOf, pageOf, wantsPage } from '../lib/requests.js';
import { formPage, listPage, removePage, studentPage } from './pages.js';
import { checked } from './rules.js';

const PAGE_SIZE = 50;
const FILES = new URL('../public', import.meta.url).pathname;

export function createSite({ students, database, migrations, host, log }) {
  return createApplication({
    site: { name: 'students', home: '/students' },
    router: routes(students),
    health: healthCheck({ database, migrations, host, log }),
    files: FILES,
    host,
    log,
  });
}

function routes(students) {
  const router = express.Router();
  router.param('id', (_request, _response, next, id) => next(/^[1-9]\d{0,8}$/.test(id) ? undefined : new Refused(404, `there is no student ${id}`)));

  router.get('/', (_request, response) => response.redirect('/students'));

  router.get('/students', async (request, response) => {
    const page = pageOf(request);
    const found = await students.list(page, PAGE_SIZE);
    const answer = { ...found, page, pages: Math.max(1, Math.ceil(found.count / PAGE_SIZE)) };
    show(request, response, answer, listPage);
  });

  router.get('/students/new', (_request, response) => page(response, formPage()));

  router.post('/students', async (request, response) => {
    const added = await save(request, response, undefined, (fields) => students.add(fields));
    if (!added) return;
    response.location(`/students/${added.id}`);
    if (wantsPage(request)) response.redirect(303, '/students');
    else response.status(201).json(added);
  });

  router.get('/students/:id', async (request, response) => {
    show(request, response, await students.find(number(request)), studentPage);
  });

  router.get('/students/:id/edit', async (request, response) => page(response, formPage(await students.find(number(request)))));

  router.put('/students/:id', async (request, response) => {
    response.json(await students.replace(number(request), checked(fieldsOf(request))));
  });

  router.post('/students/:id', async (request, response) => {
    const saved = await save(request, response, number(request), (fields) => students.replace(number(request), fields));
    if (saved) response.redirect(303, '/students');
  });

  router.get('/students/:id/remove', async (request, response) => page(response, removePage(await students.find(number(request)))));

  router.post('/students/:id/remove', async (request, response) => {
    await students.remove(number(request));
    response.redirect(303, '/students');
  });

  router.delete('/students/:id', async (request, response) => {
    await students.remove(number(request));
    response.status(204).end();
  });

  return router;
}

/** Check and save; a person whose entry is refused gets the form back with what was typed and why. */
async function save(request, response, id, action) {
  const fields = fieldsOf(request);
  try {
    return await action(checked(fields));
  } catch (error) {
    if (!(error instanceof Refused) || !wantsPage(request) || typeof error.errors === 'string') throw error;
    page(response, formPage({ ...fields, id }, error.errors), error.status);
    return undefined;
  }
}

function show(request, response, answer, view) {
  if (wantsPage(request)) page(response, view(answer));
  else response.json(answer);
}

function page(response, { title, content }, status = 200) {
  response.page(title, content, status);
}

function number(request) {
  return Number(request.params.id);
}
