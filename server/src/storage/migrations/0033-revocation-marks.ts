/**
 * The event of each token that was revoked on its own, so that revoking it again records nothing.
 */
export const revocationMarks = `
alter table revoked_tokens add column last_event text;
`;
