/**
 * A page for every error code, at the address that `error_uri` names, and the list of them: what a code means and what to do. The codes are those of
 * documented-codes.ts, the words are messages of the pages.
 */
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Handler, page } from '../route.ts';
import { type CodeView, errorCodePage, errorCodesPage } from '../views/error-code-page.ts';
import { keyOf, type Words } from '../views/words.ts';
import { type CodeRow, documentedCode, documentedCodes } from './documented-codes.ts';

/** GET /docs/errors */
export const errorDocs: Handler = (exchange, context) => {
  const frame = pageFrame(exchange, context);
  return page(
    errorCodesPage(
      frame,
      documentedCodes.map((row) => viewOf(row, frame)),
    ),
  );
};

/** GET /docs/errors/:code */
export const errorDoc: Handler = (exchange, context) => {
  const row = documentedCode(exchange.params['code'] ?? '');
  if (!row) throw new OAuthError('not_found', 'There is no such error code');
  const frame = pageFrame(exchange, context);
  return page(errorCodePage(frame, viewOf(row, frame)));
};

function viewOf({ code, origin, status, exit, fix }: CodeRow, { t }: Words): CodeView {
  const forPerson = keyOf(`problem.advice.${code}`);
  return { code, origin, status, exit, means: t(`problem.means.${code}`), forPerson: forPerson && t(forPerson), fix };
}
