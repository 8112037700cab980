/** Students in the database. */

import { isDuplicate } from '../lib/database.js';
import { Refused } from '../lib/requests.js';

const COLUMNS = 'id, name, email, city';

export class Students {
  #database;

  constructor(database) {
    this.#database = database;
  }

  /** {students, count} of a page, in the order in which they came. */
  async list(page, size) {
    const [[{ count }], students] = await Promise.all([
      this.#database.query('SELECT COUNT(*) AS count FROM students'),
      this.#database.query(`SELECT ${COLUMNS} FROM students ORDER BY id LIMIT ? OFFSET ?`, [size, (page - 1) * size]),
    ]);
    return { students, count };
  }

  async find(id) {
    const [student] = await this.#database.query(`SELECT ${COLUMNS} FROM students WHERE id = ?`, [id]);
    if (!student) throw new Refused(404, `there is no student ${id}`);
    return student;
  }

  async add(student) {
    const { insertId } = await this.#unique(student, 'INSERT INTO students SET ?', [student]);
    return { id: insertId, ...student };
  }

  async replace(id, student) {
    const { affectedRows } = await this.#unique(student, 'UPDATE students SET ? WHERE id = ?', [student, id]);
    if (affectedRows === 0) throw new Refused(404, `there is no student ${id}`);
    return { id, ...student };
  }

  async remove(id) {
    const { affectedRows } = await this.#database.query('DELETE FROM students WHERE id = ?', [id]);
    if (affectedRows === 0) throw new Refused(404, `there is no student ${id}`);
  }

  async #unique({ email }, sql, values) {
    try {
      return await this.#database.query(sql, values);
    } catch (error) {
      if (isDuplicate(error)) throw new Refused(409, { email: [`email: ${email} is another student's`] });
      throw error;
    }
  }
}
