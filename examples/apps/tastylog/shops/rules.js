/** What a shop and a review are. Pure. */

import { Refused } from '../lib/requests.js';

const LONGEST_SLUG = 100;
const SLUG = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const SHOP = {
  name: { longest: 100, required: true },
  slug: { longest: LONGEST_SLUG, required: false, form: SLUG, expected: 'lower-case letters, digits and single hyphens, such as sushi-ichi' },
  category: { longest: 50, required: true },
  area: { longest: 50, required: true },
  description: { longest: 500, required: false },
};
const REVIEW = {
  author: { longest: 50, required: true },
  score: { longest: 1, required: true, form: /^[1-5]$/, expected: 'a whole number from 1 to 5' },
  comment: { longest: 1_000, required: false },
};

/** The fields of a shop; the slug, which its address is made of, comes from the name when it is not given. */
export function checkedShop(fields) {
  const shop = checked(fields, SHOP);
  shop.slug ||= slugOf(shop.name);
  if (!shop.slug) throw new Refused(400, { slug: [`slug: '${shop.name}' has no letter for one; give a slug`] });
  return shop;
}

export function checkedReview(fields) {
  const review = checked({ ...fields, ...(typeof fields.score === 'number' && { score: String(fields.score) }) }, REVIEW);
  return { ...review, score: Number(review.score) };
}

/** `Café Ñandú, Ginza` -> `cafe-nandu-ginza`; cut where it is too long, for one sign of a name can be several letters: `㎒` is `mhz`. */
export function slugOf(name) {
  const words = name.normalize('NFKD').replace(/\p{Mark}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-/, '').slice(0, LONGEST_SLUG).replace(/-$/, '');
}

function checked(fields, rules) {
  const errors = {};
  const values = {};
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(rules, name)) errors[name] = [`${name} is not known; known are ${Object.keys(rules).join(', ')}`];
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = fields[name] ?? '';
    const wrong = typeof value === 'string' ? problem(value.trim(), rule) : `found ${typeof value}, expected text`;
    if (wrong) errors[name] = [`${name}: ${wrong}`];
    else values[name] = value.trim();
  }
  if (Object.keys(errors).length > 0) throw new Refused(400, errors);
  return values;
}

function problem(text, { longest, required, form, expected }) {
  if (text === '') return required ? 'is missing' : '';
  if (form && !form.test(text)) return `found '${text}', expected ${expected}`;
  return text.length > longest ? `has ${text.length} characters, at most ${longest} fit` : '';
}
