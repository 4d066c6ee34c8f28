/**
 * The key that a code or a refresh family is bound to, as its SHA-256 thumbprint (RFC 9449 §5, §10). Null: bound to none.
 */
export const dpop = `
alter table codes add column dpop_jkt text;
alter table refresh_tokens add column dpop_jkt text;
`;
