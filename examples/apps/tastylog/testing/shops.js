/** Shops in memory, with the manners of those in the database. */

import { Refused } from '../lib/requests.js';

export class MemoryShops {
  #shops = new Map();
  #reviews = new Map();
  #lastId = 0;

  async search(words, page, size) {
    const has = (shop, word) => `${shop.name} ${shop.category} ${shop.area}`.toLowerCase().includes(word.toLowerCase());
    const found = [...this.#shops.keys()].map((slug) => this.#shop(slug)).filter((shop) => words.every((word) => has(shop, word)));
    found.sort((one, other) => one.name.localeCompare(other.name));
    return { shops: found.slice((page - 1) * size, page * size), count: found.length };
  }

  async find(slug) {
    return this.#shop(slug);
  }

  async add(shop) {
    if (this.#shops.has(shop.slug)) throw new Refused(409, { slug: [`slug: there is a shop ${shop.slug} already`] });
    this.#shops.set(shop.slug, shop);
    this.#reviews.set(shop.slug, []);
    return this.#shop(shop.slug);
  }

  async remove(slug) {
    this.#shop(slug);
    this.#shops.delete(slug);
  }

  async reviews(slug, page, size) {
    this.#shop(slug);
    const reviews = [...this.#reviews.get(slug)].reverse();
    return { reviews: reviews.slice((page - 1) * size, page * size), count: reviews.length };
  }

  async addReview(slug, review) {
    this.#shop(slug);
    const reviews = this.#reviews.get(slug);
    if (reviews.some(({ author }) => author === review.author)) {
      throw new Refused(409, { author: [`author: ${review.author} has reviewed this shop already`] });
    }
    const added = { id: (this.#lastId += 1), ...review };
    reviews.push({ ...added, written: '2026-01-01' });
    return added;
  }

  #shop(slug) {
    if (!this.#shops.has(slug)) throw new Refused(404, `there is no shop ${slug}`);
    const scores = this.#reviews.get(slug).map(({ score }) => score);
    const score = scores.length === 0 ? null : Math.round((10 * scores.reduce((sum, next) => sum + next, 0)) / scores.length) / 10;
    return { ...this.#shops.get(slug), reviews: scores.length, score };
  }
}
