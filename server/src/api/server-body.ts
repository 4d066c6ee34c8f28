/**
 * The wire form of an MCP server in the management API: what an owner may send, what is answered, and the way between wire names and ours. Pure.
 * The texts are shown to strangers: constants that end with a full stop (see operation.ts).
 */
import * as z from 'zod';
import { isLoopbackHost } from '../options.ts';
import { canonicalResource } from '../rules/resource.ts';
import { identityScopes, isScopeToken } from '../rules/scope.ts';
import type { McpServer, ServerScope } from '../storage/store.ts';
import { isoDate } from './operation.ts';

/** Text that a person will read: without control characters, which also no database needs to store, and without marks that reorder what follows. */
export const plainText = (longest: number, rule: string) =>
  z
    .string(rule)
    .trim()
    .min(1, rule)
    .max(longest, rule)
    .regex(/^[^\p{Cc}\p{Cs}\u200B\u200E\u200F\u2028-\u202E\u2060-\u2069\uFEFF]+$/u, rule);

const scopeName = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/, 'A scope is 1 to 128 printable characters without space, quote and backslash.');
const scopeText = plainText(200, 'The description of a scope is 1 to 200 characters of plain text.');
const maxLanguages = 50;
const languageTag = z
  .string()
  .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$/, 'A language is a BCP 47 tag such as de or pt-BR.')
  .refine((tag) => canonicalTag(tag) !== undefined, 'A language is a BCP 47 tag such as de or pt-BR.');
const scope = z.union(
  [
    scopeName,
    z.strictObject({
      name: scopeName,
      description: scopeText.optional(),
      descriptions: z
        .record(languageTag, scopeText, 'descriptions is an object of texts by language tag.')
        .refine((texts) => new Set(Object.keys(texts).map(canonicalTag)).size === Object.keys(texts).length, 'descriptions names a language twice.')
        .refine((texts) => Object.keys(texts).length <= maxLanguages, `descriptions has at most ${maxLanguages} languages.`)
        .optional()
        .describe('The description by language (BCP 47). Where the language of a person is missing they read `description`.')
        .meta({ examples: [{ de: 'Dateien ändern', 'pt-BR': 'Alterar arquivos' }] }),
      group: z.enum(['identity', 'see', 'change', 'delete', 'admin']).optional(),
      optional: z.boolean().optional(),
    }),
  ],
  'A scope is a string, or an object with name and, if wanted, description, descriptions, group and optional.',
);

const members = {
  server_url: z
    .string('server_url is the address that clients connect to.')
    .refine((value) => isServerUrl(value), 'server_url must be https (http is for loopback only), without fragment, userinfo and dot segments.')
    .meta({ format: 'uri', examples: ['https://your-mcp-server.com'] }),
  server_name: plainText(100, 'server_name is 1 to 100 characters of plain text.').meta({ examples: ['My File Server'] }),
  description: plainText(500, 'description is 1 to 500 characters of plain text.'),
  scopes: z
    .array(scope, 'scopes is a list.')
    .min(1, 'scopes needs at least one scope.')
    .max(200, 'scopes has at most 200 scopes.')
    .meta({ examples: [['files:read', { name: 'files:write', description: 'Change files', group: 'change' }]] }),
  default_scopes: z
    .array(scopeName, 'default_scopes is a list of strings.')
    .max(200, 'default_scopes has at most 200 scopes.')
    .describe('What a request without scope gets. Unset: the scopes that only see.'),
  logo_url: z
    .string('logo_url is an https address.')
    .max(2048, 'logo_url is at most 2048 characters.')
    .refine((value) => isHttpsUrl(value), 'logo_url must be https without userinfo.')
    .meta({ format: 'uri' }),
  max_duration: z
    .enum(['30_days', '8_hours', 'once'], 'max_duration is 30_days, 8_hours or once.')
    .describe('The longest a person may allow an agent anything here, from now on. Unset: the person decides.'),
  people: z
    .literal('listed', 'people is listed, or null for everybody.')
    .describe('Only the people on the list of the server may use it. Unset: everybody with an account.'),
};

export const newServerBody = z.strictObject({
  ...members,
  description: members.description.nullish(),
  default_scopes: members.default_scopes.nullish(),
  logo_url: members.logo_url.nullish(),
  max_duration: members.max_duration.nullish(),
  people: members.people.nullish(),
  user_id: z.string('user_id is a string.').nullish().describe('If sent, the id of the caller.'),
});
/** RFC 7396: what is absent stays, `null` removes. */
export const changedServerBody = z.strictObject({
  server_url: members.server_url.optional(),
  server_name: members.server_name.optional(),
  description: members.description.nullish(),
  scopes: members.scopes.optional(),
  default_scopes: members.default_scopes.nullish(),
  logo_url: members.logo_url.nullish(),
  max_duration: members.max_duration.nullish(),
  people: members.people.nullish(),
});

export const serverView = z.strictObject({
  server_id: z.string().meta({ examples: ['srv_abc123'] }),
  server_url: z.string(),
  resource: z.string().describe('The canonical resource identifier (RFC 8707): what tokens for this server have as aud.'),
  server_name: z.string(),
  description: z.string().optional(),
  scopes: z.array(
    z.union([
      z.string(),
      z.strictObject({
        name: z.string(),
        description: z.string().optional(),
        descriptions: z.record(z.string(), z.string()).optional(),
        group: z.string().optional(),
        optional: z.boolean().optional(),
      }),
    ]),
  ),
  default_scopes: z.array(z.string()).optional(),
  logo_url: z.string().optional(),
  max_duration: z.enum(['30_days', '8_hours', 'once']).optional(),
  people: z.literal('listed').optional(),
  owner_id: z.string(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  protected_resource_metadata_url: z.string().describe('RFC 9728 metadata of this server.'),
});

export function viewOfServer(server: McpServer, issuer: string): z.infer<typeof serverView> {
  return {
    server_id: server.id,
    server_url: server.serverUrl,
    resource: server.resource,
    server_name: server.name,
    description: server.description,
    scopes: server.scopes.map((one) => (Object.keys(one).length === 1 ? one.name : one)),
    default_scopes: server.defaultScopes,
    logo_url: server.logoUrl,
    max_duration: server.maxDuration,
    people: server.people,
    owner_id: server.ownerId,
    created_at: isoDate(server.createdAt),
    updated_at: isoDate(server.updatedAt),
    protected_resource_metadata_url: `${issuer}/.well-known/oauth-protected-resource/${server.id}`,
  };
}

/** The facts an owner decides about a server. */
export type ServerFacts = Pick<
  McpServer,
  'resource' | 'serverUrl' | 'name' | 'description' | 'scopes' | 'defaultScopes' | 'logoUrl' | 'maxDuration' | 'people'
>;

/** Applies a body to what was before (nothing, for a new server). */
export function factsFrom(body: z.infer<typeof changedServerBody>, before?: ServerFacts): Partial<ServerFacts> {
  const facts: Partial<ServerFacts> = { ...(before && pick(before)) };
  if (body.server_url !== undefined) Object.assign(facts, { serverUrl: body.server_url, resource: canonicalResource(body.server_url) });
  if (body.server_name !== undefined) facts.name = body.server_name;
  if (body.scopes !== undefined) facts.scopes = body.scopes.map((one) => (typeof one === 'string' ? { name: one } : canonicalScope(one)));
  if (body.description !== undefined) facts.description = body.description ?? undefined;
  if (body.default_scopes !== undefined) facts.defaultScopes = body.default_scopes ?? undefined;
  if (body.logo_url !== undefined) facts.logoUrl = body.logo_url ?? undefined;
  if (body.max_duration !== undefined) facts.maxDuration = body.max_duration ?? undefined;
  if (body.people !== undefined) facts.people = body.people ?? undefined;
  return facts;
}

function canonicalScope(scope: ServerScope): ServerScope {
  const { descriptions, ...rest } = scope;
  if (descriptions === undefined) return rest;
  return { ...rest, descriptions: Object.fromEntries(Object.entries(descriptions).map(([tag, text]) => [canonicalTag(tag), text])) };
}

/** RFC 5646 §4.5: one spelling of a tag; undefined for what is none. */
function canonicalTag(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}

function pick({ resource, serverUrl, name, description, scopes, defaultScopes, logoUrl, maxDuration, people }: ServerFacts): ServerFacts {
  return { resource, serverUrl, name, description, scopes, defaultScopes, logoUrl, maxDuration, people };
}

/** Checks what an owner says about a new server, outside HTTP: the same rules for the command line. */
export function readServerFacts(body: unknown): { facts: ServerFacts } | { problem: string } {
  const checked = newServerBody.safeParse(body);
  if (!checked.success) return { problem: checked.error.issues[0]?.message.replace(/\.$/, '') ?? 'The server cannot be read' };
  const facts = factsFrom(checked.data) as ServerFacts;
  const problem = scopesProblem(facts.scopes, facts.defaultScopes);
  return problem === undefined ? { facts } : { problem };
}

/** What is wrong with the scopes as a whole, if anything. */
export function scopesProblem(scopes: readonly ServerScope[], defaults: readonly string[] | undefined): string | undefined {
  const names = scopes.map((one) => one.name);
  if (names.length === 0) return 'scopes needs at least one scope';
  if (!names.every(isScopeToken)) return 'A scope is 1 to 128 printable characters without space, quote and backslash';
  if (new Set(names).size < names.length) return 'A scope is listed twice';
  if (names.some((name) => identityScopes.includes(name))) return 'openid, profile, email and offline_access belong to the authorization server';
  if (defaults?.some((name) => !names.includes(name))) return 'default_scopes must be among scopes';
  return undefined;
}

/** https anywhere, http on loopback; RFC 8707 §2 form. */
function isServerUrl(value: string): boolean {
  const canonical = canonicalResource(value);
  if (canonical === undefined || hasControl(value)) return false;
  const url = new URL(canonical);
  return url.protocol === 'https:' || isLoopbackHost(url.hostname);
}

function isHttpsUrl(value: string): boolean {
  if (!URL.canParse(value) || hasControl(value)) return false;
  const url = new URL(value);
  return url.protocol === 'https:' && !url.username && !url.password;
}

const hasControl = (value: string): boolean => /[\p{Cc}\p{Cs}\s]/u.test(value);
