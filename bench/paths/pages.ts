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

/** A header that says which person's computer a request comes from: limits are per address, and a benchmark has only one. */
export function from(index: number): Record<string, string> {
  return { 'X-Forwarded-For': `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}` };
}

/** Opens the consent page of a new request in a new browser that is signed in. */
export async function consentForm(subject: Subject, pages: Pages, session: string, headers: Record<string, string>): Promise<Form> {
  const first = await subject.fetch(pages.authorize + authorizationRequest, { headers: { ...headers, Cookie: session } });
  const cookie = [session, cookiesOf(first)].filter(Boolean).join('; ');
  const location = first.headers.get('location');
  const shown = location ? await subject.fetch(location.replace('https://auth.example.com', ''), { headers: { ...headers, Cookie: cookie } }) : first;
  return formOf(await shown.text(), cookie);
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
