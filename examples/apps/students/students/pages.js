/** What people see. Pure: values in, {title, content} out. */

import { html } from '../lib/html.js';

export function listPage({ students, count, page, pages }) {
  const table = html`<table>
      <caption>${count} student${count === 1 ? '' : 's'}</caption>
      <thead><tr><th scope="col">Id</th><th scope="col">Name</th><th scope="col">Email</th><th scope="col">City</th><th scope="col">Actions</th></tr></thead>
      <tbody>
        ${students.map(row)}
      </tbody>
    </table>`;
  return {
    title: 'Students',
    content: html`<p><a class="button" href="/students/new">Add a student</a></p>
    ${students.length > 0 ? table : html`<p>There are no students ${count > 0 ? 'on this page' : 'yet'}.</p>`}
    ${pages > 1 && navigation(page, pages)}`,
  };
}

export function studentPage(student) {
  return {
    title: student.name,
    content: html`<dl>
      <dt>Email</dt><dd>${student.email}</dd>
      <dt>City</dt><dd>${student.city || 'not known'}</dd>
    </dl>
    <p class="actions"><a href="/students/${student.id}/edit">Edit</a> <a href="/students/${student.id}/remove">Remove</a></p>`,
  };
}

/** The form of a new student, or of one that has an id; `errors` by field, as they were refused. */
export function formPage(student = {}, errors = {}) {
  const field = (name, label, attributes) => html`<div>
        <label for="${name}">${label}</label>
        ${errors[name] && html`<p class="error" id="${name}-error">${errors[name].join('; ')}</p>`}
        <input id="${name}" name="${name}" value="${student[name]}" ${attributes}${errors[name] && html` aria-invalid="true" aria-describedby="${name}-error"`}>
      </div>`;
  return {
    title: student.id ? `Edit ${student.name}` : 'Add a student',
    content: html`<form method="post" action="/students${student.id && html`/${student.id}`}">
      ${field('name', 'Name', html`required maxlength="100"`)}
      ${field('email', 'Email', html`type="email" required maxlength="254"`)}
      ${field('city', 'City', html`maxlength="100"`)}
      <p class="actions"><button type="submit">Save</button> <a href="/students">Cancel</a></p>
    </form>`,
  };
}

export function removePage(student) {
  return {
    title: `Remove ${student.name}?`,
    content: html`<form method="post" action="/students/${student.id}/remove">
      <p>This cannot be undone.</p>
      <p class="actions"><button type="submit">Remove</button> <a href="/students/${student.id}">Cancel</a></p>
    </form>`,
  };
}

function row({ id, name, email, city }) {
  return html`<tr>
          <td>${id}</td>
          <th scope="row"><a href="/students/${id}">${name}</a></th>
          <td>${email}</td>
          <td>${city}</td>
          <td class="actions"><a href="/students/${id}/edit" aria-label="Edit ${name}">Edit</a> <a href="/students/${id}/remove" aria-label="Remove ${name}">Remove</a></td>
        </tr>
        `;
}

function navigation(page, pages) {
  return html`<nav aria-label="Pages">
      ${page > 1 && html`<a rel="prev" href="?page=${page - 1}">Previous</a>`}
      Page ${page} of ${pages}
      ${page < pages && html`<a rel="next" href="?page=${page + 1}">Next</a>`}
    </nav>`;
}
