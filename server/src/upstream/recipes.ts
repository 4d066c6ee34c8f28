/**
 * What differs between the issuers that people sign in at: where they are, what to ask for, what they can be asked. Everything else is discovered. What each
 * cannot do is said here and nowhere else; docs/upstream.md tells it to operators.
 */
import type { UpstreamRecipe } from '../storage/store.ts';

export type Recipe = {
  /** What the button says unless the operator says otherwise; `openid` has no name of its own. */
  name?: string;
  /** Where it is, when there is one place only. */
  issuer?: string;
  /** What its issuer looks like, when that depends on the account of the operator. */
  pattern?: { rule: RegExp; like: string };
  scope: readonly string[];
  /** It can be told to ask for credentials again, and says when it did (`prompt`, `max_age`, `auth_time`; OIDC Core §3.1.2.1). */
  asksAgain: boolean;
};

const identity = ['openid', 'profile', 'email'] as const;

export const recipes: Record<UpstreamRecipe, Recipe> = {
  openid: { scope: identity, asksAgain: true },
  // Google knows no prompt=login and tells no auth_time.
  google: { name: 'Google', issuer: 'https://accounts.google.com', scope: identity, asksAgain: false },
  // OAuth 2 and an interface of its own for the account; there is no ID token.
  github: { name: 'GitHub', issuer: 'https://github.com/login/oauth', scope: ['read:user', 'user:email'], asksAgain: false },
  // With common, organizations or consumers the issuer in the token is that of the person's own directory: {tenantid} in the metadata.
  microsoft: {
    name: 'Microsoft',
    pattern: {
      rule: /^https:\/\/login\.microsoftonline\.com\/(common|organizations|consumers|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\/v2\.0$/,
      like: 'https://login.microsoftonline.com/<directory id, common, organizations or consumers>/v2.0',
    },
    scope: identity,
    asksAgain: true,
  },
  supabase: {
    name: 'Supabase',
    pattern: { rule: /^https:\/\/[^/?#]+\/auth\/v1$/, like: 'https://<project>.supabase.co/auth/v1' },
    scope: identity,
    asksAgain: false,
  },
};
