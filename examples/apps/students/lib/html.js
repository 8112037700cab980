/** HTML as a tagged template: what is put in is escaped, unless it is HTML itself. */

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export class Html {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/** html`<b>${name}</b>`; a list is put in entry by entry, and null, undefined and false leave nothing. */
export function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(written)));
}

function written(value) {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(written).join('');
  if (value === null || value === undefined || value === false) return '';
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
