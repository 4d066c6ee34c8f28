/** A browser without eyes: signs in and reads forms, so that the pages can be measured. */
import { app, challenge, resource, type Subject, scope } from '../subject.ts';

type Pages = { authorize: string; consent: string; signIn: string };
export type Form = { cookie: string; tx: string; csrf: string };

/** The query of an authorization request of the app. */
export const authorizationRequest = `?${new URLSearchParams({ response_type: 'code', client_id: app.id, redirect_uri: app.redirectUri, code_challenge: challenge, code_challenge_method: 'S256', scope, resource, state: 'af0ifjsldkj' })}`;

/** Opens the sign-in page as a new browser. */
export async function signInForm(subject: Subject, pages: Pages): Promise<Form> {
  const response = await subject.fetch(pages.authorize + authorizationRequest);
  return formOf(await response.text(), cookiesOf(response));
}

/** Signs in and returns the cookies of somebody who is. */
export async function signedIn(subject: Subject, pages: Pages): Promise<string> {
  const { cookie, tx, csrf } = await signInForm(subject, pages);
  const { username = '', password = '' } = subject.people[0] ?? {};
  const response = await subject.fetch(pages.signIn, {
    method: 'POST',
    headers: { Cookie: cookie },
    body: new URLSearchParams({ tx, csrf, username, password }),
  });
  if (response.status !== 303) throw new Error(`sign-in answered ${response.status}`);
  return [cookie, cookiesOf(response)].filter(Boolean).join('; ');
}

/** Opens the consent page of a new request in a browser that is signed in. */
export async function consentForm(subject: Subject, pages: Pages, cookie: string): Promise<Form> {
  let response = await subject.fetch(pages.authorize + authorizationRequest, { headers: { Cookie: cookie } });
  const location = response.headers.get('location');
  if (location)
    response = await subject.fetch(new URL(location, 'https://auth.example.com').pathname + new URL(location, 'https://auth.example.com').search, {
      headers: { Cookie: cookie },
    });
  return formOf(await response.text(), cookie);
}

function formOf(html: string, cookie: string): Form {
  return { cookie, tx: hidden(html, 'tx'), csrf: hidden(html, 'csrf') };
}

function hidden(html: string, name: string): string {
  const input = new RegExp(`<input[^>]*name="${name}"[^>]*>`).exec(html)?.[0] ?? '';
  const value = /value="([^"]*)"/.exec(input)?.[1];
  if (value === undefined) throw new Error(`no field ${name} on the page`);
  return value;
}

function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}
