/**
 * When mail last reached a person at the address they have: by a code or a link that was sent there and came back.
 */
export const provenAddresses = `
alter table users add column email_proven_at bigint;
`;
