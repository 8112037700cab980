/** What people see. Pure: values in, {title, content} out. */

import { html } from '../lib/html.js';

export function searchPage({ shops, count, page, pages, search }) {
  return {
    title: 'Find a restaurant',
    content: html`<form method="get" action="/shops" role="search">
      <div><label for="search">Name, kind or area</label><input id="search" name="search" type="search" value="${search}"></div>
      <p class="actions"><button type="submit">Search</button></p>
    </form>
    <p role="status">${count} restaurant${count === 1 ? '' : 's'}${search && ` for ${search}`}</p>
    <ul class="list">${shops.map(entry)}</ul>
    ${navigation(page, pages, search && `search=${encodeURIComponent(search)}&`)}`,
  };
}

/** A shop with a page of its reviews, and the form for one more; `errors` by field, as they were refused. */
export function shopPage({ shop, reviews, page, pages, review = {}, errors = {} }) {
  return {
    title: shop.name,
    content: html`<p>${shop.category}, ${shop.area}</p>
    <p>${shop.description}</p>
    <h2>Reviews</h2>
    <p>${verdict(shop)}</p>
    <ul class="list">${reviews.map(written)}</ul>
    ${navigation(page, pages)}
    <h2>Write a review</h2>
    <form method="post" action="/shops/${shop.slug}/reviews">
      <div><label for="author">Your name</label>${refusal(errors, 'author')}<input id="author" name="author" required maxlength="50" value="${review.author}"></div>
      <div><label for="score">Score, 1 to 5</label>${refusal(errors, 'score')}<input id="score" name="score" type="number" min="1" max="5" required value="${review.score}"></div>
      <div><label for="comment">Comment</label>${refusal(errors, 'comment')}<textarea id="comment" name="comment" rows="4" maxlength="1000">${review.comment}</textarea></div>
      <p class="actions"><button type="submit">Send</button></p>
    </form>`,
  };
}

function entry(shop) {
  return html`
      <li><a href="/shops/${shop.slug}">${shop.name}</a> <span>${shop.category}, ${shop.area}. ${verdict(shop)}</span></li>`;
}

function written({ author, score, comment, written }) {
  return html`
      <li><strong>${score} of 5</strong> by ${author}, <time datetime="${written}">${written}</time><p>${comment}</p></li>`;
}

function verdict({ reviews, score }) {
  return reviews === 0 ? 'No review yet.' : `${score.toFixed(1)} of 5 from ${reviews} review${reviews === 1 ? '' : 's'}.`;
}

function refusal(errors, name) {
  return errors[name] && html`<p class="error">${errors[name].join('; ')}</p>`;
}

function navigation(page, pages, query = '') {
  if (pages <= 1) return undefined;
  return html`<nav aria-label="Pages">
      ${page > 1 && html`<a rel="prev" href="?${query}page=${page - 1}">Previous</a>`}
      Page ${page} of ${pages}
      ${page < pages && html`<a rel="next" href="?${query}page=${page + 1}">Next</a>`}
    </nav>`;
}
