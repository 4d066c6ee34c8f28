/**
 * The OpenAPI 3.1 document of the management API, computed from the operations themselves, and their rows for the route table. Nothing is said here that
 * an operation does not do: the tests hold every answer against this document.
 */
import * as z from 'zod';
import type { Context, Exchange } from '../context.ts';
import type { Answer, Method, Route } from '../route.ts';
import { keyOperations } from './keys.ts';
import type { Operation } from './operation.ts';
import { serverOperations } from './servers.ts';

/** Every operation of the management API. */
export const operations: readonly Operation[] = [...serverOperations, ...keyOperations];

/** The rows of the route table: surface `private`, so nothing of this API speaks to other origins (CORS-10). */
export const apiRoutes: Route[] = [
  ...[...new Set(operations.map(({ path }) => path))].map(
    (path): Route => ({
      path,
      surface: 'private',
      methods: Object.fromEntries(operations.filter((one) => one.path === path).map((one) => [one.method, one.handle])) as Route['methods'],
    }),
  ),
  { path: '/api/openapi.json', surface: 'private', methods: { GET: openApi } },
];

const errorBody = z.looseObject({
  error: z.string().meta({ examples: ['invalid_request'] }),
  error_description: z.string(),
  error_uri: z.string(),
  member: z.string().optional().describe('The member of the body that is wrong.'),
  example: z.string().optional().describe('401: the call that would have worked.'),
});
const errorTexts: Record<number, string> = {
  400: 'The body or the query cannot be used.',
  401: 'No owner token, or one that is not good.',
  403: 'You may not do this.',
  404: 'You have no such server.',
  409: 'Another registered server has this address (server_url_taken).',
  413: 'The body is larger than 64 KiB.',
  415: 'The body is not application/json.',
};

/** GET /api/openapi.json */
function openApi(_exchange: Exchange, context: Context): Answer {
  return { status: 200, json: JSON.stringify(document(context.issuer)), headers: { 'Cache-Control': 'public, max-age=600' } };
}

function document(issuer: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const one of operations) {
    const path = one.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [one.method.toLowerCase() as Lowercase<Method>]: describe(one) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Auth-Agent MCP management API', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: issuer }],
    security: [{ ownerToken: [] }],
    paths,
    components: {
      schemas: { Error: schemaOf(errorBody) },
      securitySchemes: { ownerToken: { type: 'http', scheme: 'bearer', description: 'An owner token, aat_…' } },
    },
  };
}

function describe(one: Operation) {
  const inPath = [...one.path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const inQuery = Object.entries(one.query ?? {}).map(([name, description]) => ({ name, in: 'query', description, schema: { type: 'string' } }));
  const failures = [401, ...one.errors].sort((a, b) => a - b);
  return {
    operationId: one.id,
    summary: one.summary,
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(one.body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(one.body, 'input') } } } }),
    responses: {
      [one.success.status]: {
        description: one.success.description,
        ...(one.success.body && { content: { 'application/json': { schema: schemaOf(one.success.body) } } }),
      },
      ...Object.fromEntries(failures.map((status) => [status, failure(status)])),
    },
  };
}

function failure(status: number) {
  return { description: errorTexts[status], content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
}

/** OpenAPI 3.1 takes JSON Schema 2020-12 as it is; the dialect is named once by the document. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
