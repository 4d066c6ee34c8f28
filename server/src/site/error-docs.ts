/**
 * A page for every error code, at the address that `error_uri` names: what it means and what to do, from the same table the errors are made of.
 */
import { type ErrorCode, errorCodes, OAuthError } from '../errors.ts';
import { codeText, pageFrame } from '../page-frame.ts';
import { type Handler, page } from '../route.ts';
import { errorPage } from '../views/error-page.ts';

/** GET /docs/errors/:code */
export const errorDoc: Handler = (exchange, context) => {
  const code = exchange.params['code'] ?? '';
  if (!Object.hasOwn(errorCodes, code)) throw new OAuthError('not_found', 'There is no such error code');
  const frame = pageFrame(exchange, context);
  return page(errorPage(frame, { code, title: code, ...codeText(code as ErrorCode, frame), requestId: exchange.requestId }));
};
