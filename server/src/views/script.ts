/**
 * Owns: the one script of the pages, served from our own origin. Every page is complete without it.
 * It makes Allow inert for 500 ms after the window gains focus (CON-10), stops double submits, shows passwords, copies text, posts an answer on its way, and
 * hands what an authenticator answers (WebAuthn) to an ordinary form.
 */

/** Under 6 kB, no dependency, no state beyond the page. Words come from `data-` attributes, so it needs no translation. */
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
    if (!button || !('busy' in button.dataset)) return;
    button.dataset.label = button.textContent;
    button.textContent = document.body.dataset.busy;
    say(document.body.dataset.busy);
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

  // Passkeys: a button asks the server what to ask for, then the authenticator, and sends its answer with the form it is in.
  const toBytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
  const toText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const request = async (button) => {
    const body = new URLSearchParams();
    for (const name of ['csrf', 'tx']) if (button.form.elements[name]) body.set(name, button.form.elements[name].value);
    const answer = await fetch(button.dataset.request, { method: 'POST', body, redirect: 'error', headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error('no request');
    const publicKey = await answer.json();
    publicKey.challenge = toBytes(publicKey.challenge);
    if (publicKey.user) publicKey.user.id = toBytes(publicKey.user.id);
    for (const known of publicKey.excludeCredentials || []) known.id = toBytes(known.id);
    return publicKey;
  };
  const send = ({ form }, { id, type, response }) => {
    const given = { transports: response.getTransports ? response.getTransports() : undefined };
    for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) if (response[name]) given[name] = toText(response[name]);
    form.elements.credential.value = JSON.stringify({ id, rawId: id, type, response: given });
    if (form.elements.password) form.elements.password.value = '';
    form.noValidate = true;
    form.requestSubmit();
  };

  if (window.PublicKeyCredential) {
    let offered;
    // In the list of the name field; asked for anew before its challenge is too old.
    const offer = async (button) => {
      if (!PublicKeyCredential.isConditionalMediationAvailable || !(await PublicKeyCredential.isConditionalMediationAvailable())) return;
      if (offered) offered.abort();
      offered = new AbortController();
      const { signal } = offered;
      try {
        send(button, await navigator.credentials.get({ publicKey: await request(button), mediation: 'conditional', signal }));
      } catch {}
    };
    each('[data-passkey]', (button) => {
      const failed = button.form.querySelector('[data-passkey-failed]');
      button.hidden = false;
      each('[data-without-passkey]', (text) => { text.hidden = true; });
      if (button.dataset.offer) {
        offer(button);
        setInterval(() => offer(button), 240000);
      }
      button.addEventListener('click', async (event) => {
        if (event.defaultPrevented) return;
        if (offered) offered.abort();
        failed.hidden = true;
        button.setAttribute('aria-disabled', 'true');
        const publicKey = await request(button).catch(() => location.reload());
        try {
          if (publicKey) send(button, await navigator.credentials[button.dataset.passkey]({ publicKey }));
        } catch {
          failed.hidden = false;
          button.removeAttribute('aria-disabled');
          if (button.dataset.offer) offer(button);
        }
      });
    });
    if (PublicKeyCredential.signalAllAcceptedCredentials)
      each('[data-accepted]', (list) => PublicKeyCredential.signalAllAcceptedCredentials(JSON.parse(list.dataset.accepted)).catch(() => {}));
  }

  // Not when somebody comes back to the page: the answer was sent already.
  const [visit] = performance.getEntriesByType('navigation');
  if (!visit || visit.type !== 'back_forward') each('[data-auto]', (form) => form.requestSubmit());
}
`;
