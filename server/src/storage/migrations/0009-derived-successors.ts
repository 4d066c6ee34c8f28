/**
 * The successor of a refresh token follows from the token itself (token/refresh-token-value.ts), so no row keeps it any more.
 */
export const derivedSuccessors = `
alter table refresh_tokens drop column successor;
`;
