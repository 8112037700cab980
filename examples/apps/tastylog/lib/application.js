/** An express application that both people and programs can use; what it is about comes in as a router. */

import express from 'express';

import { isUnreachable } from './database.js';
import { html } from './html.js';
import { Refused, sameSite, wantsPage } from './requests.js';

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * site    {name, home}: what the pages call themselves and where their header leads
 * router  the application's own routes
 * health  handler of /health
 * files   folder of the static files
 * host    name of this machine, which every answer carries
 */
export function createApplication({ site, router, health, files, host, log }) {
  const application = express();
  application.disable('x-powered-by');
  application.use((_request, response, next) => {
    response.set({ ...HEADERS, 'X-Served-By': host });
    response.page = (title, content, status = 200) => response.status(status).type('html').send(layout({ site, host, title, content }));
    next();
  });
  application.get('/health', health);
  application.use('/static', express.static(files, { maxAge: '1h', index: false }));
  application.use(sameSite, express.json({ limit: '16kb' }), express.urlencoded({ limit: '16kb', extended: false }));
  application.use((_request, response, next) => {
    response.vary('Accept');
    next();
  });
  application.use(router);
  application.use((request) => {
    throw new Refused(404, `there is no ${request.path}`);
  });
  application.use(answerError(log));
  return application;
}

/** A whole page. */
export function layout({ site, host, title, content }) {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title} - ${site.name}</title>
  <link rel="stylesheet" href="/static/style.css">
  <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
</head>
<body>
  <a class="skip" href="#main">Skip to the content</a>
  <header><a href="${site.home}">${site.name}</a></header>
  <main id="main">
    <h1>${title}</h1>
    ${content}
  </main>
  <footer>Served by <code>${host}</code></footer>
</body>
</html>
`.text;
}

/** Errors as pages or as JSON. What nobody foresaw goes to the log whole, and to the answer as one word. */
function answerError(log) {
  return (error, request, response, next) => {
    const { status, errors } = told(error);
    if (status >= 500) log(`${request.method} ${request.path}: ${error.stack ?? error}`);
    if (response.headersSent) return next(error);
    if (!wantsPage(request)) return response.status(status).json({ errors });
    const text = typeof errors === 'string' ? errors : Object.values(errors).flat().join('; ');
    return response.page(`Error ${status}`, html`<p role="alert">${text}</p>`, status);
  };
}

function told(error) {
  if (error instanceof Refused) return error;
  if (isUnreachable(error)) return { status: 503, errors: 'the database does not answer; try again in a moment' };
  if (error.status >= 400 && error.status < 500) return { status: error.status, errors: error.message }; // of the router or a body's parser
  return { status: 500, errors: 'something went wrong here; it is in the log' };
}
