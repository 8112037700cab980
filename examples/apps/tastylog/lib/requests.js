/** What a request asks for and whether it may. */

/** A request that cannot be done: the HTTP status, and what is wrong, as one text or by field. */
export class Refused extends Error {
  constructor(status, errors) {
    super(typeof errors === 'string' ? errors : Object.values(errors).flat().join('; '));
    this.status = status;
    this.errors = errors;
  }
}

/** Whether a page is wanted: browsers name text/html; programs name JSON, or anything at all. */
export function wantsPage(request) {
  return /\btext\/html\b/.test(request.get('accept') ?? '');
}

/**
 * Let no other site's page change anything here. Nobody is logged in, so there is no session to bind a token to; every
 * browser says where a request comes from (Fetch Metadata's Sec-Fetch-Site, and Origin), and a program says neither.
 */
export function sameSite(request, _response, next) {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return next();
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  const here = site === undefined ? origin === undefined || hostOf(origin) === request.get('host') : ['same-origin', 'none'].includes(site);
  return here ? next() : next(new Refused(403, 'a page of another site sent this request; send it from this site'));
}

/** The fields of the body, a JSON object or a form. */
export function fieldsOf(request) {
  if (!request.is(['application/json', 'application/x-www-form-urlencoded'])) {
    throw new Refused(415, `found ${request.get('content-type') || 'no content type'}, expected application/json or a form`);
  }
  const body = request.body;
  if (body === null || typeof body !== 'object' || Array.isArray(body)) {
    throw new Refused(400, `found ${Array.isArray(body) ? 'a list' : 'no object'}, expected an object`);
  }
  return { ...body };
}

/** The page that is asked for, from 1. */
export function pageOf(request) {
  const page = Number(request.query.page ?? 1);
  return Number.isSafeInteger(page) && page >= 1 ? page : 1;
}

function hostOf(origin) {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // `null`, as a sandboxed page says
  }
}
