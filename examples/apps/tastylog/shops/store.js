/** Shops and their reviews in the database. */

import { isDuplicate } from '../lib/database.js';
import { Refused } from '../lib/requests.js';

const SHOP = `slug, name, category, area, description,
  (SELECT COUNT(*) FROM reviews WHERE shop_id = shops.id) AS reviews,
  (SELECT ROUND(AVG(score), 1) FROM reviews WHERE shop_id = shops.id) AS score`;
const FOUND = "CONCAT_WS(' ', name, category, area) LIKE ?";

export class Shops {
  #database;

  constructor(database) {
    this.#database = database;
  }

  /** {shops, count} of a page, by name: those that have every word of the search in their name, category or area. */
  async search(words, page, size) {
    const where = ['TRUE', ...words.map(() => FOUND)].join(' AND ');
    const patterns = words.map(containing);
    const [[{ count }], shops] = await Promise.all([
      this.#database.query(`SELECT COUNT(*) AS count FROM shops WHERE ${where}`, patterns),
      this.#database.query(`SELECT ${SHOP} FROM shops WHERE ${where} ORDER BY name, id LIMIT ? OFFSET ?`, [...patterns, size, (page - 1) * size]),
    ]);
    return { shops: shops.map(shopOf), count };
  }

  async find(slug) {
    const [shop] = await this.#database.query(`SELECT ${SHOP} FROM shops WHERE slug = ?`, [slug]);
    if (!shop) throw new Refused(404, `there is no shop ${slug}`);
    return shopOf(shop);
  }

  async add(shop) {
    try {
      await this.#database.query('INSERT INTO shops SET ?', [shop]);
    } catch (error) {
      if (isDuplicate(error)) throw new Refused(409, { slug: [`slug: there is a shop ${shop.slug} already`] });
      throw error;
    }
    return this.find(shop.slug);
  }

  /** Remove a shop with its reviews. */
  async remove(slug) {
    const { affectedRows } = await this.#database.query('DELETE FROM shops WHERE slug = ?', [slug]);
    if (affectedRows === 0) throw new Refused(404, `there is no shop ${slug}`);
  }

  /** {reviews, count} of a page, the newest first. */
  async reviews(slug, page, size) {
    const id = await this.#idOf(slug);
    const [[{ count }], reviews] = await Promise.all([
      this.#database.query('SELECT COUNT(*) AS count FROM reviews WHERE shop_id = ?', [id]),
      this.#database.query(
        `SELECT id, author, score, comment, DATE_FORMAT(written_at, '%Y-%m-%d') AS written FROM reviews WHERE shop_id = ?
         ORDER BY id DESC LIMIT ? OFFSET ?`,
        [id, size, (page - 1) * size],
      ),
    ]);
    return { reviews, count };
  }

  async addReview(slug, review) {
    try {
      const { insertId } = await this.#database.query('INSERT INTO reviews SET ?', [{ shop_id: await this.#idOf(slug), ...review }]);
      return { id: insertId, ...review };
    } catch (error) {
      if (isDuplicate(error)) throw new Refused(409, { author: [`author: ${review.author} has reviewed this shop already`] });
      throw error;
    }
  }

  async #idOf(slug) {
    const [shop] = await this.#database.query('SELECT id FROM shops WHERE slug = ?', [slug]);
    if (!shop) throw new Refused(404, `there is no shop ${slug}`);
    return shop.id;
  }
}

/** A pattern of LIKE for whatever contains the word, in which % and _ stand for themselves. */
export function containing(word) {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`;
}

/** MySQL gives an average as text. */
function shopOf(row) {
  return { ...row, score: row.score === null ? null : Number(row.score) };
}
