/** Students in memory, with the manners of those in the database. */

import { Refused } from '../lib/requests.js';

export class MemoryStudents {
  #rows = [];
  #lastId = 0;

  async list(page, size) {
    return { students: this.#rows.slice((page - 1) * size, page * size), count: this.#rows.length };
  }

  async find(id) {
    const found = this.#rows.find((row) => row.id === id);
    if (!found) throw new Refused(404, `there is no student ${id}`);
    return found;
  }

  async add(student) {
    this.#refuseSecond(student);
    this.#rows.push({ id: (this.#lastId += 1), ...student });
    return this.#rows.at(-1);
  }

  async replace(id, student) {
    const found = await this.find(id);
    this.#refuseSecond(student, id);
    return Object.assign(found, student);
  }

  async remove(id) {
    const found = await this.find(id);
    this.#rows.splice(this.#rows.indexOf(found), 1);
  }

  #refuseSecond({ email }, id) {
    if (this.#rows.some((row) => row.email === email && row.id !== id)) {
      throw new Refused(409, { email: [`email: ${email} is another student's`] });
    }
  }
}
