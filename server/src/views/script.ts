/**
 * Owns: the one script of the pages, served from our own origin. Every page is complete without it.
 * It makes Allow inert for 500 ms after the window gains focus (CON-10), stops double submits, shows passwords, copies text and posts an answer on its way.
 */

/** Under 3 kB, no dependency, no state beyond the page. Words come from `data-` attributes, so it needs no translation. */
export const script = `'use strict';
{
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
  const say = (text) => { const status = document.getElementById('status'); if (status) status.textContent = text; };

  let timer;
  const open = () => each('[data-guard]', (button) => { if (!button.form.dataset.sent) button.removeAttribute('aria-disabled'); });
  const guard = () => {
    each('[data-guard]', (button) => button.setAttribute('aria-disabled', 'true'));
    clearTimeout(timer);
    timer = setTimeout(open, 500);
  };
  addEventListener('focus', guard);
  document.addEventListener('visibilitychange', guard);
  guard();

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button && button.getAttribute('aria-disabled') === 'true') event.preventDefault();
  }, true);

  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = '1';
    for (const field of form.elements) {
      if (field.dataset.secret) field.type = 'password';
      if (field.type === 'submit') field.setAttribute('aria-disabled', 'true');
    }
    const button = event.submitter;
    if (!button || !button.dataset.busy) return;
    button.dataset.label = button.textContent;
    button.textContent = button.dataset.busy;
    say(button.dataset.busy);
  });

  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    each('form', (form) => { delete form.dataset.sent; });
    each('[data-label]', (button) => { button.textContent = button.dataset.label; });
    each('[type=submit]', (button) => button.removeAttribute('aria-disabled'));
    guard();
  });

  each('[data-show]', (button) => {
    const field = document.getElementById(button.dataset.show);
    field.dataset.secret = '1';
    button.hidden = false;
    button.addEventListener('click', () => {
      const shown = field.type === 'text';
      field.type = shown ? 'password' : 'text';
      button.setAttribute('aria-pressed', String(!shown));
    });
  });

  if (navigator.clipboard) each('[data-copy]', (button) => {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      button.textContent = button.dataset.done;
      say(button.dataset.done);
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  });

  // Not when somebody comes back to the page: the answer was sent already.
  const [visit] = performance.getEntriesByType('navigation');
  if (!visit || visit.type !== 'back_forward') each('[data-auto]', (form) => form.requestSubmit());
}
`;
