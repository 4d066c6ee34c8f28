/**
 * Reads what a server says when it refuses: `WWW-Authenticate` with one or several challenges (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1, RFC 9470 §3).
 */

export type Challenge = {
  error?: string;
  errorDescription?: string;
  /** Where the server says its resource metadata is. Not yet believed. */
  resourceMetadata?: string;
  scope?: string;
  acrValues?: string;
  maxAge?: string;
};

const piece = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y;

/** The first Bearer challenge of the header, wherever it stands among others; undefined when there is none. */
export function readChallenge(header: string | null): Challenge | undefined {
  let parameters: Record<string, string> | undefined;
  let inBearer = false;
  piece.lastIndex = 0;
  for (let match = piece.exec(header ?? ''); match; match = piece.exec(header ?? '')) {
    const [, name = '', quoted, plain] = match;
    if (quoted === undefined && plain === undefined) {
      if (parameters) break;
      inBearer = name.toLowerCase() === 'bearer';
      if (inBearer) parameters = {};
    } else if (inBearer && parameters) parameters[name.toLowerCase()] ??= plain ?? quoted?.replace(/\\(.)/g, '$1') ?? '';
  }
  if (!parameters) return undefined;
  return {
    error: parameters['error'],
    errorDescription: parameters['error_description'],
    resourceMetadata: parameters['resource_metadata'],
    scope: parameters['scope'] || undefined,
    acrValues: parameters['acr_values'],
    maxAge: parameters['max_age'],
  };
}
