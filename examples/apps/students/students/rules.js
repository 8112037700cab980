/** What a student is. Pure. */

import { Refused } from '../lib/requests.js';

const FIELDS = {
  name: { longest: 100, required: true },
  email: { longest: 254, required: true, form: /^[^\s@]+@[^\s@]+\.[^\s@]+$/, expected: 'an address such as ada@example.org' },
  city: { longest: 100, required: false },
};

/** The fields of a student, trimmed; refuses with every wrong field at once. */
export function checked(fields) {
  const errors = {};
  const student = {};
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(FIELDS, name)) errors[name] = [`${name} is not known; known are ${Object.keys(FIELDS).join(', ')}`];
  }
  for (const [name, rule] of Object.entries(FIELDS)) {
    const value = fields[name] ?? '';
    const wrong = typeof value === 'string' ? problem(value.trim(), rule) : `found ${typeof value}, expected text`;
    if (wrong) errors[name] = [`${name}: ${wrong}`];
    else student[name] = value.trim();
  }
  if (Object.keys(errors).length > 0) throw new Refused(400, errors);
  return student;
}

function problem(text, { longest, required, form, expected }) {
  if (text === '') return required ? 'is missing' : '';
  if (text.length > longest) return `has ${text.length} characters, at most ${longest} fit`;
  return form && !form.test(text) ? `found '${text}', expected ${expected}` : '';
}
