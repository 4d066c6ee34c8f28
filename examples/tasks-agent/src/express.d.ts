/**
 * The little of Express 5 that this example uses, so that it needs no further package; with `@types/express` installed, delete this file.
 */
declare module 'express' {
  import type { RequestListener } from 'node:http';
  import type { ExpressMiddleware, ExpressRequest } from 'auth-agent-mcp-sdk/express';

  export type Request = ExpressRequest & { params: Record<string, string> };
  export type Response = import('node:http').ServerResponse & { status(code: number): Response; location(url: string): Response; json(body: unknown): void };
  type Next = (error?: unknown) => void;
  type Handler = (request: Request, response: Response, next: Next) => void;
  type ErrorHandler = (error: unknown, request: Request, response: Response, next: Next) => void;
  export type Express = RequestListener & {
    use(handler: Handler): void;
    use(handler: ErrorHandler): void;
    disable(setting: string): void;
  } & Record<'get' | 'post' | 'put', (path: string, ...handlers: Handler[]) => void>;

  function express(): Express;
  namespace express {
    function json(options: { limit: string }): ExpressMiddleware;
  }
  export default express;
}
